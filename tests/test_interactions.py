"""Do two neurons add up? Planted pairs of which the answer is known, and hooks."""

import dataclasses
import re

import numpy as np
import pytest
import torch

from analysis import sentences
from analysis.experiments import named
from analysis.experiments.interactions import compute
from analysis.experiments.interactions.compute import interactions, summary
from analysis.experiments.interactions.facts import facts
from analysis.neuron import Neuron
from analysis.prompts import make_pair
from tests.plant import LOUD, ON, Planted
from tests.prose import check_opposites
from tests.questions import CLEAN, CORRUPTED, default_pair
from tests.reference import diff_with_held, diff_with_hooks
from tests.synthetic import Plan, evidence

FIRST, SECOND, READER = Neuron(0, 3), Neuron(1, 7), Neuron(2, 9)
"""The second does not read the first; the reader reads both, and writes the answer."""

TABLES = {"add": (0, ON, ON, 2 * ON), "repeat": (0, ON, ON, ON), "both": (0, 0, 0, ON)}
"""What the reader's activation is with neither, the first, the second, and both."""


class Pair(Planted):
    """Two planted neurons, and one that reads both."""

    def side_by_side(self, table):
        clean, corrupted = self.pair.clean, self.pair.corrupted
        self.plant(FIRST, [(clean, (), ON), (corrupted, (), 0)], self.aside(0))
        cases = [(each, on, value) for each, value in ((clean, ON), (corrupted, 0))
                 for on in ((), (FIRST,))]  # fmt: skip
        self.plant(SECOND, cases, self.aside(1))
        sets = ((), (FIRST,), (SECOND,), (FIRST, SECOND))
        cases = [(corrupted, on, value) for on, value in zip(sets, table, strict=True)]
        cases += [(clean, on, value) for on, value in zip(sets, table[::-1], strict=True)]
        self.plant(READER, cases, 10 * LOUD * self.answer)
        return self

    def in_line(self):
        clean, corrupted = self.pair.clean, self.pair.corrupted
        self.plant(FIRST, [(clean, (), ON), (corrupted, (), 0)], self.aside(0))
        cases = [(clean, (), ON), (corrupted, (), 0), (corrupted, (FIRST,), ON)]
        self.plant(SECOND, cases, 10 * LOUD * self.answer)
        return self

    def found(self):
        return interactions(self.subject, self.pair, neurons=[FIRST, SECOND])


SOME = ["llama", pytest.param("gpt2", marks=pytest.mark.slow)]


@pytest.mark.slow
@pytest.mark.parametrize("architecture", SOME)
@pytest.mark.parametrize(
    ("table", "alone", "excess", "kind"),
    [
        ("add", 0.5, 0.0, "additive"),
        ("repeat", 1.0, -1.0, "redundant"),
        ("both", 0.0, 1.0, "synergistic"),
    ],
)
def test_two_planted_neurons_side_by_side_are_named_rightly(
    architecture, table, alone, excess, kind
):
    found = Pair(architecture).side_by_side(TABLES[table]).found()
    np.testing.assert_allclose(found.recovery, alone, atol=0.02)
    assert found.excess[0, 1] == pytest.approx(excess, abs=0.02)
    assert found.kind(0, 1) == kind
    assert not found.in_line(0, 1)
    assert found.through[0, 1] == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("architecture", SOME)
def test_a_planted_chain_stands_in_line(architecture):
    found = Pair(architecture).in_line().found()
    np.testing.assert_allclose(found.recovery, 1.0, atol=0.02)
    assert found.kind(0, 1) == "redundant"
    assert found.in_line(0, 1)
    assert found.through[0, 1] == pytest.approx(1.0, abs=0.02)
    seen = facts(found)
    assert (seen.in_line, seen.beside) == (1, 0)
    assert seen.strongest.first == str(FIRST)


@pytest.mark.parametrize("architecture", SOME)
def test_two_that_need_each_other_are_among_the_best_though_neither_recovers_anything_alone(
    architecture, monkeypatch
):
    planted = Pair(architecture).side_by_side(TABLES["both"])
    monkeypatch.setattr(compute, "SHORTLIST", 1000)
    monkeypatch.setattr(compute, "BEST", 4)
    found = interactions(planted.subject, planted.pair)
    assert {str(FIRST), str(SECOND), str(READER)} < {*found.neurons}
    assert facts(found).synergy.first == str(FIRST)
    assert facts(found).synergy.second == str(SECOND)


def hooked(subject, pair, put, frozen=()):
    """Recovery of some neurons together at the last position, others held, by one hooked pass."""
    values = subject.cache(pair.clean.tokens, "mlp.hook_post")["mlp.hook_post"]
    own = subject.cache(pair.corrupted.tokens, "mlp.hook_post")["mlp.hook_post"]
    held = torch.zeros(values.shape, dtype=torch.bool)
    for neuron in (*put, *frozen):
        held[neuron.layer, -1, neuron.number] = True
    for neuron in frozen:
        values[neuron.layer, -1, neuron.number] = own[neuron.layer, -1, neuron.number]
    clean, corrupted = (
        diff_with_hooks(subject, pair, each.tokens, []) for each in (pair.clean, pair.corrupted)
    )
    patched = diff_with_held(subject, pair, pair.corrupted.tokens, held, values)
    return (patched - corrupted) / (clean - corrupted)


