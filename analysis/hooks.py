"""TransformerLens: its hooks over a model's weights, and where its adapters say the parts are.

Importing it takes seconds, so it is imported where it is needed: ``Subject.bridge`` hooks, and
``loading.families`` asks where a model's parts are, once for each configuration.
"""

from typing import Any

import torch
from transformer_lens.factories.architecture_adapter_factory import ArchitectureAdapterFactory
from transformer_lens.model_bridge import TransformerBridge
from transformer_lens.model_bridge.generalized_components import (
    JointGateUpMLPBridge,
    MLPBridge,
    MoEBridge,
    ParallelBlockBridge,
)
from transformer_lens.model_bridge.sources import (
    build_bridge_config_from_hf,
    build_bridge_from_module,
)
from transformers import PreTrainedModel

from analysis.errors import UserError
from analysis.family import Family, share_weights


def hooked(model: PreTrainedModel) -> TransformerBridge:
    """Hooks over the same parameter tensors (nothing is copied)."""
    twin = share_weights(model)
    twin.config._attn_implementation = "eager"  # others do not tell their patterns
    with torch.inference_mode(False):  # weights split in inference mode could have no gradient
        return build_bridge_from_module(twin, type(model).__name__, hf_config=twin.config)


def family_of(config: Any, kind: str) -> Family:
    """Where a transformers architecture keeps its parts, as TransformerLens' adapters say.

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
    _check_parts(block.submodules, kind)

    def path(*names: str) -> str | None:
        """The dotted path of a part of a block, if there is one; OPT's MLP has no name."""
        place, found = block.submodules, []
        for name in names:
            if name not in place:
                return None
            found.append(place[name].name)
            place = place[name].submodules
        return ".".join(each for each in found if each)

    mlp, attn_out, mlp_out = block.submodules["mlp"], path("attn", "o"), path("mlp", "out")
    assert attn_out
    assert mlp_out
    joint = isinstance(mlp, JointGateUpMLPBridge)
    return Family(
        blocks=block.name,
        final_norm=mapping["ln_final"].name,
        attn_out=attn_out,
        attn_written=path("ln1_post") or attn_out,
        mlp_norm=path("ln2"),
        mlp_in=None if joint else path("mlp", "in"),
        mlp_gate=path("mlp", "gate"),
        gated=joint or "gate" in mlp.submodules,
        mlp_out=mlp_out,
        mlp_post=path("ln2_post"),
        positions="pos_embed" in mapping,
        parallel=isinstance(block, ParallelBlockBridge),
    )


def _check_parts(parts: dict[str, Any], kind: str) -> None:
    """Refuse blocks that are not attention and an MLP, both of whose outputs can be hooked."""
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
