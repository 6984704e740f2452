"""What an answer costs is known before it is worked out: counted at the layers themselves."""

import pytest
from torch.nn.modules.module import register_module_forward_pre_hook

from analysis import corpus, cost, running
from analysis.experiments import EXPERIMENTS
from tests.questions import CLEAN, TREES
from tests.space.questions import ARTICLES, OPTIONS
from tests.subjects import kept

DEAR = [each for each in EXPERIMENTS if each.has("cost")]


@pytest.fixture
def counted():
    """Tokens that go through the blocks of a model or of a twin of it, however they are called."""
    subject = kept("llama").subject()
    blocks = {type(block) for block in (*subject.blocks, *subject.sharing_blocks)}
    passed = []

    def count(module, given):
        if type(module) in blocks:
            passed.append(given[0].shape[0] * given[0].shape[1])

    handle = register_module_forward_pre_hook(count)
    yield subject, passed
    handle.remove()


@pytest.mark.slow
@pytest.mark.parametrize("clean", [CLEAN, "I climbed up the apple tree and picked an egg from the"])
@pytest.mark.parametrize("experiment", DEAR, ids=lambda each: each.name)
def test_the_cost_is_what_is_then_counted_to_a_factor_of_two(
    experiment, clean, counted, monkeypatch
):
    subject, passed = counted
    monkeypatch.setattr(corpus, "articles", lambda: ARTICLES)
    question = TREES.replaced(clean, clean.replace("apple", "lemon"))
    options = {**(experiment.app or {}), **OPTIONS.get(experiment.name, {})}
    neurons = ["L1N3"] if experiment.asks_about_a_neuron else ()
    given = running.inputs(experiment, subject, question, neurons, options, live=True)
    found = cost.cost(experiment, subject, given, rate=1000.0)
    assert found.seconds == found.passes / 1000
    passed.clear()
    experiment.run(subject, given)
    assert sum(passed) / 2 < found.passes < sum(passed) * 2
