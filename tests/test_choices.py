"""A margin leaves a bias out, and what is drawn again is a word or an article, not a text."""

import numpy as np
import pytest

from analysis.numbers.choices import Choices, right, surprise
from analysis.numbers.separation import auc

DRAW = np.random.default_rng(0)
TARGET = np.arange(60) % 2 == 0
UNIT = np.arange(60) // 3
VALUES = DRAW.normal(0, 1, 60) + 2 * TARGET


def test_a_bias_adds_nothing_to_the_margin():
    choices = Choices(TARGET, UNIT, 0)
    found, biased = choices.margin(VALUES), choices.margin(VALUES + 5)
    assert found[0] == pytest.approx(VALUES[TARGET].mean() - VALUES[~TARGET].mean())
    assert biased == pytest.approx(found)


def test_the_area_is_that_of_pairs_counted_one_by_one():
    found = Choices(TARGET, UNIT, 0).area(VALUES)
    assert found[0] == pytest.approx(float(auc(VALUES[TARGET], VALUES[~TARGET])))
    assert found[1] < found[0] < found[2]


def test_texts_of_one_article_count_as_one_observation():
    values = np.repeat(DRAW.normal(0, 1, 20), 3)  # all texts of an article agree
    apart = Choices(TARGET, np.arange(60), 0).mean(values)
    together = Choices(TARGET, UNIT, 0).mean(values)
    assert together[2] - together[1] > 1.4 * (apart[2] - apart[1])  # by sqrt(3), in the limit


def test_one_article_alone_gives_no_interval():
    found = Choices(TARGET, np.zeros(60, dtype=int), 0).margin(VALUES)
    assert np.isfinite(found[0])
    assert np.isnan(found[1:]).all()


def test_the_loss_of_a_choice_is_that_of_two_answers():
    differences, target = np.array([0.0, 2.0, -2.0]), np.array([True, True, True])
    expected = -np.log(1 / (1 + np.exp(-differences)))  # the target's share of the two
    assert surprise(differences, target) == pytest.approx(expected)
    assert surprise(-differences, ~target) == pytest.approx(expected)
    assert right(differences, target).tolist() == [0, 1, 0]
    assert right(differences, ~target).tolist() == [1, 0, 1]
