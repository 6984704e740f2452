"""A GGUF file is read rightly in all that it says, or refused in a sentence that names why."""

import shutil

import gguf as llama_cpp
import numpy as np
import pytest
import torch

from analysis.errors import UserError
from analysis.loading import gguf, models
from tests import made_gguf as made

pytestmark = pytest.mark.slow

IDS = [5, 80, 301, 44, 44, 210, 7, 299, 12, 90]
MAKERS = {"llama": made.llama, "qwen2": made.qwen2, "gemma3": made.gemma3, "gpt2": made.gpt2}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("AN_NEURON_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def spoiled(tmp_path):
    """Write a tiny Llama whose settings and tensors a function has changed."""

    def write(change=lambda settings, tensors: None, **changes):
        model, settings, tensors = made.llama(**changes)
        settings |= made.tokenizer_settings()
        change(settings, tensors)
        return model, made.write(tmp_path / "orchard.gguf", settings, tensors)

    return write


def refusal(path):
    """The sentence that refuses to load this, and nothing is left in the cache."""
    with pytest.raises(UserError) as caught:
        models.load(str(path))
    assert "\n" not in str(caught.value)
    assert not list((path.parent / "cache").rglob("*.safetensors"))
    return str(caught.value)


def same_logits(path, model):
    return torch.allclose(
        made.logits(models.load(str(path)).model, IDS), made.logits(model, IDS), atol=2e-5
    )


@pytest.mark.parametrize("architecture", MAKERS)
def test_a_file_has_the_logits_of_the_model_that_it_was_made_of(tmp_path, architecture):
    model, settings, tensors = MAKERS[architecture]()
    path = made.write(tmp_path / "a.gguf", settings | made.tokenizer_settings(), tensors)
    assert same_logits(path, model)


@pytest.mark.parametrize(
    "changes",
    [
        {"tie_word_embeddings": True},
        {"attention_bias": True},
        {"mlp_bias": True},
        {"rope_parameters": {"rope_type": "default", "rope_theta": 500.0}},
        {"rms_norm_eps": 0.1},
    ],
    ids=str,
)
def test_biases_ties_and_numbers_of_a_llama_are_carried_over(spoiled, changes):
    model, path = spoiled(**changes)
    assert same_logits(path, model)


def test_what_a_gemma_says_beyond_a_llama_is_carried_over_or_refused(tmp_path):
    """Its local blocks' own base of positions; a cap on its logits, which version 3 has not."""
    model, settings, tensors = made.gemma3()
    settings |= made.tokenizer_settings()
    local = made.write(tmp_path / "l.gguf", settings | {"gemma3.rope.freq_base_swa": 50.0}, tensors)
    assert not same_logits(local, model)
    other = made.gemma3(local_base=50.0)[0]
    assert same_logits(local, other)
    shutil.rmtree(tmp_path / "cache")
    capped = settings | {"gemma3.final_logit_softcapping": 30.0}
    assert "final_logit_softcapping" in refusal(made.write(tmp_path / "c.gguf", capped, tensors))
    del tensors["blk.3.post_ffw_norm.weight"]
    assert "no tensor for" in refusal(made.write(tmp_path / "n.gguf", settings, tensors))


def test_another_base_of_positions_would_be_seen_in_the_logits(spoiled):
    _, path = spoiled()
    other, _, _ = made.llama(rope_parameters={"rope_type": "default", "rope_theta": 500.0})
    assert not same_logits(path, other)


def test_positions_stretched_linearly_or_by_yarn_are_carried_over(spoiled):
    for kind in ("linear", "yarn"):
        rope = {"rope_type": kind, "factor": 4.0, "rope_theta": 1e4}
        if kind == "yarn":
            rope["original_max_position_embeddings"] = 16

        def stretch(settings, _, kind=kind):
            settings["llama.rope.scaling.type"] = kind
            settings["llama.rope.scaling.factor"] = 4.0
            if kind == "yarn":
                settings["llama.rope.scaling.original_context_length"] = 16
                settings["llama.rope.scaling.finetuned"] = True

        model, path = spoiled(stretch, rope_parameters=rope)
        assert same_logits(path, model)


def test_the_frequencies_of_llama_3_are_carried_over(spoiled):
    rope = {
        "rope_type": "llama3",
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64,
        "rope_theta": 1e4,
    }

    def add_factors(_, tensors):
        """As the converter computes them of the configuration (Llama 3.1's published code)."""
        frequencies = 1e4 ** -(np.arange(0, 8, 2) / 8)
        lengths = 2 * np.pi / frequencies
        low, high = 64 / 1.0, 64 / 4.0
        smooth = (64 / lengths - 1.0) / (4.0 - 1.0)
        middle = 1 / ((1 - smooth) / 8.0 + smooth)
        factors = np.where(lengths < high, 1.0, np.where(lengths > low, 8.0, middle))
        assert len(set(factors)) > 2
        tensors["rope_freqs.weight"] = factors.astype(np.float32)

    model, path = spoiled(add_factors, rope_parameters=rope)
    assert same_logits(path, model)


DAMAGE = {
    "a missing tensor": (
        lambda s, t: t.pop("blk.1.ffn_up.weight"),
        "holds no tensor for model.layers.1.mlp.up_proj.weight",
    ),
    "a missing norm": (lambda s, t: t.pop("output_norm.weight"), "no tensor for model.norm"),
    "missing embeddings": (lambda s, t: t.pop("token_embd.weight"), "lacks the tensor token_embd"),
    "one bias of four": (
        lambda s, t: t.update({"blk.0.attn_q.bias": np.ones(32), "blk.1.attn_q.bias": np.ones(32)}),
        "no tensor for model.layers.0.self_attn.k_proj.bias",
    ),
    "a bias in a later block": (
        lambda s, t: t.update({"blk.1.ffn_down.bias": np.ones(32)}),
        "blk.1.ffn_down.bias, for which",
    ),
    "a block too many": (
        lambda s, t: t.update({n.replace("blk.1", "blk.2"): v for n, v in t.items()}),
        "the tensor blk.2.",
    ),
    "one shard": (
        lambda s, t: s.update({"split.count": 3, "split.no": 0}),
        "one of 3 parts of a split file",
    ),
    "experts": (
        lambda s, t: s.update({"llama.expert_count": 8, "llama.expert_used_count": 2}),
        "llama.expert_count = 8",
    ),
    "tensors of experts": (
        lambda s, t: t.update({"blk.0.ffn_gate_inp.weight": np.ones((8, 32))}),
        "blk.0.ffn_gate_inp.weight, which has no place",
    ),
    "norms of queries": (
        lambda s, t: t.update({"blk.0.attn_q_norm.weight": np.ones(8)}),
        "blk.0.attn_q_norm.weight",
    ),
    "longer positions": (
        lambda s, t: s.update(
            {"llama.rope.scaling.type": "longrope", "llama.rope.scaling.factor": 2.0}
        ),
        "rope.scaling.type = longrope",
    ),
    "longer positions by no factor": (
        lambda s, t: s.update({"llama.rope.scaling.type": "longrope"}),
        "rope.scaling.type = longrope",
    ),
    "attention of yarn": (
        lambda s, t: s.update({"llama.rope.scaling.attn_factor": 1.5}),
        "llama.rope.scaling.attn_factor = 1.5",
    ),
    "a part of each head": (
        lambda s, t: s.update({"llama.rope.dimension_count": 4}),
        "llama.rope.dimension_count = 4",
    ),
    "a scale of logits": (
        lambda s, t: s.update({"llama.logit_scale": 0.5}),
        "llama.logit_scale = 0.5, which is not understood",
    ),
    "a window": (
        lambda s, t: s.update({"llama.attention.sliding_window": 8}),
        "llama.attention.sliding_window = 8",
    ),
    "a missing setting": (
        lambda s, t: s.pop("llama.attention.layer_norm_rms_epsilon"),
        "lacks llama.attention.layer_norm_rms_epsilon",
    ),
    "heads that differ": (
        lambda s, t: s.update({"llama.feed_forward_length": [64, 32]}),
        "layer by layer, another llama.feed_forward_length",
    ),
    "another width": (
        lambda s, t: s.update({"llama.feed_forward_length": 48}),
        "does not fit its settings",
    ),
    "another vocabulary": (lambda s, t: s.update({"llama.vocab_size": 5}), "llama.vocab_size = 5"),
    "an unknown rule for words": (
        lambda s, t: s.update({"tokenizer.ggml.pre": "jais"}),
        "the rule 'jais', which is not known",
    ),
    "no rule for words": (lambda s, t: s.pop("tokenizer.ggml.pre"), "by the rule None"),
    "no merges": (
        lambda s, t: s.pop("tokenizer.ggml.merges"),
        "lacks tokenizer.ggml.merges: get the file again",
    ),
    "another kind of tokenizer": (
        lambda s, t: s.update({"tokenizer.ggml.model": "bert"}),
        "a tokenizer of kind 'bert'",
    ),
    "a setting of the tokenizer": (
        lambda s, t: s.update({"tokenizer.ggml.ignore_case": True}),
        "tokenizer.ggml.ignore_case = True",
    ),
    "too few kinds of tokens": (
        lambda s, t: s.update({"tokenizer.ggml.token_type": [3, 3, 1]}),
        "cannot be read as a GGUF language model (zip()",
    ),
    "a token that is none": (
        lambda s, t: s.update({"tokenizer.ggml.bos_token_id": 10**6}),
        "cannot be read as a GGUF language model (list index",
    ),
    "a merge of what is no token": (
        lambda s, t: s.update({"tokenizer.ggml.merges": ["ß ü"]}),
        "cannot be read as a GGUF language model (",
    ),
    "positions stretched twice": (
        lambda s, t: (
            s.update({"llama.rope.scaling.factor": 2.0}),
            t.update({"rope_freqs.weight": np.ones(4)}),
        ),
        "stretches positions twice",
    ),
    "an adapter": (lambda s, t: s.update({"general.type": "adapter"}), "a part of a model"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_is_not_understood_or_not_there_is_refused_by_name(spoiled, damage):
    change, found = DAMAGE[damage]
    _, path = spoiled(change)
    assert found in refusal(path)


@pytest.mark.parametrize("architecture", ["qwen2", "gpt2"])
def test_frequencies_that_only_llama_divides_are_refused_elsewhere(tmp_path, architecture):
    _, settings, tensors = MAKERS[architecture]()
    tensors["rope_freqs.weight"] = np.full(4, 2.0)
    path = made.write(tmp_path / "a.gguf", settings | made.tokenizer_settings(), tensors)
    assert "rope_freqs.weight, which has no place" in refusal(path)


@pytest.mark.parametrize("architecture", ["gptneox", "gemma2", "phi3"])
def test_an_unsupported_architecture_is_refused_before_anything_is_built(
    spoiled, monkeypatch, architecture
):
    def rename(settings, _):
        settings["general.architecture"] = architecture

    _, path = spoiled(rename)
    monkeypatch.setattr(gguf, "build_tokenizer", None)
    monkeypatch.setattr(gguf, "build_model", None)
    assert f"architecture '{architecture}'; of GGUF files these are supported" in refusal(path)


def test_a_file_that_ends_early_is_refused(spoiled):
    _, path = spoiled()
    path.write_bytes(path.read_bytes()[:-1000])
    assert "cannot be read as a GGUF language model" in refusal(path)


WRITABLE = ("F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0")


@pytest.mark.parametrize("name", WRITABLE)
def test_a_quantised_file_is_the_model_of_its_rounded_weights(tmp_path, name):
    kind = llama_cpp.GGMLQuantizationType[name]
    model, settings, tensors = made.llama()
    path = made.write(
        tmp_path / "q.gguf", settings | made.tokenizer_settings(), tensors, lambda _: kind
    )
    subject = models.load(str(path))
    packed = llama_cpp.quantize(tensors["blk.1.ffn_down.weight"], kind)
    expected = llama_cpp.dequantize(packed, kind)
    assert np.array_equal(subject.model.model.layers[1].mlp.down_proj.weight.numpy(), expected)
    exact = model.model.layers[1].mlp.down_proj.weight.numpy()
    assert 0 < np.abs(expected - exact).max() < 0.15 * np.abs(exact).max()


PACKED = ["Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"]
PACKED += ["IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "IQ4_NL", "IQ4_XS"]


@pytest.mark.parametrize("name", PACKED)
def test_blocks_that_llama_cpp_packs_are_expanded_as_transformers_does(name):
    from transformers.integrations.gguf.dequant import GGML_BLOCK, dequantize

    kind = llama_cpp.GGMLQuantizationType[name]
    values, size = GGML_BLOCK[int(kind)]
    blocks = np.random.default_rng(0).integers(0, 256, (6, 2 * size), dtype=np.uint8)
    expected = dequantize(torch.from_numpy(blocks), int(kind)).numpy().reshape(6, 2 * values)
    with np.errstate(all="ignore"):  # scales are bytes at random, some of them no number
        found = llama_cpp.dequantize(blocks, kind)
    assert found.shape == expected.shape
    finite = np.isfinite(expected)
    assert finite.mean() > 0.5
    np.testing.assert_allclose(found[finite], expected[finite], rtol=1e-5)


def test_a_quantisation_that_cannot_be_expanded_is_named(tmp_path, spoiled, monkeypatch):
    from analysis.loading import gguf_file

    monkeypatch.setattr(gguf_file, "QUANTISATIONS", frozenset({"F16"}))
    _, path = spoiled()
    assert "as F32, which cannot be expanded here" in refusal(path)


def test_what_earlier_code_made_of_a_file_is_not_taken_for_what_this_code_makes(
    spoiled, monkeypatch
):
    _, path = spoiled()
    first = gguf.convert(path, "0" * 64)
    assert gguf.convert(path, "0" * 64) == first
    monkeypatch.setattr(gguf, "code_version", lambda *_: "another")
    assert gguf.convert(path, "0" * 64) != first


def test_a_full_disk_is_told_as_such(spoiled, monkeypatch, tmp_path):
    from transformers import PreTrainedModel

    def full(*_, **__):
        raise Exception("No space left on device (os error 28)")  # as tokenizers do

    monkeypatch.setattr(PreTrainedModel, "save_pretrained", full)
    _, path = spoiled()
    found = refusal(path)
    assert "cannot be written (No space left on device" in found
    assert "AN_NEURON_CACHE" in found
