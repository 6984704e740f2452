"""Settings and tensors of a GGUF file as a plain transformers model, or a refusal that names why.

Every tensor has to have a place in the model, every place a tensor, and every setting a meaning.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.errors import UserError
from analysis.loading.gguf_file import GgufFile

if TYPE_CHECKING:
    import numpy as np
    from transformers import PreTrainedModel

ROPE_FACTORS = "rope_freqs.weight"
"""What each rotary frequency is divided by (Llama 3): a setting that is stored as a tensor."""

FREQUENCY_BASE = 10_000.0
"""llama.cpp's, where a file names none."""

HARMLESS = ("rope.scaling.finetuned", "tensor_data_layout")


@dataclass(frozen=True)
class Architecture:
    """How llama.cpp's names and layouts of one architecture lead to those of transformers.

    Attributes:
        config: makes the transformers configuration of the settings.
        names: modules outside of blocks, by llama.cpp's name.
        block: where the blocks are, with ``{}`` for the number.
        block_names: modules of a block, by llama.cpp's name.
        turned: whether transformers keeps the matrices of blocks input first (GPT-2).
    """

    config: Callable[[GgufFile], dict[str, Any]]
    names: Mapping[str, str]
    block: str
    block_names: Mapping[str, str]
    turned: bool = False


def check_architecture(file: GgufFile) -> Architecture:
    """The architecture of a file.

    Raises:
        UserError: it is not supported.
    """
    if file.architecture not in ARCHITECTURES:
        raise UserError(
            f"{file.path} holds a model of architecture {file.architecture!r}; of GGUF files these"
            f" are supported: {', '.join(ARCHITECTURES)}."
        )
    return ARCHITECTURES[file.architecture]


def build_model(file: GgufFile) -> "PreTrainedModel":
    """The model in float32, with every parameter from the file.

    Raises:
        UserError: a setting is missing or not understood, a tensor is missing, has no place or is
            of another shape.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    architecture = check_architecture(file)
    values = _config(file, architecture)
    config = AutoConfig.for_model(values.pop("model_type"), **values)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    places = _places(file, architecture)
    _check_places(file, architecture, places, model)
    weights = {}
    for name, place in places.items():
        weights[place] = torch.from_numpy(_relaid(file, architecture, name, config).copy())
    model.load_state_dict(weights, assign=True, strict=False)  # a tied head comes next
    model.tie_weights()
    return model


def _config(file: GgufFile, architecture: Architecture) -> dict[str, Any]:
    settings = file.model
    settings.expect("expert_count", 0)
    settings.expect("expert_used_count", 0)
    settings.expect("attention.causal", True)
    if "token_embd.weight" not in file.tensors:
        raise UserError(f"{file.path} lacks the tensor token_embd.weight: get the whole file.")
    settings.expect("vocab_size", file.shape("token_embd.weight")[0])
    values = architecture.config(file)
    settings.check_all_understood(HARMLESS)
    return {
        **values,
        "vocab_size": file.shape("token_embd.weight")[0],
        "tie_word_embeddings": "output.weight" not in file.tensors,
        "bos_token_id": None,  # the tokenizer's matter
        "eos_token_id": None,
    }


def _places(file: GgufFile, architecture: Architecture) -> dict[str, str]:
    """Where each tensor belongs in the model.

    Raises:
        UserError: one belongs nowhere.
    """
    places = {}
    for name in file.tensors:
        if name == ROPE_FACTORS and file.architecture == "llama":
            continue  # is part of the configuration
        block, module, kind = _parts(name)
        known = architecture.names if block is None else architecture.block_names
        if module not in known:
            raise UserError(
                f"{file.path} holds the tensor {name}, which has no place in a"
                f" {file.architecture} model here, so it is refused."
            )
        inside = "" if block is None else architecture.block.format(block) + "."
        places[name] = f"{inside}{known[module]}.{kind}"
    return places


def _parts(name: str) -> tuple[int | None, str, str]:
    """Block number if any, module, and ``weight`` or ``bias`` of a tensor's name."""
    found = re.fullmatch(r"(?:blk\.(\d+)\.)?(.+)\.(weight|bias)", name)
    if found is None:
        return None, name, ""
    block, module, kind = found.groups()
    return (None if block is None else int(block)), module, kind


def _check_places(
    file: GgufFile, architecture: Architecture, places: Mapping[str, str], model: "PreTrainedModel"
) -> None:
    """Refuse a file whose tensors are not one to one the model's parameters.

    Raises:
        UserError: names the tensor, or the parameter that would be left without.
    """
    wanted = {name: tuple(weight.shape) for name, weight in model.named_parameters()}
    if model.config.tie_word_embeddings:
        wanted.pop("lm_head.weight", None)
    for name, place in places.items():
        if place not in wanted:
            raise UserError(
                f"{file.path} holds the tensor {name}, for which a {file.architecture} of its"
                " settings has no place, so it is refused."
            )
        shape = file.shape(name)
        if wanted[place] != (shape[::-1] if _is_turned(architecture, name) else shape):
            raise UserError(
                f"{file.path} holds the tensor {name} of shape {shape}, which does not fit its"
                " settings: the file is damaged."
            )
    absent = sorted(set(wanted) - set(places.values()))
    if absent:
        raise UserError(f"{file.path} holds no tensor for {absent[0]}: get the whole file.")


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


def _is_turned(architecture: Architecture, name: str) -> bool:
    return architecture.turned and name.startswith("blk.")


def _relaid(file: GgufFile, architecture: Architecture, name: str, config: Any) -> "np.ndarray":
    """A tensor in transformers' layout.

    Of Llama's queries and keys llama.cpp turns neighbours, transformers the halves of a head.
    """
    values, module = file.values(name), _parts(name)[1]
    if _is_turned(architecture, name):
        return values.T
    if file.architecture != "llama" or module not in ("attn_q", "attn_k"):
        return values
    heads = config.num_attention_heads if module == "attn_q" else config.num_key_value_heads
    pairs = values.reshape(heads, -1, 2, *values.shape[1:])
    return pairs.swapaxes(1, 2).reshape(values.shape)


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
    "llama": Architecture(_llama, LLAMA_NAMES, "model.layers.{}", LLAMA_BLOCK_NAMES),
    "qwen2": Architecture(_llama, LLAMA_NAMES, "model.layers.{}", LLAMA_BLOCK_NAMES),
    "gpt2": Architecture(_gpt2, GPT2_NAMES, "transformer.h.{}", GPT2_BLOCK_NAMES, turned=True),
}
"""Those that llama.cpp computes as transformers does. GPT-NeoX is not among them: a file does not
tell which of two activation functions it was trained with."""
