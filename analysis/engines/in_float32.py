"""Passes that compute in float32, in whatever type a model's weights are kept."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn

from analysis.arithmetic import exact_products
from analysis.subject import Subject


@contextmanager
def in_float32(subject: Subject) -> Iterator[None]:
    """Inside, the plain model computes in float32, with products that keep all of their bits.

    Weights that were rounded stay so: those of a file in bfloat16 give what they give when it is
    loaded in float32. Each module's are widened while it is passed, so that no more than one table
    is in memory twice, and lie afterwards where they lay before, mapped from a file perhaps.
    """
    with exact_products(), ExitStack() as inside:
        if subject.dtype != torch.float32:
            for module in subject.model.modules():
                inside.enter_context(_widened_when_passed(module))
        yield


@contextmanager
def _widened_when_passed(module: nn.Module) -> Iterator[None]:
    """Inside, a module's own weights are in float32 while it is passed, though a pass end in it."""
    kept: list[tuple[Tensor, Tensor]] = []

    def widen(*_: object) -> None:
        with torch.inference_mode(False):
            for name, each in _own(module):
                kept.append((each, each.data))
                each.data = _widened(module, name, each.data)

    def restore(*_: object) -> None:
        while kept:
            each, data = kept.pop()
            each.data = data

    hooks = (
        module.register_forward_pre_hook(widen, prepend=True),
        module.register_forward_hook(restore, always_call=True),
    )
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
        restore()


def _own(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """A module's own parameters and buffers that are no integers, by name."""
    for own in (module.named_parameters(recurse=False), module.named_buffers(recurse=False)):
        yield from ((name, each) for name, each in own if each.is_floating_point())


def _widened(module: nn.Module, name: str, each: Tensor) -> Tensor:
    """A weight in float32; a constant of Gemma's, rounded when it was loaded, as it is."""
    exact = getattr(module, f"scalar_{name}", None)
    return each.float() if exact is None else torch.full_like(each, exact, dtype=torch.float32)
