"""Prompts of unequal length: patched at positions counted from their ends, by hooks on each."""

import numpy as np
import pytest
import torch

from analysis.engines.patcher import NeuronPatcher
from analysis.errors import UnsuitedError
from analysis.experiments import EXPERIMENTS
from analysis.experiments.circuit.compute import circuit
from analysis.experiments.logit_lens.compute import logit_lens
from analysis.experiments.neuron_sweep.compute import neuron_sweep
from analysis.experiments.patching.compute import patching
from analysis.experiments.upstream.compute import upstream
from analysis.neuron import Neuron
from analysis.questions import Question
from tests.test_token_sets import answer

LONG, SHORT = "I saw the old apple tree and picked", "I saw the lemon tree and picked"
WORDS = (" an", " a")
NEURONS = [Neuron(0, 3), Neuron(1, 7), Neuron(2, 11)]
BEHIND = 4
"""Tokens from " apple" and from " lemon" on; what stands before " old" is alike."""


@pytest.fixture(params=[(LONG, SHORT), (SHORT, LONG)], ids=["longer", "shorter"])
def uneven(subject, request):
    clean, corrupted = request.param
    words = dict(zip(("target", "foil"), WORDS, strict=True))
    return Question(clean=clean, corrupted=corrupted, **words).pair(subject)


def by_hooks(subject, pair, neuron, many):
    """Recovery with the last activations of one prompt put at the last places of the other."""
    seen = []

    def read(entering):
        seen.append(entering.clone())
        return entering

    block = subject.blocks[neuron.layer]
    with subject.family.activations(block, read):
        clean = answer(subject, pair.clean.tokens, WORDS)
    corrupted = answer(subject, pair.corrupted.tokens, WORDS)

    def put(entering):
        entering = entering.clone()
        entering[:, -many:, neuron.number] = seen[0][:, -many:, neuron.number]
        return entering

    with subject.family.activations(block, put):
        patched = answer(subject, pair.corrupted.tokens, WORDS)
    return (patched - corrupted) / (clean - corrupted)


@pytest.mark.slow
@pytest.mark.parametrize(("positions", "many"), [("last", 1), ("all", BEHIND)])
def test_neurons_are_patched_at_places_counted_from_the_end(subject, uneven, positions, many):
    sweep = neuron_sweep(subject, uneven, positions=positions)
    expected = [by_hooks(subject, uneven, neuron, many) for neuron in NEURONS]
    np.testing.assert_allclose([sweep.recovery[n] for n in NEURONS], expected, atol=1e-3)
    assert uneven.suffix == BEHIND


def test_noising_an_uneven_pair_is_denoising_it_turned_around(subject, uneven):
    chosen = torch.zeros(subject.n_layers, subject.d_mlp, dtype=torch.bool)
    chosen[:, ::5] = True
    noised = NeuronPatcher(subject, uneven, "all").swapped().effects(chosen)
    turned = NeuronPatcher(subject, uneven.swapped, "all").effects(chosen)
    torch.testing.assert_close(noised, turned)


def test_each_prompt_is_read_to_its_own_end(subject, uneven):
    lens = logit_lens(subject, (uneven.clean, uneven.corrupted), uneven.contrast)
    ends = [answer(subject, p.tokens, WORDS) for p in (uneven.clean, uneven.corrupted)]
    np.testing.assert_allclose(lens.logit_diff[:, -1], ends, atol=1e-3)


def test_maps_by_position_say_that_they_need_equal_length(subject, uneven):
    for ask in (
        lambda: patching(subject, uneven),
        lambda: upstream(subject, NEURONS[1], uneven),
        lambda: circuit(subject, uneven),
    ):
        with pytest.raises(UnsuitedError, match="same number of tokens, as what is told by posi"):
            ask()
    assert [e.name for e in EXPERIMENTS if e.even] == ["patching", "upstream", "circuit"]
