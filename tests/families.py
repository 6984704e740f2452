"""Tiny random models of many architectures, with everything that an architecture can do turned on.

Weights lie far from their initial values, norm gains and biases are random: a part that is
forgotten changes the answer.
"""

import functools

import transformers
from transformers import PreTrainedModel

from analysis.loading.families import assembled
from analysis.subject import Origin, Subject
from tests import tiny

SHAPE = {
    "vocab_size": len(tiny.VOCABULARY),
    "hidden_size": tiny.D_MODEL,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": tiny.HEADS,
    "max_position_embeddings": 64,
    **tiny.special_ids(),
}
GROUPED = {**SHAPE, "num_key_value_heads": 2}
WINDOW = 4
GPT = {
    "vocab_size": len(tiny.VOCABULARY),
    "n_embd": tiny.D_MODEL,
    "n_head": tiny.HEADS,
    "n_layer": 3,
    "n_positions": 64,
    **tiny.special_ids(),
}

CONFIGS = {
    "gpt2": ("GPT2", GPT),
    "gpt_neo": (
        "GPTNeo",
        {**SHAPE, "attention_types": [[["global", "local", "global"], 1]], "window_size": WINDOW},
    ),
    "gptj": ("GPTJ", {**GPT, "rotary_dim": 4}),
    "gpt_neox": ("GPTNeoX", {**SHAPE, "use_parallel_residual": True}),
    "gpt_neox_sequential": ("GPTNeoX", {**SHAPE, "use_parallel_residual": False}),
    "opt": ("OPT", {**SHAPE, "ffn_dim": 48, "word_embed_proj_dim": tiny.D_MODEL}),
    "bloom": ("Bloom", {**GPT, "hidden_size": tiny.D_MODEL}),
    "falcon": ("Falcon", SHAPE),
    "phi": ("Phi", SHAPE),
    "phi3": ("Phi3", {**GROUPED, "original_max_position_embeddings": 64}),
    "llama": ("Llama", {**GROUPED, "attention_bias": True, "mlp_bias": True}),
    "mistral": ("Mistral", {**GROUPED, "sliding_window": WINDOW}),
    "qwen2": ("Qwen2", GROUPED),
    "qwen3": ("Qwen3", {**GROUPED, "head_dim": 16}),
    "gemma": ("Gemma", {**GROUPED, "head_dim": 8}),
    "gemma2": ("Gemma2", {**GROUPED, "head_dim": 8, "sliding_window": WINDOW}),
    "gemma3": (
        "Gemma3",
        {
            **GROUPED,
            "head_dim": 8,
            "sliding_window": WINDOW,
            "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
        },
    ),
    "olmo": ("Olmo", SHAPE),
    "olmo2": ("Olmo2", SHAPE),
    "stablelm": ("StableLm", {**GROUPED, "qk_layernorm": True}),
    "starcoder2": ("Starcoder2", GROUPED),
    "granite": (
        "Granite",
        {
            **GROUPED,
            "residual_multiplier": 0.5,
            "logits_scaling": 2.0,
            "embedding_multiplier": 3.0,
            "attention_multiplier": 0.3,
        },
    ),
    "cohere": ("Cohere", {**GROUPED, "use_qk_norm": True}),
    "smollm3": ("SmolLM3", {**GROUPED, "no_rope_layer_interval": 2}),
}
"""By name: what its classes in transformers are called, and a configuration."""

BRIEFLY = {
    name: (name, {**GROUPED, "head_dim": 8, "sliding_window": WINDOW})
    for name in (
        "Apertus", "Arcee", "BitNet", "Cohere2", "Ernie4_5", "Exaone4", "Glm", "Glm4",
        "GPTBigCode", "HunYuanDenseV1", "Jais2", "Ministral3", "Mpt", "NanoChat", "Nemotron",
        "Olmo3", "SeedOss", "VaultGemma",
    )
}  # fmt: skip
"""More of them, of which it is only asked whether hooks and engine agree with the plain model."""

WHOLE = {"gpt_neo", "gptj", "bloom", "falcon", "stablelm", "Mpt", "Nemotron"}
"""Those whose blocks do not ask for their attention in a way that can be exchanged."""

REFUSED = {
    "Falcon with ALiBi": ("Falcon", {**SHAPE, "alibi": True, "bias": True}, "hooked"),
    "OPT-350m": ("OPT", {**SHAPE, "ffn_dim": 48, "do_layer_norm_before": False}, "norm"),
    "a mixture of experts": ("Mixtral", GROUPED, "mixture of experts"),
    "a state-space model": ("Mamba", {"vocab_size": len(tiny.VOCABULARY)}, "without attention"),
    "an encoder": ("Bert", SHAPE, "both directions"),
}
"""What cannot be studied: its classes, a configuration, and what the reason speaks of."""


def class_of(kind: str) -> str:
    """The name of the model's class in transformers."""
    return kind + ("LMHeadModel" if kind in ("GPT2", "Bert") else "ForCausalLM")


def make_model(kind: str, values: dict, seed: int = 0) -> PreTrainedModel:
    text = "TextConfig" if kind == "Gemma3" else "Config"
    config = getattr(transformers, kind + text)(**values, initializer_range=tiny.SPREAD)
    return tiny.randomised(getattr(transformers, class_of(kind)), config, seed)


@functools.cache
def shared_subject(name: str) -> Subject:
    """A model that no test may change."""
    return new_subject(name)


def new_subject(name: str) -> Subject:
    origin = Origin(f"tiny-{name}", "random weights", "seed 0")
    subject = assembled(
        make_model(*(CONFIGS | BRIEFLY)[name]), tiny.tokenizer(), origin, prepend_bos=False
    )
    _ = subject.bridge  # as whatever runs an experiment does
    return subject
