"""The split of a neuron's effect on words of several tokens, by hooks on plain transformers."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from analysis.errors import UnsuitedError
from analysis.experiments.composition.compute import composition, summary
from analysis.neuron import Neuron
from analysis.prompts import PromptPair, make_pair
from tests.plant import plant
from tests.questions import CLEAN, CORRUPTED
from tests.reference import choice, patched
from tests.subjects import kept, make_subject

WORDS = {
    "one of two tokens": (" old tree", " a"),
    "the foil is the longer": (" a", " old tree"),
    "both": (" old tree", " red apple"),
}
NEURON = Neuron(0, 3)


@pytest.fixture(params=["llama", "gpt2"])
def model(request):
    return kept(request.param).subject()


@pytest.fixture(params=WORDS, ids=lambda name: name.replace(" ", "-"))
def asked(model, request):
    return make_pair(model, CLEAN, CORRUPTED, *WORDS[request.param])


def first_tokens(pair):
    """The same prompts with the words' first tokens, which are single ones."""
    return PromptPair(
        pair.clean, pair.corrupted, replace(pair.contrast, target_rest=(), foil_rest=())
    )


def moved(subject, pair, neuron):
    """What patching the neuron changes of the whole words, denoising, then noising."""
    post = subject.cache(pair.clean.tokens, "mlp.hook_post")["mlp.hook_post"]
    other = subject.cache(pair.corrupted.tokens, "mlp.hook_post")["mlp.hook_post"]
    changes = []
    for source, base in ((post, pair.corrupted), (other, pair.clean)):
        before = choice(subject, base, pair.contrast)
        with patched(subject, neuron, source[neuron.layer, -1:, neuron.number], base):
            changes.append(choice(subject, base, pair.contrast) - before)
    return changes


@pytest.mark.slow
def test_the_total_of_words_is_what_hooks_on_the_plain_model_change(model, asked):
    composed = composition(model, NEURON, asked, (asked.swapped,), controls=2)
    denoising, noising = moved(model, asked, NEURON)
    np.testing.assert_allclose(composed.total, [denoising, -noising], atol=2e-4)
    np.testing.assert_allclose(composed.held_out_total, [noising], atol=2e-4)
    assert composed.clean_diff == pytest.approx(
        choice(model, asked.clean, asked.contrast), abs=1e-4
    )
    control = Neuron(*map(int, composed.controls[0][1:].split("N")))
    assert composed.control_total[0, 0] == pytest.approx(moved(model, asked, control)[0], abs=2e-4)


@pytest.mark.slow
def test_all_parts_sum_to_the_total_and_only_the_first_tokens_are_split(model, asked):
    composed = composition(model, NEURON, asked, controls=2)
    alone = composition(model, NEURON, first_tokens(asked), controls=2)
    later = composed.heads_full.sum((1, 2)) + composed.neurons_full.sum((1, 2))
    parts = composed.direct + later + composed.norm + composed.behind
    np.testing.assert_allclose(parts, composed.total, atol=1e-4)
    for name in ("direct", "direct_unfrozen", "norm", "heads_alone", "neurons_full", "delta"):
        np.testing.assert_array_equal(getattr(composed, name), getattr(alone, name))
    np.testing.assert_allclose(composed.behind, composed.total - alone.total, atol=1e-5)
    assert np.abs(composed.behind).max() > 1e-3
    assert not alone.behind.any()
    texts = [model.string(ids[0]) for ids in asked.contrast.words]
    assert composed.first_tokens == tuple(texts)
    assert summary(composed)["noising"]["behind"] == pytest.approx(float(composed.behind[1]))


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["llama", "gpt2"])
def test_of_a_neuron_planted_in_the_last_layer_nothing_reaches_the_second_token(architecture):
    """It writes the first tokens' difference, which no attention stands behind to read."""
    subject = make_subject(architecture)
    pair = make_pair(subject, CLEAN, CORRUPTED, *WORDS["both"])
    neuron = Neuron(subject.n_layers - 1, 5)
    plant(subject, pair, neuron, first_tokens(pair).contrast)
    composed = composition(subject, neuron, pair, controls=1)
    np.testing.assert_allclose(composed.behind, 0, atol=1e-4)
    np.testing.assert_allclose(composed.direct + composed.norm, composed.total, atol=1e-3)
    assert composed.total[0] == pytest.approx(moved(subject, pair, neuron)[0], abs=1e-3)
    write = composed.delta[0] * subject.write(neuron)
    resid = subject.cache(pair.corrupted.tokens, "hook_resid_post")["hook_resid_post"][-1, -1]
    first = first_tokens(pair).contrast
    before, after = (float(first.read(subject, each)) for each in (resid, resid + write))
    assert composed.direct_unfrozen[0] == pytest.approx(after - before, abs=1e-3)
    assert composed.direct_unfrozen[0] > 1


def test_words_that_begin_alike_are_refused_with_what_to_write_instead(model):
    pair = make_pair(model, CLEAN, CORRUPTED, " old tree", " old dog")
    with pytest.raises(UnsuitedError, match="write what they share at the end of the prompts"):
        composition(model, NEURON, pair, controls=1)


def test_single_tokens_have_nothing_behind_them(subject, pair):
    composed = composition(subject, NEURON, pair, controls=1)
    assert torch.equal(torch.tensor(composed.behind), torch.zeros(2))
    assert composed.first_tokens == ()
