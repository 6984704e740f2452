"""How far neighbouring values of a quantised weight are apart, and weights drawn anew between."""

import dataclasses

import gguf
import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType as Stored
from transformers import LlamaConfig, LlamaForCausalLM

from analysis.engines.redrawing import redraws
from analysis.errors import UserError
from analysis.loading import models
from analysis.loading.quantisation import LOW_BITS, quantised, step_of

BITS = {"Q2_K": 2, "Q3_K": 3, "Q4_0": 4, "Q4_1": 4, "Q4_K": 4, "Q5_0": 5, "Q5_1": 5, "Q5_K": 5}
BITS |= {"Q6_K": 6, "Q8_0": 8}
SAME_SCALE = 16  # consecutive weights that share a scale in every format


def random_blocks(stored):
    """Stored blocks of random bytes, but for those whose scales are no small numbers."""
    size, width = gguf.GGML_QUANT_SIZES[stored]
    blocks = np.random.default_rng(0).integers(0, 256, (4000, width), dtype=np.uint8)
    with np.errstate(all="ignore"):
        values = gguf.dequantize(blocks, stored)
        sound = np.isfinite(values).all(1) & (np.abs(values).max(1) < 1e3)
    steps = step_of(blocks[sound], stored)
    sound_steps = (steps > 1e-4 * np.abs(values[sound])).all(1)  # or float32 hides them
    assert sound_steps.sum() > 20
    return values[sound][sound_steps], steps[sound_steps], size


@pytest.mark.parametrize("name", LOW_BITS)
def test_values_that_share_a_scale_are_whole_steps_apart_and_as_many_as_the_bits_allow(name):
    values, steps, _ = random_blocks(Stored[name])
    values, steps = (each.reshape(-1, SAME_SCALE).astype(float) for each in (values, steps))
    np.testing.assert_allclose(steps, steps[:, :1] + 0 * steps, rtol=1e-2)
    apart = (values - values[:, :1]) / steps
    np.testing.assert_allclose(apart, apart.round(), atol=0.02)
    levels = 1 + (apart.max(1) - apart.min(1)).max()
    assert 0.9 * 2 ** BITS[name] < levels <= 2 ** BITS[name] + 0.1  # random bytes come near all


@pytest.mark.parametrize("name", ["Q4_1", "Q5_1", "Q8_0"])
def test_what_was_rounded_lies_within_half_a_step(name):
    """These three round to the nearest value, with both ends of a block among the values."""
    weights = np.random.default_rng(1).normal(0, 1, (40, 64)).astype(np.float32)
    data = gguf.quantize(weights, Stored[name])
    off = np.abs(weights - gguf.dequantize(data, Stored[name]))
    step = step_of(data, Stored[name])
    assert (off <= step / 2 * 1.01 + 1e-3 * np.abs(weights)).all()  # scales are kept in float16
    assert off.max() > step.max() / 3


NAMES = {
    "token_embd": "model.embed_tokens", "output": "lm_head", "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
}  # fmt: skip
HEADS = {"attn_q": 4, "attn_k": 2}


def permuted(weights, heads):
    """Rows of each head in the order in which llama.cpp's converter stores them."""
    halves = weights.reshape(heads, 2, -1, weights.shape[1])
    return halves.swapaxes(1, 2).reshape(weights.shape)


@pytest.fixture
def stored(tmp_path):
    """A tiny Llama in a GGUF file of two formats, its weights before rounding, and after it."""
    config = LlamaConfig(
        vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, tie_word_embeddings=False,
    )  # fmt: skip
    torch.manual_seed(0)
    model = LlamaForCausalLM(config).eval().requires_grad_(False)
    before = {name: each.detach().clone() for name, each in model.named_parameters()}
    writer = gguf.GGUFWriter(tmp_path / "tiny.gguf", "llama")
    for ours, theirs in NAMES.items():
        inside = ours not in ("token_embd", "output")
        layers = [f"model.layers.{i}." for i in range(2)] if inside else [""]
        for layer, prefix in enumerate(layers):
            name = f"{prefix}{theirs}.weight"
            weights = before[name].numpy()
            kind = Stored.Q8_0 if ours == "token_embd" else Stored.Q4_1
            rows = permuted(weights, HEADS[ours]) if ours in HEADS else weights
            data = gguf.quantize(rows, kind)
            place = f"blk.{layer}.{ours}.weight" if prefix else f"{ours}.weight"
            writer.add_tensor(place, data, raw_dtype=kind)
            back = gguf.dequantize(gguf.quantize(weights, kind), kind)  # rows are rounded alone
            model.get_parameter(name).copy_(torch.from_numpy(back))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return tmp_path / "tiny.gguf", model, before


def test_every_weight_of_a_file_lay_within_half_its_step_before_it_was_rounded(stored):
    path, model, before = stored
    found = list(quantised(path, model))
    assert {each.name for each in found} == {name for name in before if "norm" not in name}
    assert {each.format for each in found} == {"Q4_1", "Q8_0"}
    for each in found:
        off = (before[each.name] - model.get_parameter(each.name)).abs()
        assert (off <= each.step / 2 * 1.01 + 1e-3 * before[each.name].abs()).all(), each.name
        assert off.max() > each.step.max() / 4


def test_a_model_that_is_not_what_its_file_holds_is_refused(stored):
    path, model, _ = stored
    model.get_parameter("lm_head.weight")[3, 4] += 1
    with pytest.raises(UserError, match=r"lm_head.weight is not what tiny.gguf holds"):
        list(quantised(path, model))


def test_the_file_of_a_model_is_the_one_that_the_user_named(subject, tmp_path):
    assert models.gguf_of(subject.origin) is None
    named = dataclasses.replace(subject.origin, gguf=tmp_path / "tiny.gguf")
    assert models.gguf_of(named) == tmp_path / "tiny.gguf"


def test_a_redraw_is_uniform_within_a_step_and_leaves_the_model_as_it_is(subject):
    names = [name for name, each in subject.model.named_parameters() if each.dim() == 2][:3]
    own = {name: each.detach().clone() for name, each in subject.model.named_parameters()}
    steps = {name: 0.5 * torch.rand(own[name].shape) for name in names}
    moved = []
    for again in redraws(subject, steps, 2, seed=3):
        for name, each in again.model.named_parameters():
            off = (each - own[name]).detach()
            if name in steps:
                assert (off.abs() <= steps[name] / 2 + 1e-6).all()
                moved.append((off / steps[name]).flatten())
            else:
                assert not off.any()
    everything = torch.cat(moved)
    assert float(everything.mean()) == pytest.approx(0, abs=0.02)
    assert float(everything.std()) == pytest.approx(12**-0.5, abs=0.01)  # of a unit interval
    assert not torch.equal(moved[0], moved[3])
    for name, each in subject.model.named_parameters():
        assert torch.equal(each, own[name])
    first = next(redraws(subject, steps, 1, seed=3)).model.get_parameter(names[0])
    assert torch.allclose((first - own[names[0]]).flatten() / steps[names[0]].flatten(), moved[0])
