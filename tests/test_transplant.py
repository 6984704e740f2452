"""Can a neuron be copied into another model? Ground truth, where the answer is known."""

import dataclasses
import functools

import pytest

from analysis.errors import UserError
from analysis.experiments.transplant import EXPERIMENT, compute, measured
from analysis.experiments.transplant.compute import transplant
from analysis.experiments.transplant.facts import facts
from analysis.experiments.transplant.measured import FOLDS
from analysis.sentences import alone
from tests import transplants
from tests.synthetic import Plan
from tests.synthetic.transplant import transplant as grafted
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
    assert found.against_uncut < 0.002
    assert found.activation > 0.5


def test_a_random_recipient_is_called_a_failure():
    assert facts(result("random")).verdict == "failed"


def test_a_planted_feature_is_found_in_a_recipient_with_another_tokenizer():
    found = facts(result("another tokenizer"))
    assert found.verdict == "transplanted"


def test_a_neuron_that_answers_to_every_word_brings_a_bias_only():
    given, recipient = transplants.biased()
    found = facts(transplant(given, NEURON, recipient, QUESTION, articles(), contexts=40))
    assert found.verdict == "bias only"


def test_sentences_turn_with_what_was_found():
    held, turned = (alone(EXPERIMENT, grafted(p)) for p in (Plan(), Plan(holds=False)))
    assert "can be copied" in held.heading
    assert "bias" in turned.heading
    assert "the outcome alone does not give as much" in held.controls
    assert "it is transplanted" in held.verdict
    assert "bias only" in turned.verdict


def test_a_failure_is_told_as_one():
    result = grafted(Plan(holds=False))
    gains = result.gains.copy()
    gains[..., 4, :] = [0.0, -0.1, 0.1]  # choices are no better
    told = alone(EXPERIMENT, dataclasses.replace(result, gains=gains))
    assert "cannot be copied" in told.heading
    assert "it failed" in told.verdict


def test_the_summary_holds_what_programs_ask_for():
    told = EXPERIMENT.summary(result("itself"))
    held_out = told["held_out"]
    assert told["verdict"] == "transplanted"
    assert held_out["after"] > held_out["before"]
    assert held_out["interval"][0] <= held_out["gain"] <= held_out["interval"][1]
    assert held_out["restored"] > 0.8
    assert abs(told["corpus_loss_change"]) < 0.002
    assert {each["variant"] for each in told["controls"]} >= {
        "random donor neuron",
        "shuffled activations",
        "constant bias",
        "own neuron amplified",
        "edit fitted to the outcome",
    }


def test_a_killed_run_goes_on_from_whole_folds(tmp_path, monkeypatch):
    whole = transplant(donor(), NEURON, made("other", 3, spaced=True), QUESTION, articles())

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(compute, "grafts", killed)
    with pytest.raises(KeyboardInterrupt):
        again(tmp_path)
    assert len(list(tmp_path.iterdir())) == FOLDS
    monkeypatch.undo()
    monkeypatch.setattr(measured, "collect", killed)  # nothing is read a second time
    resumed = again(tmp_path)
    assert resumed.gains.tobytes() == whole.gains.tobytes()
    assert not list(tmp_path.iterdir())


def again(folder):
    recipient = made("other", 3, spaced=True)
    return transplant(donor(), NEURON, recipient, QUESTION, articles(), kept=folder)


@pytest.mark.parametrize(
    ("layer", "reason"), [("7", "none of donor"), ("-1", "none of donor"), ("top", "none of donor")]
)
def test_a_layer_that_is_none_is_refused(layer, reason):
    with pytest.raises(UserError, match=reason):
        compute._layer(layer, donor())


def test_a_target_that_is_no_token_of_the_recipient_is_refused():
    asked = QUESTION.replaced(target=" the my")
    with pytest.raises(UserError, match="must be one"):
        transplant(donor(), NEURON, donor(), asked, articles())


def test_a_transplant_that_turns_no_answer_says_so():
    held = grafted(Plan())
    gains = held.gains.copy()
    gains[..., 3, :] = [0.0, -0.05, 0.05]  # the share of right choices stays
    told = alone(EXPERIMENT, dataclasses.replace(held, gains=gains))
    assert "not enough to turn answers" in told.verdict
    assert "not enough to turn answers" not in alone(EXPERIMENT, held).verdict


def test_a_recipient_that_has_such_a_neuron_itself_is_told_to():
    held = grafted(Plan())
    gains = held.gains.copy()
    gains[held.variants.index("own neuron amplified")] = gains[0]
    told = alone(EXPERIMENT, dataclasses.replace(held, gains=gains))
    assert "has such a neuron itself" in told.controls
    assert "has such a neuron itself" not in alone(EXPERIMENT, held).controls
