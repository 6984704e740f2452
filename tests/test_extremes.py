"""Extremes of a corpus scan are those of a slow sort, however it is cut, on a GPU as well."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.scanning.extremes import BLOCK_ROWS, Extremes, add_both

TOP = 4


class OnGpu(torch.Tensor):
    """Values that say they are on a GPU, and so are ranked as there."""

    is_cuda = True


def expected(values, sign):
    """Rows of the highest values times a sign, the earlier of equals first."""
    return sorted(range(len(values)), key=lambda row: (-sign * values[row], row))[:TOP]


@pytest.mark.parametrize("kind", [torch.Tensor, OnGpu])
@settings(max_examples=40)
@given(
    values=st.lists(st.sampled_from([-2.0, -1.0, -0.0, 0.0, 0.5, 3.0]), min_size=1, max_size=40),
    cuts=st.lists(st.integers(1, 39), max_size=5),
)
def test_extremes_do_not_depend_on_how_the_corpus_was_cut_even_among_equals(kind, values, cuts):
    column, places = torch.tensor(values)[:, None].as_subclass(kind), torch.arange(len(values))
    highest, lowest = Extremes.empty(1, TOP), Extremes.empty(1, TOP)
    edges = sorted({0, len(values), *(c for c in cuts if c < len(values))})
    for begin, end in pairwise(edges):
        add_both(highest, lowest, column[begin:end], places[begin:end])
    for found, sign in ((highest, 1), (lowest, -1)):
        rows = expected(values, sign)
        assert found.places[: len(rows), 0].tolist() == rows
        assert found.values[: len(rows), 0].tolist() == [sign * values[row] for row in rows]


@pytest.mark.parametrize("kind", [torch.Tensor, OnGpu])
@settings(max_examples=20)
@given(
    rows=st.lists(st.integers(1, 5 * BLOCK_ROWS), min_size=1, max_size=4),
    seed=st.integers(0, 99),
    rounded=st.booleans(),
)
def test_of_many_neurons_and_tokens_the_extremes_are_those_of_a_slow_sort(
    kind, rows, seed, rounded
):
    drawn = np.random.default_rng(seed).normal(size=(sum(rows), 5))
    values = torch.tensor(np.round(drawn, 1) if rounded else drawn, dtype=torch.float32)
    places = 7 * torch.arange(len(values))
    highest, lowest = Extremes.empty(5, TOP), Extremes.empty(5, TOP)
    parts = zip(values.as_subclass(kind).split(rows), places.split(rows), strict=True)
    for some, where in parts:
        add_both(highest.part(slice(0, 5)), lowest.part(slice(0, 5)), some, where)
    for found, sign in ((highest, 1), (lowest, -1)):
        for neuron in range(5):
            own = expected(values[:, neuron].tolist(), sign)
            assert found.places[: len(own), neuron].tolist() == places[own].tolist()
            assert torch.equal(found.values[: len(own), neuron], sign * values[own, neuron])


@settings(max_examples=20)
@given(split=st.integers(1, 299), seed=st.integers(0, 99))
def test_extremes_of_two_halves_merge_to_those_of_the_whole(split, seed):
    values = torch.tensor(np.random.default_rng(seed).normal(size=(300, 3)).round(1)).float()
    places, (whole, first, later) = torch.arange(300), (Extremes.empty(3, TOP) for _ in range(3))
    whole.add(values, places)
    first.add(values[:split], places[:split])
    later.add(values[split:], places[split:])
    first.merge(later)
    assert torch.equal(first.places, whole.places)
    assert torch.equal(first.values, whole.values)
