"""Tiny random models and their word-level tokenizer, for tests that need mathematics, not English.

The tokenizer knows words as the field's tokenizers do: the space before a word is part of it, so
" an" is one token and every text over the vocabulary decodes back exactly.
"""

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

BOS = "<|endoftext|>"
UNKNOWN = "<unk>"
OPENERS = "I The She He We They You It"
WORDS = (
    "a an the this that apple lemon orange egg owl onion pear tree trees fruit leaf bird"
    " climbed picked saw ate found up my your her his and then to from under of was is"
    " I she he we they it old new red green big small umbrella engine uncle house dog cat"
)
PUNCTUATION = ".,?!:;\"'"
VOCABULARY = [
    BOS,
    UNKNOWN,
    *OPENERS.split(),
    *(f" {word}" for word in WORDS.split()),
    *PUNCTUATION,
]

LAYERS, D_MODEL, HEADS, CONTEXT = 3, 32, 4, 128
SPREAD = 0.3  # standard deviation of the weights: wide enough that logits differ by whole units


def tokenizer() -> PreTrainedTokenizerFast:
    """Return a word-level tokenizer that never adds a beginning-of-sequence token by itself."""
    ids = {word: number for number, word in enumerate(VOCABULARY)}
    words = Tokenizer(models.WordLevel(ids, unk_token=UNKNOWN))
    words.pre_tokenizer = pre_tokenizers.Split(Regex(r" ?\w+|[^\w\s]|\s+"), behavior="isolated")
    words.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(
        tokenizer_object=words,
        bos_token=BOS,
        eos_token=BOS,
        pad_token=BOS,
        unk_token=UNKNOWN,
        clean_up_tokenization_spaces=False,
    )


def tiny_gpt2(seed: int = 0) -> tuple[GPT2LMHeadModel, PreTrainedTokenizerFast]:
    """Return a GPT-2 with tied embeddings, learned positions and biases everywhere."""
    config = GPT2Config(
        vocab_size=len(VOCABULARY),
        n_positions=CONTEXT,
        n_embd=D_MODEL,
        n_layer=LAYERS,
        n_head=HEADS,
        initializer_range=SPREAD,
        **special_ids(),
    )
    return randomised(GPT2LMHeadModel, config, seed), tokenizer()


def tiny_llama(seed: int = 0) -> tuple[LlamaForCausalLM, PreTrainedTokenizerFast]:
    """Return a Llama with grouped queries, a gated MLP and separate embeddings."""
    config = LlamaConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=D_MODEL,
        intermediate_size=48,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        initializer_range=SPREAD,
        **special_ids(),
    )
    return randomised(LlamaForCausalLM, config, seed), tokenizer()


def tiny_neox(seed: int = 0) -> tuple[GPTNeoXForCausalLM, PreTrainedTokenizerFast]:
    """Return a GPT-NeoX whose attention and MLP read the same residual stream, as in Pythia."""
    config = GPTNeoXConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=D_MODEL,
        intermediate_size=4 * D_MODEL,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        max_position_embeddings=CONTEXT,
        initializer_range=SPREAD,
        use_parallel_residual=True,
        **special_ids(),
    )
    return randomised(GPTNeoXForCausalLM, config, seed), tokenizer()


def special_ids() -> dict[str, int]:
    bos = VOCABULARY.index(BOS)
    return {"bos_token_id": bos, "eos_token_id": bos, "pad_token_id": bos}


def randomised(family: type[PreTrainedModel], config, seed: int) -> PreTrainedModel:
    """Build the model, then move biases and norm gains off their initial zeros and ones.

    Left at their initial values they would hide every forgotten bias and every unfolded gain.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = family(config)
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.ndim == 1:
                    parameter.add_(torch.randn_like(parameter), alpha=SPREAD)
    return model.eval().requires_grad_(False)