@pytest.mark.slow
def test_every_pair_is_what_hooks_measure(subject, pair):
    neurons = [Neuron(2, 4), Neuron(0, 1), Neuron(1, 8), Neuron(1, 2)]
    texts = CLEAN.replace("apple", "orange"), CORRUPTED.replace("lemon", "pear")
    other = make_pair(subject, *texts, " an", " a")
    found = interactions(subject, pair, [other], neurons)
    neurons.sort()
    assert found.neurons == tuple(map(str, neurons))
    for i, first in enumerate(neurons):
        assert found.recovery[i] == pytest.approx(hooked(subject, pair, [first]), abs=1e-3)
        for j, second in enumerate(neurons[i + 1 :], i + 1):
            both = hooked(subject, pair, [first, second])
            assert found.together[i, j] == found.together[j, i] == pytest.approx(both, abs=1e-3)
            rest = hooked(subject, pair, [first], [second])
            assert found.frozen[i, j] == pytest.approx(rest, abs=1e-3)
            sets = [first, second], [first], [second]
            both, *each = (hooked(subject, other, some) for some in sets)
            assert found.over_held_out(i, j).mean == pytest.approx(both - sum(each), abs=1e-3)
    assert 0 <= found.noise < 1e-4


def test_the_best_are_those_that_recover_or_lose_most(subject, pair, monkeypatch):
    monkeypatch.setattr(compute, "SHORTLIST", 1000)
    found = interactions(subject, pair)
    assert len(found.neurons) == 30
    from analysis.engines.patcher import NeuronPatcher

    every = torch.ones(subject.n_layers, subject.d_mlp, dtype=torch.bool)
    patcher = NeuronPatcher(subject, pair)
    alone = torch.maximum(patcher.recoveries(every), patcher.swapped().recoveries(every))
    larger = np.maximum(found.recovery, found.noising)
    np.testing.assert_allclose(np.sort(larger), alone.sort().values[-30:], atol=1e-3)


TRUE_AND_FALSE = [
    ("partly do the same", "L2N1 and L2N2 need each other"),
    ("So most pairs can be summed", "So what they do cannot be summed"),
    ("in line: the earlier", "side by side: neither"),
    ("No two of them need each other", "The strongest that need each other"),
    ("one path with two neurons on it", "where their writes meet"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("said", "opposite"), TRUE_AND_FALSE)
def test_data_against_a_claim_bring_out_the_opposite_sentence(pages, said, opposite):
    check_opposites(pages, said, opposite)


def test_an_excess_within_rounding_is_none():
    result = evidence(Plan()).interactions
    noisy = dataclasses.replace(result, noise=0.1)
    assert facts(noisy).none_differ
    assert noisy.kind(0, 2) == "additive"


@pytest.mark.parametrize(("times", "kept"), [(1, True), (-1, False), (0.01, False)])
def test_an_excess_is_no_peculiarity_where_other_prompts_have_it_with_its_sign(times, kept):
    result = evidence(Plan()).interactions
    there = result.held_out_excess * np.float32(times)
    found = facts(dataclasses.replace(result, held_out_excess=there)).held_out
    assert (found.differing, found.kept, found.holds) == (1, int(kept), kept)
    assert found.excess.mean == pytest.approx(times * result.excess[0, -1])


def sentences_of(result):
    return str(sentences.alone(named("interactions"), result).on_others)


def test_the_pair_that_adds_up_least_is_told_of_other_prompts_only_where_it_was_tried_there():
    result = evidence(Plan()).interactions
    first, middle, last = result.neurons
    assert f"{first} and {last} add up least on the first pair" in sentences_of(result)
    assert "not tried" not in sentences_of(result)
    without = dataclasses.replace(
        result, few=np.array([0, 1]), held_out_excess=result.held_out_excess[:, :2, :2]
    )
    assert f"{first} and {last} were not tried there." in sentences_of(without)
    assert f"Of those tried, {first} and {middle} add up least" in sentences_of(without)


def test_what_holds_of_one_pair_is_told_as_of_one_and_an_excess_with_its_own_sign():
    result = evidence(Plan()).interactions
    assert "1 of these pairs does not add up on the first pair" in sentences_of(result)
    assert "too, for 1 of them: by" in sentences_of(result)
    assert re.search(
        r"is −30\s% of the difference \(95\s% interval −38\s% to −22\s%\)", sentences_of(result)
    )
    turned = dataclasses.replace(result, held_out_excess=-result.held_out_excess)
    assert "too, for none of them: by" in sentences_of(turned)


def test_without_other_prompts_nothing_is_said_of_them():
    result = evidence(Plan()).interactions
    alone = dataclasses.replace(
        result,
        held_out=(),
        held_out_gap=result.held_out_gap[:0],
        held_out_excess=result.held_out_excess[:0],
    )
    assert facts(alone).held_out is None
    assert summary(alone)["pairs"][0]["held_out_excess"] is None


def test_pairs_are_listed_by_the_size_of_their_excess():
    document = summary(evidence(Plan()).interactions)["pairs"]
    assert len(document) == 3
    sizes = [abs(row["excess"]) for row in document]
    assert sizes == sorted(sizes, reverse=True)
    assert (document[0]["kind"], document[0]["in_line"]) == ("redundant", True)


def test_the_verb_prints_the_keys_that_others_rely_on(answer, llama_folder):
    found = answer(
        "interactions", "--model", llama_folder, "--clean", CLEAN, "--corrupted", CORRUPTED
    )
    assert len(found["neurons"]) == 30
    assert len(found["pairs"]) == 435
    assert {"together", "excess", "through_other", "kind", "in_line"} <= set(found["pairs"][0])


def test_the_embedded_models_second_neuron_acts_through_its_first(embedded):
    """0.613 and 0.444 alone, 0.730 together, measured with hooks on the plain model."""
    neurons = [Neuron(23, 1468), Neuron(25, 1527)]
    found = interactions(embedded, default_pair(embedded), neurons=neurons)
    np.testing.assert_allclose(found.recovery, [0.444, 0.613], atol=0.005)
    assert found.together[0, 1] == pytest.approx(0.730, abs=0.005)
    assert found.in_line(0, 1)
