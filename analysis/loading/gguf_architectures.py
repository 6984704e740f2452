"""The architectures of GGUF files: what llama.cpp calls their settings and parts, and transformers.

Those that llama.cpp computes as transformers does. GPT-NeoX is not among them: a file does not tell
which of two activation functions it was trained with.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from analysis.errors import UserError
from analysis.loading.gguf_file import GgufFile

ROPE_FACTORS = "rope_freqs.weight"
"""What each rotary frequency is divided by (Llama 3): a setting that is stored as a tensor."""

FREQUENCY_BASE = 10_000.0
"""llama.cpp's, where a file names none."""

GEMMA3_27B_BLOCKS = 62
"""By which llama.cpp knows the one Gemma 3 whose queries are scaled by its width over its heads."""


@dataclass(frozen=True)
class Architecture:
    """How llama.cpp's names and layouts of one architecture lead to those of transformers.

    Attributes:
        config: makes the transformers configuration of the settings.
        names: modules outside of blocks, by llama.cpp's name.
        block: where the blocks are, with ``{}`` for the number.
        block_names: modules of a block, by llama.cpp's name.
        transposed: whether transformers keeps the matrices of blocks input first (GPT-2).
        paired: whether llama.cpp turns neighbours of a head, transformers its halves (Llama).
        gains_less_one: whether transformers keeps of a norm's gain what it has over one (Gemma).
    """

    config: Callable[[GgufFile], dict[str, Any]]
    names: Mapping[str, str]
    block: str
    block_names: Mapping[str, str]
    transposed: bool = False
    paired: bool = False
    gains_less_one: bool = False


def _rope(file: GgufFile, head_dim: int, context: int) -> dict[str, Any]:
    """Rotary positions: the base, and what stretches them.

    Raises:
        UserError: they are stretched in a way that is not carried over.
    """
    settings = file.model
    settings.expect("rope.dimension_count", head_dim)
    rope: dict[str, Any] = {"rope_theta": settings.get("rope.freq_base", FREQUENCY_BASE)}
    older = settings.get("rope.scale_linear", 0)
    factor = settings.get("rope.scaling.factor", older) or 1
    original = settings.get("rope.scaling.original_context_length", context)
    kind = settings.get("rope.scaling.type", "linear")
    if kind not in ("none", "linear", "yarn"):
        raise UserError(f"{file.path} says rope.scaling.type = {kind}, which is not supported.")
    if ROPE_FACTORS in file.tensors:
        if kind != "linear" or factor != 1:
            raise UserError(f"{file.path} stretches positions twice, which is not supported here.")
        factors = file.values(ROPE_FACTORS).reshape(-1).tolist()
        return {
            **rope,
            "rope_type": "longrope",  # takes a factor for each frequency
            "short_factor": factors,
            "long_factor": factors,
            "attention_factor": 1.0,
            "original_max_position_embeddings": context,
        }
    if kind == "none" or factor == 1:
        return {**rope, "rope_type": "default"}
    if kind == "linear":
        return {**rope, "rope_type": "linear", "factor": factor}
    stretched = {"factor": factor, "original_max_position_embeddings": original}
    return {**rope, "rope_type": "yarn", **stretched}


def _llama(file: GgufFile) -> dict[str, Any]:
    """Llama, and Qwen2, whose files have the same settings."""
    settings = file.model
    heads = settings.need("attention.head_count")
    width, context = settings.need("embedding_length"), settings.need("context_length")
    head_dim = settings.get("attention.key_length", width // heads)
    settings.expect("attention.value_length", head_dim)
    return {
        "model_type": file.architecture,
        "hidden_size": width,
        "intermediate_size": settings.need("feed_forward_length"),
        "num_hidden_layers": settings.need("block_count"),
        "num_attention_heads": heads,
        "num_key_value_heads": settings.get("attention.head_count_kv", heads),
        "head_dim": head_dim,
        "max_position_embeddings": context,
        "rms_norm_eps": settings.need("attention.layer_norm_rms_epsilon"),
        "rope_parameters": _rope(file, head_dim, context),
        "attention_bias": "blk.0.attn_q.bias" in file.tensors,
        "mlp_bias": "blk.0.ffn_up.bias" in file.tensors,
    }


def _gemma3(file: GgufFile) -> dict[str, Any]:
    """Gemma 3's text model: every sixth block sees the whole text, the others a window of it."""
    settings = file.model
    heads, blocks = settings.need("attention.head_count"), settings.need("block_count")
    width, context = settings.need("embedding_length"), settings.need("context_length")
    head_dim = settings.need("attention.key_length")
    settings.expect("attention.value_length", head_dim)
    local = settings.get("rope.freq_base_swa", FREQUENCY_BASE)
    return {
        "model_type": "gemma3_text",
        "hidden_size": width,
        "intermediate_size": settings.need("feed_forward_length"),
        "num_hidden_layers": blocks,
        "num_attention_heads": heads,
        "num_key_value_heads": settings.get("attention.head_count_kv", heads),
        "head_dim": head_dim,
        "query_pre_attn_scalar": width // heads if blocks == GEMMA3_27B_BLOCKS else head_dim,
        "max_position_embeddings": context,
        "sliding_window": settings.need("attention.sliding_window"),
        "sliding_window_pattern": 6,
        "rms_norm_eps": settings.need("attention.layer_norm_rms_epsilon"),
        "pad_token_id": None,  # the tokenizer's matter
        "rope_parameters": {
            "full_attention": _rope(file, head_dim, context),
            "sliding_attention": {"rope_type": "default", "rope_theta": local},
        },
    }


def _gpt2(file: GgufFile) -> dict[str, Any]:
    settings = file.model
    return {
        "model_type": "gpt2",
        "n_embd": settings.need("embedding_length"),
        "n_inner": settings.need("feed_forward_length"),
        "n_layer": settings.need("block_count"),
        "n_head": settings.need("attention.head_count"),
        "n_positions": settings.need("context_length"),
        "layer_norm_epsilon": settings.need("attention.layer_norm_epsilon"),
        "activation_function": "gelu_new",  # what llama.cpp computes
    }


LLAMA_NAMES = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "output": "lm_head",
}
LLAMA_BLOCK_NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
GEMMA3_BLOCK_NAMES = {
    **LLAMA_BLOCK_NAMES,
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "post_attention_norm": "post_attention_layernorm",
    "ffn_norm": "pre_feedforward_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm",
}
GPT2_NAMES = {
    "token_embd": "transformer.wte",
    "position_embd": "transformer.wpe",
    "output_norm": "transformer.ln_f",
    "output": "lm_head",
}
GPT2_BLOCK_NAMES = {
    "attn_norm": "ln_1",
    "attn_qkv": "attn.c_attn",
    "attn_output": "attn.c_proj",
    "ffn_norm": "ln_2",
    "ffn_up": "mlp.c_fc",
    "ffn_down": "mlp.c_proj",
}

ARCHITECTURES = {
    "llama": Architecture(_llama, LLAMA_NAMES, "model.layers.{}", LLAMA_BLOCK_NAMES, paired=True),
    "qwen2": Architecture(_llama, LLAMA_NAMES, "model.layers.{}", LLAMA_BLOCK_NAMES),
    "gemma3": Architecture(
        _gemma3, LLAMA_NAMES, "model.layers.{}", GEMMA3_BLOCK_NAMES, gains_less_one=True
    ),
    "gpt2": Architecture(_gpt2, GPT2_NAMES, "transformer.h.{}", GPT2_BLOCK_NAMES, transposed=True),
}
