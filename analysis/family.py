"""Where the parts of a block live in the Hugging Face module of each supported architecture."""

from dataclasses import dataclass
from operator import attrgetter

from torch import nn

from analysis.errors import UserError


@dataclass(frozen=True)
class Family:
    """Attribute paths inside a causal language model.

    Attributes:
        blocks: the list of blocks.
        final_norm: the norm before the unembedding.
        attn_out: in a block, what turns its heads' ``z`` into the attention's output.
        mlp_norm: in a block, the norm before the MLP.
        mlp_out: in a block, what turns activations into the MLP's output.
        rotary: the rotary embedding, if there is one.
    """

    blocks: str
    final_norm: str
    attn_out: str
    mlp_norm: str
    mlp_out: str
    rotary: str | None


_LLAMA = Family(
    "model.layers",
    "model.norm",
    "self_attn.o_proj",
    "post_attention_layernorm",
    "mlp.down_proj",
    "model.rotary_emb",
)

FAMILIES = {
    "gpt2": Family("transformer.h", "transformer.ln_f", "attn.c_proj", "ln_2", "mlp.c_proj", None),
    "llama": _LLAMA,
    "qwen2": _LLAMA,
    "gpt_neox": Family(
        "gpt_neox.layers",
        "gpt_neox.final_layer_norm",
        "attention.dense",
        "post_attention_layernorm",
        "mlp.dense_4h_to_h",
        "gpt_neox.rotary_emb",
    ),
}


def family_of(model_type: str) -> Family:
    """The family of a transformers ``model_type``.

    Raises:
        UserError: the architecture is not supported.
    """
    if model_type not in FAMILIES:
        known = ", ".join(FAMILIES)
        raise UserError(f"Models of type {model_type!r} are not supported; these are: {known}.")
    return FAMILIES[model_type]


def part(root: nn.Module, path: str) -> nn.Module:
    """The submodule of ``root`` at a dotted path."""
    module: nn.Module = attrgetter(path)(root)
    return module
