"""Target and foil as sets of tokens: the log of the summed probabilities, by plain transformers."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from analysis.contrast import make_contrast
from analysis.declaration import Experiment
from analysis.engines.ablator import PromptAblator
from analysis.engines.attribution import attribute_neurons
from analysis.engines.patcher import NeuronPatcher
from analysis.errors import UnsuitedError, UserError
from analysis.experiments import EXPERIMENTS
from analysis.experiments.activations.compute import activations
from analysis.experiments.direct_effect.compute import direct_effect
from analysis.experiments.find.compute import find
from analysis.experiments.generality.compute import generality
from analysis.experiments.logit_lens.compute import logit_lens
from analysis.experiments.neuron_sweep.compute import neuron_sweep
from analysis.experiments.next_token.compute import next_token
from analysis.experiments.patching.compute import patching
from analysis.neuron import Neuron
from analysis.prompts import make_pair
from analysis.questions import Question, load
from analysis.running import check_suits
from analysis.token_sets import members, together
from tests.plant import plant
from tests.questions import CLEAN, CORRUPTED
from tests.reference import patched

TARGET, FOIL = " an| the", " a| that| his"
NEURON = Neuron(1, 7)


@pytest.fixture
def sets(subject):
    return make_pair(subject, CLEAN, CORRUPTED, TARGET, FOIL)


def answer(subject, tokens, words=(TARGET, FOIL)):
    """log of the summed probabilities of one set over those of the other, by the plain model."""
    ids = [subject.tokenizer.convert_tokens_to_ids(word.split("|")) for word in words]
    with torch.no_grad():
        shares = subject.model(subject.batch(tokens)).logits[0, -1].double().softmax(-1)
    target, foil = (shares[each].sum() for each in ids)
    return float((target / foil).log())


def test_the_answer_is_the_logarithm_of_the_ratio_of_summed_probabilities(subject, sets):
    result = next_token(subject, (sets.clean, sets.corrupted), sets.contrast)
    expected = [answer(subject, prompt.tokens) for prompt in (sets.clean, sets.corrupted)]
    np.testing.assert_allclose(result.logit_diff, expected, atol=1e-4)
    np.testing.assert_allclose(np.log(result.p_target / result.p_foil), expected, atol=1e-4)
    lens = logit_lens(subject, (sets.clean, sets.corrupted), sets.contrast)
    np.testing.assert_allclose(lens.logit_diff[:, -1], expected, atol=1e-3)
    assert (result.target, result.foil) == (TARGET, FOIL)


def test_patches_of_a_neuron_recover_what_hooks_on_the_plain_model_recover(subject, sets):
    sweep = neuron_sweep(subject, sets)
    clean, corrupted = (answer(subject, p.tokens) for p in (sets.clean, sets.corrupted))
    source = subject.cache(sets.clean.tokens, "mlp.hook_post")["mlp.hook_post"][:, -1]
    for neuron in (NEURON, Neuron(0, 3), Neuron(2, 11)):
        with patched(subject, neuron, source[neuron][None], sets.corrupted):
            recovered = (answer(subject, sets.corrupted.tokens) - corrupted) / (clean - corrupted)
        assert sweep.recovery[neuron] == pytest.approx(recovered, abs=1e-3)


def test_a_map_of_patches_reads_sets_too(subject, sets):
    """The embedding of the one word that differs carries all of the difference."""
    result = patching(subject, sets)
    assert result.clean_diff == pytest.approx(answer(subject, sets.clean.tokens), abs=1e-4)
    assert result.restored[0, 0, sets.start] == pytest.approx(1, abs=1e-3)


def test_attribution_is_the_slope_of_that_answer(subject, sets):
    patcher = NeuronPatcher(subject, sets)
    found = attribute_neurons(subject, sets, patcher.delta, patcher.start)
    own, step = patcher.activations[NEURON.layer, -1, NEURON.number], 1e-2
    delta = patcher.delta[NEURON.layer, -1, NEURON.number]
    ends = []
    for way in (1, -1):
        with patched(subject, NEURON, (own + way * step * delta)[None], sets.corrupted):
            ends.append(answer(subject, sets.corrupted.tokens))
    slope = (ends[0] - ends[1]) / (2 * step)
    assert float(found[NEURON]) == pytest.approx(slope, rel=0.02, abs=1e-4)


def test_ablation_follows_every_token_of_a_set(subject, sets):
    ablator = PromptAblator(subject, NEURON.layer, sets.clean, sets.contrast)
    diff, p_target, _ = ablator.effects([NEURON.number], torch.zeros(1, 1))[0]
    with patched(subject, NEURON, torch.zeros(1), sets.clean):
        assert diff == pytest.approx(answer(subject, sets.clean.tokens), abs=1e-4)
        shares = subject.logits(sets.clean.tokens)[-1].softmax(-1)
    assert p_target == pytest.approx(float(sets.contrast.shares(shares)[0]), abs=1e-4)


def test_a_sets_direct_effect_is_the_derivative_of_its_log_sum(subject, sets):
    """With the norm frozen a neuron adds its write, read by W_U, to the logits."""
    result = direct_effect(subject, NEURON, sets.contrast, prompt=sets.clean)
    logits = subject.logits(sets.clean.tokens)[-1].double()
    written = (subject.write(NEURON) @ subject.W_U).double()
    size = torch.zeros((), dtype=torch.float64, requires_grad=True)
    moved = logits + size * (written - written.mean())
    for ids, found in (
        (sets.contrast.targets, result.target_logit),
        (sets.contrast.foils, result.foil_logit),
    ):
        (slope,) = torch.autograd.grad(moved[list(ids)].logsumexp(-1), size, retain_graph=True)
        assert found == pytest.approx(float(slope), abs=1e-4)
    assert result.weighted_at == CLEAN


def test_a_set_of_one_is_the_token_bit_for_bit(subject, pair):
    contrast, normed = pair.contrast, torch.randn(5, subject.d_model)
    logits = torch.randn(5, subject.d_vocab)
    target, foil = contrast.target_id, contrast.foil_id
    assert torch.equal(contrast.of(logits), logits[:, target] - logits[:, foil])
    between = subject.read_out.difference(normed, target, foil)
    assert torch.equal(contrast.behind(subject.read_out, normed), between)
    assert torch.equal(contrast.shares(logits)[0], logits[:, target])


def test_a_planted_neuron_for_a_set_is_found_first(new_subject):
    neuron, asked = Neuron(1, 5), make_pair(new_subject, CLEAN, CORRUPTED, TARGET, FOIL)
    plant(new_subject, asked, neuron, asked.contrast)
    found = find(new_subject, asked, screen=20)
    assert found.sweep.candidates[0] == str(neuron)
    assert found.sweep.recovery[neuron] > 0.5
    assert found.writers[0].neuron == str(neuron)
    assert direct_effect(new_subject, neuron, asked.contrast, prompt=asked.clean).rank_by_target < 4


def test_on_text_any_token_of_the_set_counts_as_the_target(subject, sets):
    text = make_pair(subject, "We saw the dog", "We saw his dog", TARGET, FOIL)
    result = activations(subject, NEURON, text.contrast, (text.clean, text.corrupted))
    follows = result.next_is_target[result.text(0)], result.next_is_target[result.text(1)]
    assert [each.sum() for each in follows] == [1, 0]
    read = generality(
        subject, NEURON, sets.contrast, ["I saw {} and"], (["apple", "egg"], ["pear", "tree"])
    )
    prompt = subject.tokens("I saw apple and")
    assert read.logit_diff[0, 0] == pytest.approx(answer(subject, prompt), abs=1e-4)


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda each: each.name)
def test_who_takes_no_set_says_so_in_a_sentence(experiment: Experiment):
    words = {"template": "I saw {} and", "target_words": ["egg"], "foil_words": ["tree"]}
    asked = Question(clean=CLEAN, corrupted=CORRUPTED, target=TARGET, foil=FOIL, **words)
    if experiment.single:
        with pytest.raises(UnsuitedError, match="takes one target token and one foil token: "):
            check_suits(experiment, asked)
    elif experiment.suits(asked):
        check_suits(experiment, asked)


def test_a_list_in_a_file_is_the_set_with_bars(tmp_path):
    file = tmp_path / "verbs.toml"
    file.write_text(
        'clean = "The key"\ncorrupted = "The keys"\ntarget = [" is", " was"]\nfoil = [" are"]\n'
    )
    question = load(str(file))
    assert (question.target, question.foil) == (" is| was", " are")
    assert Question(clean="The key", target=[" |", " was"], foil=" a").target == r" \|| was"
    assert question.key == "verbs"


def test_bars_part_a_set_and_one_behind_a_backslash_does_not():
    assert members(" is| was") == (" is", " was")
    assert members(r" \|| was") == (" |", " was")
    assert members(together([" a|b", " c"])) == (" a|b", " c")


@given(st.lists(st.text(alphabet="a |\\", min_size=1), min_size=1, max_size=3))
def test_a_set_is_read_as_it_was_written_whatever_its_tokens_end_in(words):
    r"""A token that ends in a backslash does not swallow the bar behind it."""
    assert members(together(words)) == tuple(words)


def test_a_backslash_elsewhere_is_but_that():
    assert members(r" \n") == (r" \n",)
    assert members("\\\\| a") == ("\\", " a")


@pytest.mark.parametrize(
    ("target", "foil", "sentence"),
    [
        (" an| the", " a| the", "' the' is in target and foil: leave it out of one."),
        (" an", " a| an", "' an' is in target and foil: leave it out of one."),
        (" an||", " a", r"The target has an empty token beside a |: write a | that is its own as "),
        (" an", " a| his| a", "The foil has ' a' twice."),
        (" an| old tree", " a", "The target ' old tree' is 2 tokens"),
        ("|".join(f" w{i}" for i in range(101)), " a", "The target has 101 tokens, and at most"),
    ],
)
def test_a_wrong_set_is_told_in_a_sentence(subject, target, foil, sentence):
    with pytest.raises(UserError) as found:
        make_contrast(subject, target, foil)
    assert str(found.value).startswith(sentence) or sentence in str(found.value)
    if "2 tokens" not in sentence:
        with pytest.raises(UserError, match="This is no question: "):
            Question(clean="x", target=target, foil=foil)


@pytest.mark.parametrize("target", [[], [""], [" a", 3]])
def test_an_empty_set_is_none(target):
    with pytest.raises(UserError, match="a set is a list of one token or more"):
        Question(clean="x", target=target, foil=" a")
