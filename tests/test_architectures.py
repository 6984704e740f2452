"""Every architecture, against plain transformers and against TransformerLens' hooks."""

from pathlib import Path

import pytest
import torch

from analysis import experiments, running
from analysis.engines.patcher import NeuronPatcher
from analysis.engines.tail import Tail
from analysis.engines.twins import check_twins
from analysis.errors import UserError
from analysis.experiments.logit_lens.compute import logit_lens
from analysis.loading.families import assembled
from analysis.loading.models import wrap
from analysis.neuron import Neuron
from analysis.subject import Origin
from tests import architecture_list, families, tiny
from tests.plant import plant
from tests.questions import TREES, make_tiny_pair
from tests.reference import patched_recoveries

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


def plain_logits(subject, tokens):
    with torch.no_grad():
        return subject.model(torch.tensor([list(tokens)])).logits[0]


def test_hooks_engine_read_out_and_writes_are_the_plain_models(subject, name):
    """What is asked of every model when it is loaded, and which engine it gets."""
    assert check_twins(subject) == (name in families.WHOLE)


@pytest.mark.parametrize("positions", ["last", "all"])
def test_patched_neurons_move_the_answer_as_hooks_say(subject, name, pair, positions):
    patcher = NeuronPatcher(subject, pair, positions)
    assert patcher.start
    assert patcher.engine == "exact" + ", whole sequences" * (name in families.WHOLE)
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


@pytest.mark.slow
def test_a_note_says_where_whole_sequences_are_run_again(capsys):
    for _ in range(2):  # the second time from the verdict that was kept
        wrap(families.make_model(*families.CONFIGS["gptj"]), tiny.tokenizer())
        note = "each patch of a GPTJForCausalLM runs its whole sequence again"
        assert note in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("what", families.REFUSED)
def test_what_cannot_be_studied_is_refused_with_the_reason(what):
    kind, values, reason = families.REFUSED[what]
    with pytest.raises(UserError, match=reason):
        wrap(families.make_model(kind, values), tiny.tokenizer())


@pytest.mark.slow
@pytest.mark.parametrize("brief", families.BRIEFLY)
def test_other_architectures_go_the_same_road(brief):
    assert check_twins(families.new_subject(brief)) == (brief in families.WHOLE)


NO_CORPUS = [
    each
    for each in experiments.EXPERIMENTS
    if not {"corpus", "natural"} & set(each.needs)
    and each.name not in ("neuron_sweep", "weight_modulation", "verification")
]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bloom", "gemma3", "granite", "opt", "phi"])
def test_every_experiment_answers_or_says_what_stands_in_the_way(subject):
    refused = {}
    for experiment in NO_CORPUS:
        options = {"screen": 20, "held_out": 3}
        known = {option.name for option in experiment.options}
        given = {name: value for name, value in options.items() if name in known}
        neurons = ["L1N3"] if experiment.asks_about_a_neuron else []
        done: list[float] = []
        try:
            asked = running.inputs(experiment, subject, TREES, neurons, given)
            running.compute(experiment, subject, asked, done.append)
        except UserError as error:
            refused[experiment.name] = str(error)
        assert done == sorted(done), experiment.name
        assert all(0 <= each <= 1 for each in done), experiment.name
    assert not refused


@pytest.mark.slow
def test_what_needs_no_gradient_leaves_a_model_fit_for_what_does():
    """Fused weights are split when the hooks are made, once, by whichever comes first."""
    model = families.make_model(*families.CONFIGS["bloom"])
    subject = assembled(model, tiny.tokenizer(), Origin("new", "random weights", ""), False)
    for name in ("writers", "neuron_sweep"):
        experiment = experiments.named(name)
        asked = running.inputs(experiment, subject, TREES, [], {})
        assert running.compute(experiment, subject, asked)


@pytest.mark.slow
def test_the_documentation_lists_what_is_so():
    page = Path(__file__).resolve().parent.parent / "docs" / "architectures.md"
    assert page.read_text(encoding="utf-8") == architecture_list.page()
