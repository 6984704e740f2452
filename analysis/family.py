"""Where the parts of a block live in a Hugging Face module."""

import copy
import inspect
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.activations import ACT2FN

from analysis.errors import UserError


@dataclass(frozen=True)
class Family:
    """Attribute paths inside a causal language model.

    Attributes:
        blocks: the list of blocks.
        final_norm: the norm before the unembedding.
        attn_out: in a block, what turns its heads' ``z`` into the attention's output.
        attn_written: in a block, what writes the attention to the residual stream: ``attn_out``,
            or a norm behind it.
        mlp_norm: in a block, the norm before the MLP, if it has one of its own.
        mlp_in: in a block, what makes pre-activations of what the MLP reads; None where gate and up
            are one matrix.
        mlp_gate: in a block, the same for the gate, where the MLP has one.
        gated: whether the MLP multiplies an activated gate by a second, linear reading (up).
        mlp_out: in a block, what turns activations into the MLP's output.
        mlp_post: in a block, the norm between the MLP's output and the residual stream, if any.
        positions: whether positions have embeddings that are added to those of tokens.
        parallel: whether attention and MLP read the same residual, not one after the other.
    """

    blocks: str
    final_norm: str
    attn_out: str
    attn_written: str
    mlp_norm: str | None
    mlp_in: str | None
    mlp_gate: str | None
    gated: bool
    mlp_out: str
    mlp_post: str | None
    positions: bool
    parallel: bool

    def layers(self, model: nn.Module) -> list[nn.Module]:
        """The blocks of a model of this family, first to last."""
        return list(part(model, self.blocks).children())

    def activations(
        self, block: nn.Module, change: Callable[[Tensor], Tensor | None]
    ) -> AbstractContextManager[None]:
        """Inside, ``change`` sees the block's activations before they are written.

        Args:
            block: a block of a transformers model of this family.
            change: is given [batch pos d_mlp]; what it returns, if anything, is written instead.
        """
        return _entering(block, self.mlp_out, change)

    def heads(
        self, block: nn.Module, change: Callable[[Tensor], Tensor | None]
    ) -> AbstractContextManager[None]:
        """The same for the heads' ``z``, side by side: [batch pos (head d_head)]."""
        return _entering(block, self.attn_out, change)


@contextmanager
def _entering(
    block: nn.Module, path: str, change: Callable[[Tensor], Tensor | None]
) -> Iterator[None]:
    """Inside, ``change`` sees, and may replace, what enters a part of the block."""
    shape: list[int] = []

    def enter(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        shape[:] = (args[0] if args else kwargs["hidden_states"]).shape[:2]

    def write(_: nn.Module, args: tuple[Tensor]) -> tuple[Tensor] | None:
        changed = change(args[0].view(*shape, -1))  # OPT's MLP joins batch and position
        return None if changed is None else (changed.view(args[0].shape),)

    handles = (
        block.register_forward_pre_hook(enter, with_kwargs=True),
        part(block, path).register_forward_pre_hook(write),
    )
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def activation_of(config: Any) -> Callable[[Tensor], Tensor]:
    """The activation function of a transformers configuration.

    Raises:
        UserError: it names none.
    """
    names = ("hidden_activation", "hidden_act", "activation_function", "activation")
    named = [getattr(config, name, None) for name in names]
    if config.model_type == "bloom":  # its configuration does not say it
        named.append("gelu_pytorch_tanh")
    for name in named:
        if name in ACT2FN:
            function: Callable[[Tensor], Tensor] = ACT2FN[name]
            return function
    raise UserError(f"A {config.model_type} does not say which activation function it has.")


def share_weights(model: PreTrainedModel) -> PreTrainedModel:
    """A second module over the very parameter tensors of ``model``, with a config of its own."""
    twin = copy.deepcopy(model, {id(weight): weight for weight in model.parameters()})
    assert isinstance(twin, PreTrainedModel)
    return twin


def part(root: nn.Module, path: str) -> nn.Module:
    """The submodule of ``root`` at a dotted path."""
    module: nn.Module = attrgetter(path)(root)
    return module


def called_with(
    block: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Tensor, dict[str, Any]]:
    """The residual that a block is called with, and all else by its name."""
    bound = inspect.signature(block.forward).bind(*args, **kwargs).arguments
    named = bound | bound.pop("kwargs", {})
    return named.pop(next(iter(named))), named
