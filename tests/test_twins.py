"""A model that hooks or engine would compute wrongly is refused before it gives a number."""

import re

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import (
    Gemma2Config,
    Gemma2ForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    GraniteConfig,
    GraniteForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from analysis.contrast import Contrast
from analysis.engines.patcher import NeuronPatcher
from analysis.engines.reading import Window, read
from analysis.engines.twins import check_twins, disagreement
from analysis.errors import UserError
from analysis.loading import models
from tests import tiny
from tests.questions import make_tiny_pair
from tests.subjects import make_subject

SHAPE = {"vocab_size": len(tiny.VOCABULARY), "initializer_range": tiny.SPREAD}
DEEP = {"num_hidden_layers": 2, "hidden_size": 32, "num_attention_heads": 4}
GPT2 = {"n_layer": 2, "n_embd": 32, "n_head": 4, "n_positions": 48}


def wrapped(family, config):
    """The model of this configuration, as a user hands it over."""
    model = tiny.randomised(family, config, seed=1)
    return models.wrap(model, tiny.tokenizer(), "tiny")


def gpt2(**changes):
    return wrapped(GPT2LMHeadModel, GPT2Config(**SHAPE, **GPT2, **changes, **tiny.special_ids()))


def neox(**changes):
    config = GPTNeoXConfig(
        **SHAPE, **DEEP, intermediate_size=64, max_position_embeddings=48, **changes
    )
    return wrapped(GPTNeoXForCausalLM, config)


def refused_or_right(make):
    """None where the model is refused in one sentence, else the subject that was made."""
    try:
        return make()
    except UserError:
        return None


def check_against_the_plain_model(subject):
    """Every way in which numbers are made says what plain transformers says."""
    pair = make_tiny_pair(subject)
    with torch.inference_mode():
        clean, corrupted = (
            subject.model(torch.tensor([list(prompt.tokens)])).logits[0, -1]
            for prompt in (pair.clean, pair.corrupted)
        )
    target, foil = pair.contrast.target_id, pair.contrast.foil_id
    torch.testing.assert_close(subject.logits(pair.clean.tokens)[-1], clean, atol=1e-4, rtol=1e-4)
    patcher = NeuronPatcher(subject, pair)
    assert patcher.clean_diff == pytest.approx(float(clean[target] - clean[foil]), abs=2e-3)
    layer, number = 0, 3
    expected = patched_by_hand(subject, pair, layer, number) - float(
        corrupted[target] - corrupted[foil]
    )
    chosen = torch.zeros(subject.n_layers, subject.d_mlp, dtype=torch.bool)
    chosen[layer, number] = True
    assert float(patcher.effects(chosen)) == pytest.approx(expected, abs=2e-3)


def mlp_output(subject, layer):
    """What turns activations into the MLP's output, found by its name in plain transformers."""
    names = ("mlp.c_proj", "mlp.down_proj", "mlp.dense_4h_to_h")
    ends = tuple(f".{layer}.{name}" for name in names)
    (module,) = (m for name, m in subject.model.named_modules() if name.endswith(ends))
    return module


def patched_by_hand(subject, pair, layer, number):
    """Difference of logits with one activation of the clean prompt put into the corrupted one."""
    module, kept = mlp_output(subject, layer), []

    def run(prompt, hook):
        handle = module.register_forward_pre_hook(hook)
        with torch.no_grad():
            last = subject.model(torch.tensor([list(prompt.tokens)])).logits[0, -1]
        handle.remove()
        return float(last[pair.contrast.target_id] - last[pair.contrast.foil_id])

    def patch(_, args):
        args[0][0, -1, number] = kept[0]
        return args

    run(pair.clean, lambda _, args: kept.append(args[0][0, -1, number].clone()))
    return run(pair.corrupted, patch)


def gradient(subject, prompt):
    """Of the first token's logit at the end, in what enters the first block of the hooked model."""
    entering = []

    def keep(resid, hook):
        entering.append(resid.detach().requires_grad_())
        return entering[0]

    with torch.enable_grad():
        logits = subject.bridge.run_with_hooks(
            subject.batch(prompt.tokens),
            prepend_bos=False,
            fwd_hooks=[("blocks.0.hook_resid_pre", keep)],
        )
        return torch.autograd.grad(logits[0, -1, 0], entering)[0]


@pytest.mark.parametrize(
    "settings_",
    [
        {"scale_attn_weights": False},
        {"scale_attn_by_inverse_layer_idx": True},
        {"add_cross_attention": True},
    ],
    ids=str,
)
def test_a_gpt2_of_another_attention_is_right_or_refused(settings_):
    subject = refused_or_right(lambda: gpt2(**settings_))
    if subject is not None:
        check_against_the_plain_model(subject)


def test_a_gpt_neox_without_attention_biases_is_right_or_refused():
    subject = refused_or_right(lambda: neox(attention_bias=False))
    if subject is not None:
        check_against_the_plain_model(subject)


def test_attention_that_hooks_do_not_scale_as_the_model_does_is_refused():
    with pytest.raises(UserError, match=r"tiny is not computed rightly here: .* no number of it"):
        gpt2(scale_attn_weights=False)


def test_a_refusal_leaves_gradients_as_they_were(monkeypatch):
    apart = iter((0.0, 1.0))
    monkeypatch.setattr("analysis.engines.twins.disagreement", lambda *_: next(apart))
    with pytest.raises(UserError, match="hooked residual stream"):
        check_twins(make_subject("llama"))
    assert not torch.is_inference_mode_enabled()


def test_hooks_made_where_no_gradient_is_wanted_can_have_one_later():
    subject = make_subject("gpt2")  # whose fused matrices are split for the hooks
    with torch.inference_mode():
        subject.bridge  # noqa: B018
    prompt = make_tiny_pair(subject).clean
    torch.testing.assert_close(gradient(subject, prompt), gradient(make_subject("gpt2"), prompt))


def test_a_hooked_weight_that_is_off_by_a_hundredth_is_noticed():
    subject = make_subject("llama")
    twin = subject.bridge.blocks[1].attn.o.original_component
    twin.weight = torch.nn.Parameter(subject.model.model.layers[1].self_attn.o_proj.weight * 1.01)
    with pytest.raises(UserError, match="hooked"):
        check_twins(subject)


def test_a_resumed_pass_that_forgets_a_block_is_noticed(monkeypatch):
    from analysis.engines.tail import Tail

    subject = make_subject("llama")
    step = Tail._step
    monkeypatch.setattr(Tail, "_step", lambda self, r, n: r if n == 1 else step(self, r, n))
    with pytest.raises(UserError, match="cannot be resumed in its middle"):
        check_twins(subject)


@pytest.fixture
def checked(monkeypatch, tmp_path):
    """Models that were compared, in an empty cache."""
    asked = []

    def check(subject):
        asked.append(subject.origin.name)
        check_twins(subject)

    monkeypatch.setenv("AN_NEURON_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("analysis.engines.twins.check_twins", check)
    return asked


@pytest.mark.slow
def test_a_model_is_compared_once_and_again_when_anything_of_it_is_another(folder, checked):
    models.load(str(folder))
    models.load(str(folder))
    assert len(checked) == 1
    models.load(str(folder), dtype="bfloat16")
    assert len(checked) == 2


def test_another_configuration_of_the_same_weights_is_compared_anew(checked):
    gpt2()
    gpt2(layer_norm_epsilon=0.1)
    assert len(checked) == 2


def test_a_refusal_is_not_remembered_as_a_good_verdict(checked):
    for _ in range(2):
        with pytest.raises(UserError, match="not computed rightly"):
            gpt2(scale_attn_weights=False)
    assert len(checked) == 2


@pytest.mark.slow
def test_a_cache_that_cannot_be_written_only_costs_time(folder, checked, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("AN_NEURON_CACHE", str(tmp_path / "file" / "cache"))
    models.load(str(folder))
    models.load(str(folder))
    assert len(checked) == 2


def test_rounding_is_no_disagreement(subject):
    check_twins(subject)


def test_a_twin_that_is_off_by_a_tenth_of_the_spread_disagrees_by_a_tenth():
    expected = torch.tensor([1.0, 3.0, 5.0])  # standard deviation 2
    assert disagreement(expected + 0.2, expected) == pytest.approx(0.1)


def test_logits_that_overflow_in_float16_are_refused_with_the_cause(tmp_path):
    model, tokenizer = tiny.tiny_llama()
    with torch.no_grad():  # every weight fits into float16, which ends at 65504; their sums do not
        model.model.embed_tokens.weight.mul_(200)
        model.model.layers[0].self_attn.v_proj.weight.mul_(3000)
        model.model.layers[0].self_attn.o_proj.weight.mul_(3000)
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    models.load(str(tmp_path))
    with pytest.raises(UserError, match="overflows in float16: use float32 or bfloat16"):
        models.load(str(tmp_path), dtype="float16")


PAIR = Contrast("a", "b", (3,), (4,))
READINGS = {
    "logits": lambda subject, tokens: subject.logits(tokens),
    "activations": lambda subject, tokens: subject.cache(tokens, "hook_resid_post"),
    "a corpus": lambda subject, tokens: read(subject, (Window(0, 0, tuple(tokens)),)),
    "a residual": lambda subject, _: PAIR.read(subject, torch.full((32,), float("nan"))),
}


@pytest.mark.parametrize("what", READINGS)
def test_what_is_no_number_is_an_error_wherever_it_is_read(what):
    subject = make_subject("llama")
    tokens = subject.tokens("I climbed up the apple tree")
    with torch.no_grad():
        subject.model.model.layers[1].mlp.down_proj.weight[0, 0] = float("inf")
    with pytest.raises(UserError, match=r"^Some (logits|activations) of tiny-llama are not finite"):
        READINGS[what](subject, tokens)


def test_a_command_tells_a_refusal_in_one_sentence(tmp_path, analysis):
    config = GPT2Config(**SHAPE, **GPT2, scale_attn_weights=False, **tiny.special_ids())
    tiny.randomised(GPT2LMHeadModel, config, seed=1).save_pretrained(tmp_path)
    tiny.tokenizer().save_pretrained(tmp_path)
    code, out, err = analysis("neuron-sweep", "--model", tmp_path, "--screen", 4)
    assert (code, out) == (2, "")
    assert re.fullmatch(r"error: .* is not computed rightly here: .*\n", err)


ACTIVATIONS = st.sampled_from(["gelu", "gelu_new", "relu", "silu", "gelu_pytorch_tanh"])
BOOLEANS = st.booleans()
ROPES = st.sampled_from(
    [
        {"rope_type": "default", "rope_theta": 500.0},
        {"rope_type": "linear", "factor": 2.0, "rope_theta": 1e4},
        {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 1e4},
        {
            "rope_type": "yarn",
            "factor": 2.0,
            "rope_theta": 1e4,
            "original_max_position_embeddings": 24,
        },
        {
            "rope_type": "llama3",
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 24,
            "rope_theta": 1e4,
        },
        {"rope_type": "default", "rope_theta": 1e4, "partial_rotary_factor": 0.5},
    ]
).map(dict)  # configurations write into what they are given


@st.composite
def gpt2s(draw):
    return GPT2LMHeadModel, GPT2Config(
        **SHAPE,
        **GPT2,
        **tiny.special_ids(),
        activation_function=draw(ACTIVATIONS),
        scale_attn_weights=draw(BOOLEANS),
        scale_attn_by_inverse_layer_idx=draw(BOOLEANS),
        reorder_and_upcast_attn=draw(BOOLEANS),
        add_cross_attention=draw(BOOLEANS),
        tie_word_embeddings=draw(BOOLEANS),
        n_inner=draw(st.sampled_from([None, 40])),
        layer_norm_epsilon=draw(st.sampled_from([1e-5, 0.1])),
    )


@st.composite
def llamas(draw):
    return LlamaForCausalLM, LlamaConfig(
        **SHAPE,
        **DEEP,
        intermediate_size=48,
        max_position_embeddings=48,
        hidden_act=draw(ACTIVATIONS),
        num_key_value_heads=draw(st.sampled_from([1, 2, 4])),
        head_dim=draw(st.sampled_from([8, 16])),
        attention_bias=draw(BOOLEANS),
        mlp_bias=draw(BOOLEANS),
        tie_word_embeddings=draw(BOOLEANS),
        rms_norm_eps=draw(st.sampled_from([1e-6, 0.1])),
        rope_parameters=draw(ROPES),
    )


@st.composite
def qwens(draw):
    return Qwen2ForCausalLM, Qwen2Config(
        **SHAPE,
        **DEEP,
        intermediate_size=48,
        max_position_embeddings=48,
        hidden_act=draw(ACTIVATIONS),
        num_key_value_heads=draw(st.sampled_from([1, 2, 4])),
        tie_word_embeddings=draw(BOOLEANS),
        rope_parameters=draw(ROPES),
        use_sliding_window=draw(BOOLEANS),
        sliding_window=draw(st.sampled_from([4, 64])),
        max_window_layers=draw(st.sampled_from([0, 1, 2])),
    )


@st.composite
def neoxes(draw):
    return GPTNeoXForCausalLM, GPTNeoXConfig(
        **SHAPE,
        **{**DEEP, "num_attention_heads": 2},  # a quarter of each head turns: four numbers
        intermediate_size=64,
        max_position_embeddings=48,
        hidden_act=draw(ACTIVATIONS),
        use_parallel_residual=draw(BOOLEANS),
        attention_bias=draw(BOOLEANS),
        tie_word_embeddings=draw(BOOLEANS),
        layer_norm_eps=draw(st.sampled_from([1e-5, 0.1])),
        rope_parameters=draw(ROPES),
    )


@st.composite
def gemmas(draw):
    return Gemma2ForCausalLM, Gemma2Config(
        **SHAPE,
        **DEEP,
        intermediate_size=48,
        max_position_embeddings=48,
        head_dim=8,
        num_key_value_heads=draw(st.sampled_from([1, 2, 4])),
        hidden_activation=draw(ACTIVATIONS),
        final_logit_softcapping=draw(st.sampled_from([None, 5.0, 30.0])),
        attn_logit_softcapping=draw(st.sampled_from([None, 2.0, 50.0])),
        query_pre_attn_scalar=draw(st.sampled_from([8, 64])),
        sliding_window=draw(st.sampled_from([3, 64])),
        rms_norm_eps=draw(st.sampled_from([1e-6, 0.1])),
        attention_bias=draw(BOOLEANS),
    )


@st.composite
def granites(draw):
    factors = st.sampled_from([0.3, 1.0, 4.0])
    return GraniteForCausalLM, GraniteConfig(
        **SHAPE,
        **DEEP,
        intermediate_size=48,
        max_position_embeddings=48,
        residual_multiplier=draw(factors),
        logits_scaling=draw(factors),
        embedding_multiplier=draw(factors),
        attention_multiplier=draw(factors),
        tie_word_embeddings=draw(BOOLEANS),
        mlp_bias=draw(BOOLEANS),
    )


@pytest.mark.slow
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(st.one_of(gpt2s(), llamas(), qwens(), neoxes(), gemmas(), granites()))
def test_any_configuration_agrees_with_plain_transformers_or_is_refused(drawn):
    subject = refused_or_right(lambda: wrapped(*drawn))
    if subject is not None:
        check_against_the_plain_model(subject)
