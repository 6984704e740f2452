"""Every architecture, against plain transformers and against TransformerLens' hooks."""

import pytest
import torch

from analysis.engines.patcher import NeuronPatcher
from analysis.engines.tail import Tail
from analysis.engines.twins import check_twins
from analysis.errors import UserError
from analysis.experiments.logit_lens.compute import logit_lens
from analysis.loading.models import wrap
from analysis.neuron import Neuron
from tests import families, tiny
from tests.plant import plant
from tests.questions import make_tiny_pair
from tests.reference import patched_recoveries

WHOLE = {"gpt_neo", "gptj", "bloom", "falcon", "stablelm"}
"""Those whose blocks do not ask for their attention in a way that can be exchanged."""

NEURONS = (Neuron(0, 7), Neuron(1, 31), Neuron(2, 0))

EVERY = [
    pytest.param(name, marks=[pytest.mark.slow] * (name != "llama")) for name in families.CONFIGS
]


@pytest.fixture(params=EVERY)
def name(request):
    return request.param


@pytest.fixture
def subject(name):
    return families.shared_subject(name)


@pytest.fixture
def pair(subject):
    return make_tiny_pair(subject)


def plain_logits(subject, tokens):
    with torch.no_grad():
        return subject.model(torch.tensor([list(tokens)])).logits[0]


def test_hooks_engine_read_out_and_writes_are_the_plain_models(subject, name):
    """What is asked of every model when it is loaded, and which engine it gets."""
    assert check_twins(subject) == (name in WHOLE)


@pytest.mark.parametrize("positions", ["last", "all"])
def test_patched_neurons_move_the_answer_as_hooks_say(subject, pair, positions):
    patcher = NeuronPatcher(subject, pair, positions)
    chosen = torch.zeros(subject.n_layers, subject.d_mlp, dtype=torch.bool)
    for neuron in NEURONS:
        chosen[neuron] = True
    expected = torch.tensor(patched_recoveries(subject, pair, NEURONS, positions)) * patcher.gap
    torch.testing.assert_close(patcher.effects(chosen), expected.float(), atol=1e-4, rtol=1e-4)
    assert expected.abs().max() > 1e-3


def test_the_lens_ends_at_the_models_own_answer(subject, pair):
    contrast = pair.contrast
    lens = logit_lens(subject, [pair.clean, pair.corrupted], contrast)
    for prompt, curve in zip((pair.clean, pair.corrupted), lens.logit_diff, strict=True):
        last = plain_logits(subject, prompt.tokens)[-1]
        own = float(last[contrast.target_id] - last[contrast.foil_id])
        assert float(curve[-1]) == pytest.approx(own, abs=1e-4)


def test_the_folded_unembedding_gives_the_models_logits_before_a_cap(subject, pair):
    resid = subject.cache(pair.clean.tokens, "hook_resid_post")["hook_resid_post"][-1]
    scale = subject.folded_norm.scale(resid)[:, None]
    logits = resid / scale @ subject.W_U + subject.b_U
    expected = plain_logits(subject, pair.clean.tokens)
    torch.testing.assert_close(subject.read_out.capped(logits), expected, atol=1e-3, rtol=1e-3)


def test_a_window_shorter_than_the_prompt_is_kept_to(subject):
    """Longer than any sliding window here: each engine still gives the plain model's residual."""
    tokens = tuple(range(2, 42))
    states = subject.cache(tokens, "hook_resid_pre", "hook_resid_post")
    suffix = states["hook_resid_pre"][:1, 30:]
    (final,) = Tail(subject, tokens, 30).finals(lambda layer: suffix[: int(layer == 0)])
    logits = subject.read_out.logits(subject.final_norm(final))
    torch.testing.assert_close(logits, plain_logits(subject, tokens)[-1], atol=1e-3, rtol=1e-3)


def test_a_planted_neuron_is_found(name):
    subject = families.new_subject(name)
    pair, neuron = make_tiny_pair(subject), Neuron(1, 3)
    plant(subject, pair, neuron, pair.contrast)
    patcher = NeuronPatcher(subject, pair)
    effects = patcher.effects(torch.ones_like(patcher.delta[:, 0], dtype=torch.bool))
    assert int(effects.abs().argmax()) == neuron.layer * subject.d_mlp + neuron.number


@pytest.mark.parametrize("what", families.REFUSED)
def test_what_cannot_be_studied_is_refused_with_the_reason(what):
    kind, values, reason = families.REFUSED[what]
    with pytest.raises(UserError, match=reason):
        wrap(families.make_model(kind, values), tiny.tokenizer())
