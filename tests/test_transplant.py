"""Can a neuron be copied into another model? Ground truth, where the answer is known."""

import functools

import pytest

from analysis.experiments.transplant.compute import transplant
from analysis.experiments.transplant.facts import facts
from analysis.engines.grafting import native
from tests.transplants import NEURON, QUESTION, articles, donor, made

pytestmark = pytest.mark.slow


@functools.cache
def result(kind):
    given, texts = donor(), articles()
    recipients = {
        "itself": lambda: given,
        "random": lambda: made("random", 5, feature=False),
        "another tokenizer": lambda: made("other", 3, spaced=True),
    }
    cut = NEURON if kind == "itself" else None
    return transplant(given, NEURON, recipients[kind](), QUESTION, texts, cut=cut, contexts=40)


def test_a_neuron_that_was_cut_out_comes_back():
    found = facts(result("itself"))
    assert found.verdict == "transplanted"
    assert found.layer == NEURON.layer
    for ground in found.grounds:
        assert ground.restored.mean > 0.8
    assert abs(found.against_uncut) < 0.002
    assert found.activation > 0.5


def test_a_random_recipient_is_called_a_failure():
    assert facts(result("random")).verdict == "failed"


def test_a_planted_feature_is_found_in_a_recipient_with_another_tokenizer():
    found = facts(result("another tokenizer"))
    assert found.verdict == "transplanted"
