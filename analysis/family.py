"""Where the parts of a block live in a Hugging Face module, read off TransformerLens' adapters."""

import copy
import inspect
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor, nn
from transformer_lens.factories.architecture_adapter_factory import ArchitectureAdapterFactory
from transformer_lens.model_bridge.generalized_components import (
    JointGateUpMLPBridge,
    MLPBridge,
    MoEBridge,
    ParallelBlockBridge,
)
from transformer_lens.model_bridge.sources import build_bridge_config_from_hf
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


def family_of(config: Any, kind: str) -> Family:
    """Where a transformers architecture keeps its parts.

    Args:
        config: the transformers configuration.
        kind: name of the model's class.

    Raises:
        UserError: it is no decoder with neurons in every block, or TransformerLens does not know
            it.
    """
    if config.is_encoder_decoder:
        raise UserError(f"{kind} is an encoder with a decoder: only decoders are studied here.")
    mapping = _component_mapping(config, kind)
    if "blocks" not in mapping or "ln_final" not in mapping:
        raise UserError(f"{kind} has no blocks with a norm behind the last that can be hooked.")
    block = mapping["blocks"]
    parts = block.submodules
    if "attn" not in parts or {"mamba", "mixer", "ssm", "linear_attn"} & parts.keys():
        raise UserError(f"{kind} has blocks without attention, which are not supported here.")
    mlp = parts.get("mlp")
    if isinstance(mlp, MoEBridge):
        raise UserError(
            f"{kind} is a mixture of experts: which neurons a token meets hangs on the text, and a"
            " patch would have to choose them anew. That is not supported here."
        )
    if not isinstance(mlp, MLPBridge):
        raise UserError(f"{kind} has no MLPs: no neurons to study.")
    if "out" not in mlp.submodules or "o" not in parts["attn"].submodules:
        raise UserError(f"{kind} has no output weights of MLPs or heads that can be hooked.")

    def path(*names: str) -> str | None:
        """The dotted path of a part of a block, if there is one; OPT's MLP has no name."""
        place, found = parts, []
        for name in names:
            if name not in place:
                return None
            found.append(place[name].name)
            place = place[name].submodules
        return ".".join(each for each in found if each)

    attn_out, mlp_out = path("attn", "o"), path("mlp", "out")
    assert attn_out
    assert mlp_out
    return Family(
        blocks=block.name,
        final_norm=mapping["ln_final"].name,
        attn_out=attn_out,
        attn_written=path("ln1_post") or attn_out,
        mlp_norm=path("ln2"),
        mlp_in=None if isinstance(mlp, JointGateUpMLPBridge) else path("mlp", "in"),
        mlp_gate=path("mlp", "gate"),
        mlp_out=mlp_out,
        mlp_post=path("ln2_post"),
        positions="pos_embed" in mapping,
        parallel=isinstance(block, ParallelBlockBridge),
    )


def _component_mapping(config: Any, kind: str) -> dict[str, Any]:
    """TransformerLens' names of a causal architecture's parts.

    Raises:
        UserError: it has none, or not for this configuration, or every position sees all others.
    """
    if kind not in ArchitectureAdapterFactory._adapters:
        raise UserError(f"{kind} is not an architecture that TransformerLens can hook.")
    try:
        described = build_bridge_config_from_hf(config, kind, kind, torch.float32)
        adapter = ArchitectureAdapterFactory.select_architecture_adapter(described)
        mapping = adapter.component_mapping or {}
    except Exception as error:
        raise UserError(f"{kind} of this configuration cannot be hooked ({error}).") from error
    if described.attention_dir != "causal" or not getattr(config, "is_causal", True):
        raise UserError(f"{kind} reads in both directions: it does not tell the next word.")
    return dict(mapping)


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
