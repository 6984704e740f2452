"""One prompt's pass through the plain model, kept so that it can be taken up in its middle."""

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers import Cache, DynamicCache

from analysis.family import called_with
from analysis.subject import Subject

Prefix = tuple[Float[Tensor, "group prefix d_head"], Float[Tensor, "group prefix d_head"]]
"""One block's keys and values."""


@dataclass(frozen=True)
class Pass:
    """One prompt's pass through the plain model.

    Attributes:
        entering: residual that enters each block.
        leaving: residual that leaves the last.
        activations: of each block's MLP.
        calls: what else each block is called with, by name.
        prefixes: keys and values of each block that has them.
    """

    entering: list[Float[Tensor, "1 pos d_model"]]
    leaving: Float[Tensor, "1 pos d_model"]
    activations: list[Float[Tensor, "1 pos d_mlp"]]
    calls: list[dict[str, Any]]
    prefixes: list[Prefix]

    @property
    def behind(self) -> Float[Tensor, "layer pos d_model"]:
        """The residual that leaves each block."""
        return torch.cat([*self.entering[1:], self.leaving])


@torch.inference_mode()
def plain_pass(subject: Subject, tokens: tuple[int, ...], start: int) -> Pass:
    """Run a prompt, and keep what its blocks are called with; keys and values before ``start``.

    Raises:
        UserError: an activation is not finite.
    """
    entering: list[Tensor] = []
    calls: list[dict[str, Any]] = []
    leaving: list[Tensor] = []
    activations: list[Tensor] = []

    def enter(block: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        resid, named = called_with(block, args, kwargs)
        entering.append(resid)
        calls.append({k: None if isinstance(v, Cache) else v for k, v in named.items()})
        calls[-1] |= {"use_cache": False} if "use_cache" in named else {}

    hooks = [block.register_forward_pre_hook(enter, with_kwargs=True) for block in subject.blocks]
    hooks.append(
        subject.blocks[-1].register_forward_hook(lambda _m, _a, out: leaving.append(first_of(out)))
    )
    cache = DynamicCache()  # without a configuration: sliding windows, too, keep all they read
    with ExitStack() as watched:
        for hook in hooks:
            watched.callback(hook.remove)
        for block in subject.blocks:
            watched.enter_context(subject.family.activations(block, activations.append))
        subject.model.base_model(subject.batch(tokens), past_key_values=cache, use_cache=True)
    prefixes = [(layer.keys[0, :, :start], layer.values[0, :, :start]) for layer in cache.layers]
    resid = subject.finite(leaving[0], "activations")
    return Pass(entering, resid, activations, calls, prefixes)


def first_of(output: Tensor | tuple[Any, ...]) -> Tensor:
    """The residual that a block gives back, which some put into a tuple."""
    resid: Tensor = output if isinstance(output, Tensor) else output[0]
    return resid
