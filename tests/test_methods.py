"""What each claim rests on: a row for each that a study has, with its sample as it is."""

import dataclasses
import re
from typing import get_args

import pytest

from analysis import grounds
from analysis.claims.methods import methods
from analysis.experiments import EXPERIMENTS, named
from analysis.sentences import claims
from analysis.study_facts import StudyFacts
from report.page import environment
from tests.prose import Prose, render, undrawn
from tests.synthetic import Plan, changed, evidence

pytestmark = pytest.mark.slow


def rows(study):
    """By experiment and claim: the grounds that the study tells."""
    facts = StudyFacts(study)
    found = methods(facts, lambda name: claims(named(name), facts))
    return {(e.experiment.name, ground.claim): ground for e in found for _, ground in e.claims}


def sentences_of(study):
    """The table as it is read, a text for each row."""
    with undrawn():
        page = render(study, file="making.html")
    table = page.partition('id="methods">')[2].partition("</table>")[0]
    return [Prose(row).text for row in re.findall(r"<tr>.*?</tr>", table, re.S)][1:]


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda each: each.name)
def test_an_experiment_that_tells_an_interval_says_what_it_rests_on_and_no_other(experiment):
    if not experiment.has("facts"):
        return
    folder = experiment.module("facts").__file__.removesuffix("facts.py")
    with open(f"{folder}sentences.html", encoding="utf-8") as file:
        found = file.read()
    assert ("interval" in found or "span(" in found) == bool(experiment.part("facts", "grounds"))


@pytest.mark.parametrize("holds", [True, False])
def test_a_study_has_a_row_for_each_experiment_that_tells_an_interval(holds):
    study = evidence(Plan(holds=holds))
    found = rows(study)
    having = {each.name for each in study.experiments if each.part("facts", "grounds")}
    assert {name for name, _ in found} == having
    assert all(size > 0 for ground in found.values() for size in ground.samples.values())
    table = sentences_of(study)
    assert len(table) == len(found)
    assert not any(re.search(r"\bnan\b|None|\{", row) for row in table)


def test_another_size_of_a_sample_is_told_as_it_is():
    study = evidence(Plan())
    other = changed(study, "weight_modulation", texts=37)
    (row,) = (row for row in sentences_of(other) if "Change of loss on news by factor" in row)
    assert "37 articles" in row
    assert not any("37 articles" in row for row in sentences_of(study))
    sweep = study.results["neuron_sweep"]
    short = {
        name: getattr(sweep, name)[:3]
        for name in ("held_out", *(f"held_out_{n}" for n in ("gap", "effect", "noising", "beside")))
    }
    assert rows(study)["neuron_sweep", "held_out"].samples == {"prompt_pair": len(sweep.held_out)}
    fewer = changed(study, "neuron_sweep", **short)
    assert rows(fewer)["neuron_sweep", "held_out"].samples == {"prompt_pair": 3}


def test_a_claim_that_the_question_does_not_have_has_no_row():
    study = evidence(Plan())
    assert ("crossed", "plan") in rows(study)
    result = study.results["crossed"]
    nothing = {name: getattr(result, name)[:0] for name in ("expected", "expected_mass", "planned")}
    without = changed(study, "crossed", **nothing)
    assert ("crossed", "plan") not in rows(without)
    assert ("crossed", "factors") in rows(without)
    kept = {name: each for name, each in study.results.items() if name != "crossed"}
    unasked = dataclasses.replace(study, results=kept)
    assert not any(name == "crossed" for name, _ in rows(unasked))
    assert not any("Example, frame and word" in row for row in sentences_of(unasked))


def test_frames_and_words_that_are_both_drawn_again_are_both_counted():
    result = evidence(Plan()).results["crossed"]
    samples = rows(evidence(Plan()))["crossed", "factors"].samples
    assert samples == {"frame": result.values.shape[2], "word": result.values.shape[3]}
    (row,) = (row for row in sentences_of(evidence(Plan())) if "what would come next" in row)
    assert f"{result.values.shape[2]} frames and {result.values.shape[3]} words" in row


def test_intervals_that_hold_at_once_are_told_from_those_that_hold_each_by_itself():
    study = evidence(Plan())
    found, table = rows(study), sentences_of(study)
    scan = study.results["corpus_scan"]
    assert found["corpus_scan", "rivals"].at_once == len(scan.neurons) - 1
    assert found["corpus_scan", "ends"].at_once == 4  # two words at two ends
    (ends,) = (row for row in table if "the highest and the lowest activations" in row)
    assert "all 4 at once (Bonferroni)" in ends
    (words,) = (row for row in table if "Means and AUC of neuron and answer" in row)
    assert "each by itself" in words


@pytest.mark.parametrize("kind", ["Unit", "Test", "Correction"])
def test_every_unit_test_and_correction_has_a_name_in_the_table(kind):
    source, *_ = environment().loader.get_source(environment(), "methods.html")
    for name in get_args(getattr(grounds, kind)):
        assert f'"{name}": ' in source


def test_articles_are_counted_and_not_the_places_in_them():
    study = evidence(Plan())
    result = study.results["ablation"]
    assert rows(study)["ablation", "news"].samples == {"article": int(result.position_target.sum())}
    halved = changed(study, "ablation", position_document=result.position_document // 2)
    half = len({*(result.position_document[result.position_target] // 2).tolist()})
    assert rows(halved)["ablation", "news"].samples == {"article": half}
    assert half < result.position_target.sum()
