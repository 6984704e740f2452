"""Can a neuron be copied into another model? Ground truth, where the answer is known."""

import dataclasses
import functools

import numpy as np
import pytest

from analysis import results
from analysis.calls import Call
from analysis.errors import UserError
from analysis.evidence import load_evidence
from analysis.experiments.transplant import EXPERIMENT, command, compute, measured
from analysis.experiments.transplant.compute import transplant
from analysis.experiments.transplant.facts import facts
from analysis.experiments.transplant.judged import likeness
from analysis.experiments.transplant.measured import FOLDS
from analysis.inputs import Inputs
from analysis.running import record
from analysis.sentences import alone
from tests import transplants
from tests.synthetic import Plan, evidence, save
from tests.synthetic.transplant import put_back
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
    assert "it is transplanted" in held.outcome
    assert "bias only" in turned.outcome


def test_a_failure_is_told_as_one():
    result = grafted(Plan(holds=False))
    gains = result.gains.copy()
    gains[..., 4, :] = [0.0, -0.1, 0.1]  # choices are no better
    claims = alone(EXPERIMENT, dataclasses.replace(result, gains=gains))
    assert "cannot be copied" in claims.heading
    assert "it failed" in claims.outcome


def test_the_summary_holds_what_programs_ask_for():
    document = EXPERIMENT.summary(result("itself"))
    held_out = document["held_out"]
    assert document["verdict"] == "transplanted"
    assert held_out["after"] > held_out["before"]
    assert held_out["interval"][0] <= held_out["gain"] <= held_out["interval"][1]
    assert held_out["restored"] > 0.8
    assert abs(document["corpus_loss_change"]) < 0.002
    assert {each["variant"] for each in document["controls"]} >= {
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
    with pytest.raises(UserError, match="reads the next token alone, and ' the my' is 2 tokens"):
        transplant(donor(), NEURON, donor(), asked, articles())


def test_a_transplant_that_turns_no_answer_says_so():
    held = grafted(Plan())
    gains = held.gains.copy()
    gains[..., 3, :] = [0.0, -0.05, 0.05]  # the share of right choices stays
    claims = alone(EXPERIMENT, dataclasses.replace(held, gains=gains))
    assert "that is not shown to turn answers" in claims.outcome
    assert "that is not shown to turn answers" not in alone(EXPERIMENT, held).outcome
    assert "is not shown to turn answers there" in claims.heading
    assert "is not shown to turn answers there" not in alone(EXPERIMENT, held).heading


def test_a_recipient_that_has_such_a_neuron_itself_is_told_to():
    held = grafted(Plan())
    gains = held.gains.copy()
    gains[held.variants.index("own neuron amplified")] = gains[0]
    claims = alone(EXPERIMENT, dataclasses.replace(held, gains=gains))
    assert "has such a neuron itself" in claims.controls
    assert "has such a neuron itself" not in alone(EXPERIMENT, held).controls


def beside(*others):
    return alone(EXPERIMENT, dataclasses.replace(grafted(Plan()), beside=others))


def test_a_study_tells_whether_the_method_gives_a_model_its_own_neuron_back():
    found = beside(put_back(Plan()))
    assert "98 %" in found.back.replace("\u202f", " ").replace("\xa0", " ")
    assert "it works where everything that the neuron reads is there" in found.back
    assert "does not even work" in beside(put_back(Plan(holds=False))).back
    assert not beside().back


def test_a_study_tells_whether_other_draws_come_to_the_same():
    assert "the verdict is the same" in beside(grafted(Plan())).draws
    assert "the verdict is another" in beside(grafted(Plan(holds=False))).draws
    assert not beside(put_back(Plan())).draws


def test_other_draws_are_told_of_the_ground_that_is_named():
    own = grafted(Plan())
    effect, gains = own.donor_effect.copy(), own.gains.copy()
    effect[2], gains[:, 0, 0] = [9.0, 8.0, 10.0], [0.5, 0.4, 0.6]
    other = dataclasses.replace(own, donor_effect=effect, gains=gains)
    found = facts(dataclasses.replace(own, beside=(other,)))
    assert found.again[0].strongest.name != found.strongest.name == own.grounds[0]
    assert [each.mean for each in found.again_gains] == [0.5]
    assert "is +0.50 (" in beside(other).draws


def test_what_came_back_stands_in_the_figure_beside_what_the_neuron_does():
    def rows(result):
        return [label for axis in result.figure().select_yaxes() for label in axis.ticktext]

    shown = rows(dataclasses.replace(grafted(Plan()), beside=(put_back(Plan()),)))
    assert shown.count("cut out and put back") == len(grafted(Plan()).grounds)
    assert "cut out and put back" not in rows(grafted(Plan()))


def test_a_study_has_the_transplants_that_are_kept_beside_it_and_none_of_other_code(tmp_path):
    folder = save(Plan(), tmp_path)
    assert load_evidence(folder).transplant.beside == ()
    made = evidence(Plan()).provenance["transplant"]
    asked = {**made.inputs, "recipient": "", "seed": 1}
    results.save(
        folder, "transplant.back", put_back(Plan()), dataclasses.replace(made, inputs=asked)
    )
    quick = dataclasses.replace(made, inputs={**asked, "contexts": 8})
    results.save(folder, "transplant.seed1", grafted(Plan()), quick)
    results.save(folder, "transplant.old", grafted(Plan()), dataclasses.replace(made, code="0"))
    (back,) = load_evidence(folder).transplant.beside
    assert back.same
    results.discard(folder, "transplant")
    assert not load_evidence(folder).has("transplant")


@pytest.mark.parametrize(
    ("recipient", "seed", "name"),
    [
        ("gpt2", 0, "transplant"),
        ("", 0, "transplant.back"),
        ("donor", 0, "transplant.back"),
        ("gpt2", 3, "transplant.seed3"),
    ],
)
def test_what_a_study_keeps_is_called_by_what_it_is(recipient, seed, name):
    given = Inputs(QUESTION, (NEURON,), {"recipient": recipient, "seed": seed})
    assert compute.kept_as(donor(), given) == name


def test_a_kept_transplant_is_not_written_over_by_one_that_was_asked_something_else(tmp_path):
    folder = save(Plan(), tmp_path)
    path, made = folder / "transplant.json", evidence(Plan()).provenance["transplant"]
    options = EXPERIMENT.check({})
    given = Inputs(QUESTION, (NEURON,), {**options, "recipient": "gpt2"})
    call = Call(experiment=EXPERIMENT)

    def check(**asked):
        old = {**record(EXPERIMENT, given), **asked}
        results.save(folder, "transplant", grafted(Plan()), dataclasses.replace(made, inputs=old))
        command._check_same_inputs(call, given, path)

    check()
    for name, value in {"recipient": "other", "contexts": 8, "layer": "3", "cut": "L0N1"}.items():
        with pytest.raises(UserError, match=f"another {name} \\({value}\\): move it away"):
            check(**{name: value})


def test_activations_that_differ_by_rounding_alone_have_no_correlation():
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(2, 30)).astype(np.float32)
    assert likeness(one, other) == pytest.approx(np.corrcoef(one, other)[0, 1])
    alike = np.nextafter(np.full(30, 0.7, np.float32), rng.choice([0, 1], 30).astype(np.float32))
    constant = np.zeros(30, np.float32)
    assert np.isnan([likeness(one, alike), likeness(constant, other)]).all()
