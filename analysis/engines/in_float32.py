"""Passes that compute in float32, in whatever type a model's weights are kept."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn

from analysis.arithmetic import exact_products
from analysis.subject import Subject


@contextmanager
def in_float32(subject: Subject) -> Iterator[None]:
    """Inside, the plain model computes in float32, with products that keep all of their bits.

    The weights are what they are: those of a file in bfloat16 say what they say when it is loaded
    in float32. Each block's are widened while it is passed, so that no more than one of them is in
    memory twice; afterwards all lie where they lay before, mapped from a file perhaps.
    """
    with exact_products(), ExitStack() as stack:
        if subject.dtype != torch.float32:
            inside = {id(each) for block in subject.blocks for each in _weights(block)}
            stack.enter_context(
                _widened(each for each in _weights(subject.model) if id(each) not in inside)
            )
            for block in subject.blocks:
                stack.enter_context(_widened_when_passed(block))
        yield


def _weights(module: nn.Module) -> Iterator[Tensor]:
    """Parameters and buffers that are no integers."""
    for each in (*module.parameters(), *module.buffers()):
        if each.is_floating_point():
            yield each


@contextmanager
def _widened(weights: Iterable[Tensor]) -> Iterator[None]:
    """Inside, weights are in float32."""
    kept = [(each, each.data) for each in weights]
    try:
        with torch.inference_mode(False):
            for each, data in kept:
                each.data = data.float()
        yield
    finally:
        for each, data in kept:
            each.data = data


@contextmanager
def _widened_when_passed(block: nn.Module) -> Iterator[None]:
    """Inside, a block's weights are in float32 while it is passed, even if a pass ends in it."""
    with ExitStack() as hooks, ExitStack() as passing:

        def widen(*_: object) -> None:
            passing.enter_context(_widened(_weights(block)))

        def restore(*_: object) -> None:
            passing.close()

        hooks.callback(block.register_forward_pre_hook(widen, prepend=True).remove)
        hooks.callback(block.register_forward_hook(restore, always_call=True).remove)
        yield
