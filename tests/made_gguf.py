"""GGUF files made of tiny models, as llama.cpp's converter writes them, spoiled at will."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from tokenizers import Tokenizer, models, trainers
from tokenizers.pre_tokenizers import ByteLevel
from transformers import (
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from tests import tiny

TEXT = (
    "I climbed up the pear tree and picked a pear. I climbed up the apple tree and picked an apple."
    " In 2023 there were 1,024 of them, weren't there? Él comió una manzana; 他吃了苹果."
)
BOS, SPECIAL = "<|bos|>", "<|im_start|>"

LLAMA_BLOCK = {
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
GEMMA3_BLOCK = {
    **LLAMA_BLOCK,
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "post_attention_norm": "post_attention_layernorm",
    "ffn_norm": "pre_feedforward_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm",
}
GPT2_BLOCK = {
    "attn_norm": "ln_1",
    "attn_qkv": "attn.c_attn",
    "attn_output": "attn.c_proj",
    "ffn_norm": "ln_2",
    "ffn_up": "mlp.c_fc",
    "ffn_down": "mlp.c_proj",
}

Tensors = dict[str, np.ndarray]
Settings = dict[str, Any]


def vocabulary() -> tuple[list[str], list[str]]:
    """Pieces and merges of bytes, trained on one text; two tokens that stand for themselves."""
    words = Tokenizer(models.BPE())
    words.pre_tokenizer = ByteLevel(add_prefix_space=False, use_regex=True)
    trainer = trainers.BpeTrainer(
        vocab_size=400, initial_alphabet=ByteLevel.alphabet(), show_progress=False
    )
    words.train_from_iterator([TEXT] * 4, trainer)
    import json

    model = json.loads(words.to_str())["model"]
    pieces = sorted(model["vocab"], key=model["vocab"].get)
    return [BOS, SPECIAL, *pieces], [" ".join(pair) for pair in model["merges"]]


def tokenizer_settings(pre: str = "smollm") -> Settings:
    pieces, merges = vocabulary()
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": pre,
        "tokenizer.ggml.tokens": pieces,
        "tokenizer.ggml.token_type": [3, 3, *[1] * (len(pieces) - 2)],
        "tokenizer.ggml.merges": merges,
        "tokenizer.ggml.bos_token_id": 0,
        "tokenizer.ggml.eos_token_id": 0,
    }


def llama(**changes: Any) -> tuple[PreTrainedModel, Settings, Tensors]:
    """A Llama, or with ``attention_bias`` and the like one that is a little other."""
    config = LlamaConfig(
        **{
            "vocab_size": len(vocabulary()[0]),
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "max_position_embeddings": 64,
            "initializer_range": 0.2,
            **changes,
        }
    )
    model = tiny.randomised(LlamaForCausalLM, config, seed=3)
    return model, _llama_settings("llama", config), _llama_tensors(model, turn=True)


def qwen2() -> tuple[PreTrainedModel, Settings, Tensors]:
    config = Qwen2Config(
        vocab_size=len(vocabulary()[0]),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=64,
        initializer_range=0.2,
        tie_word_embeddings=True,
    )
    model = tiny.randomised(Qwen2ForCausalLM, config, seed=3)
    return model, _llama_settings("qwen2", config), _llama_tensors(model, turn=False)


def gemma3(local_base: float = 1e4) -> tuple[PreTrainedModel, Settings, Tensors]:
    """Seven blocks, so that one of six sees the whole text, and a window shorter than the text."""
    config = Gemma3TextConfig(
        vocab_size=len(vocabulary()[0]),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=7,
        num_attention_heads=4,
        num_key_value_heads=1,
        head_dim=16,
        query_pre_attn_scalar=16,
        sliding_window=4,
        max_position_embeddings=64,
        initializer_range=0.2,
        rope_parameters={
            "full_attention": {"rope_type": "default", "rope_theta": 1e6},
            "sliding_attention": {"rope_type": "default", "rope_theta": local_base},
        },
    )
    model = tiny.randomised(Gemma3ForCausalLM, config, seed=3)
    settings = _llama_settings("gemma3", config, config.rope_parameters["full_attention"])
    settings |= {
        "gemma3.rope.dimension_count": 16,
        "gemma3.attention.key_length": 16,
        "gemma3.attention.value_length": 16,
        "gemma3.attention.sliding_window": 4,
    }
    tensors = _llama_tensors(model, turn=False, block_names=GEMMA3_BLOCK)
    return model, settings, {n: v + ("norm" in n) for n, v in tensors.items()}  # gains, not less 1


def gpt2() -> tuple[PreTrainedModel, Settings, Tensors]:
    config = GPT2Config(
        vocab_size=len(vocabulary()[0]),
        n_positions=48,
        n_embd=32,
        n_layer=2,
        n_head=4,
        initializer_range=0.2,
        layer_norm_epsilon=1e-3,
    )
    model = tiny.randomised(GPT2LMHeadModel, config, seed=3)
    settings = {
        "general.architecture": "gpt2",
        "gpt2.context_length": 48,
        "gpt2.embedding_length": 32,
        "gpt2.feed_forward_length": 128,
        "gpt2.block_count": 2,
        "gpt2.attention.head_count": 4,
        "gpt2.attention.layer_norm_epsilon": 1e-3,
    }
    state = {name: weight.numpy() for name, weight in model.state_dict().items()}
    tensors = {
        "token_embd.weight": state["transformer.wte.weight"],
        "position_embd.weight": state["transformer.wpe.weight"],
    }
    for kind in ("weight", "bias"):
        tensors[f"output_norm.{kind}"] = state[f"transformer.ln_f.{kind}"]
        for block in range(2):
            for ours, theirs in GPT2_BLOCK.items():
                values = state[f"transformer.h.{block}.{theirs}.{kind}"]
                tensors[f"blk.{block}.{ours}.{kind}"] = values.T
    return model, settings, tensors


def _llama_settings(name: str, config: Any, rope: Settings | None = None) -> Settings:
    rope = rope or config.rope_parameters
    return {
        "general.architecture": name,
        f"{name}.context_length": config.max_position_embeddings,
        f"{name}.embedding_length": config.hidden_size,
        f"{name}.feed_forward_length": config.intermediate_size,
        f"{name}.block_count": config.num_hidden_layers,
        f"{name}.attention.head_count": config.num_attention_heads,
        f"{name}.attention.head_count_kv": config.num_key_value_heads,
        f"{name}.attention.layer_norm_rms_epsilon": config.rms_norm_eps,
        f"{name}.rope.freq_base": float(rope["rope_theta"]),
        f"{name}.rope.dimension_count": config.hidden_size // config.num_attention_heads,
    }


def _llama_tensors(
    model: PreTrainedModel, turn: bool, block_names: Mapping[str, str] = LLAMA_BLOCK
) -> Tensors:
    config = model.config
    state = {name: weight.numpy() for name, weight in model.state_dict().items()}
    tensors = {
        "token_embd.weight": state["model.embed_tokens.weight"],
        "output_norm.weight": state["model.norm.weight"],
    }
    if not config.tie_word_embeddings:
        tensors["output.weight"] = state["lm_head.weight"]
    heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
    for block in range(config.num_hidden_layers):
        for ours, theirs in block_names.items():
            for kind in ("weight", "bias"):
                values = state.get(f"model.layers.{block}.{theirs}.{kind}")
                if values is not None:
                    turned = turn and ours in heads
                    laid = _neighbours(values, heads[ours]) if turned else values
                    tensors[f"blk.{block}.{ours}.{kind}"] = laid
    return tensors


def _neighbours(values: np.ndarray, heads: int) -> np.ndarray:
    """The published ``permute`` of llama.cpp's converter: halves of a head become neighbours."""
    halves = values.reshape(heads, 2, values.shape[0] // heads // 2, *values.shape[1:])
    return halves.swapaxes(1, 2).reshape(values.shape)


def write(
    path: Path,
    settings: Mapping[str, Any],
    tensors: Mapping[str, np.ndarray],
    quantised: Callable[[str], gguf.GGMLQuantizationType | None] = lambda _: None,
) -> Path:
    """Write a file; matrices for which a quantisation is named are quantised."""
    writer = gguf.GGUFWriter(path, str(settings["general.architecture"]))
    for key, value in settings.items():
        if key != "general.architecture":
            _add(writer, key, value)
    for name, values in tensors.items():
        kind = quantised(name) if values.ndim > 1 else None
        values = np.ascontiguousarray(values, dtype=np.float32)
        if kind is None:
            writer.add_tensor(name, values)
        else:
            packed = gguf.quantize(values, kind)
            writer.add_tensor(name, packed, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add(writer: gguf.GGUFWriter, key: str, value: Any) -> None:
    kinds = {
        bool: writer.add_bool,
        int: writer.add_uint32,
        float: writer.add_float32,
        str: writer.add_string,
        list: writer.add_array,
    }
    kinds[type(value)](key, value)


def logits(model: PreTrainedModel, ids: list[int]) -> torch.Tensor:
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0]
