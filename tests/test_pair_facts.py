"""A pair of prompts after which the model hardly chooses is told before what patching finds."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from analysis import sentences
from analysis.answer import as_json
from analysis.claims import Claims
from analysis.criteria import GAP
from analysis.experiments import named
from analysis.experiments.find.compute import Found
from analysis.experiments.writers.compute import Writer
from analysis.pair_facts import pair_facts
from tests.prose import Prose
from tests.synthetic import Plan, changed, evidence

STUDY = evidence(Plan())
SHARING = ("neuron_sweep", "patching", "composition")
ANSWERS = ("find", "logit_lens", *SHARING)
BY_PROMPT = {
    "logit_lens": ("prompts", "logit_diff", "model_logit_diff"),
    "next_token": (
        "prompts", "tokens", "top_probabilities", "p_target", "p_foil",
        "rank_target", "rank_foil", "logit_diff",
    ),
}  # fmt: skip
"""Fields with a row for each prompt."""
WRITERS = (Writer(neuron="L3N5", direction=1, logits=9.0),)

WEAK = {
    "a hair's breadth": (-3.28, -3.35, "only 0.07 apart, so the model does not prefer ·an where"),
    "a hair's breadth either side": (0.05, -0.02, "after the corrupted one, only 0.07 apart. Ask"),
    "the foil both times": (-0.5, -4.0, "so the model does not prefer ·an where it should"),
    "the target both times": (4.0, 0.5, "so the model does not prefer ·a where it should"),
    "the wrong way round": (-4.0, 3.0, "so the model prefers the right word after neither"),
}


def results(clean, corrupted):
    """The answers about a difference, of a pair with these logit differences."""
    diffs = {"clean_diff": clean, "corrupted_diff": corrupted}
    found = {name: replace(getattr(STUDY, name), **diffs) for name in SHARING}
    both, prompt = np.array([clean, corrupted], np.float32), STUDY.next_token
    own = np.concatenate([both, prompt.logit_diff[2:]])
    return found | {
        "find": Found(WRITERS, found["neuron_sweep"], found["neuron_sweep"].recovery),
        "logit_lens": replace(STUDY.logit_lens, model_logit_diff=both),
        "next_token": replace(prompt, logit_diff=own),
    }


def said_and_json(name, clean, corrupted):
    experiment, result = named(name), results(clean, corrupted)[name]
    said = Prose(sentences.finding(experiment, result)).text
    return said, json.loads(as_json(experiment.summary(result)))


@pytest.mark.parametrize("name", [*ANSWERS, "next_token"])
@pytest.mark.parametrize(("clean", "corrupted", "why"), WEAK.values(), ids=list(WEAK))
def test_an_answer_begins_with_that_there_is_little_to_explain(name, clean, corrupted, why):
    said, document = said_and_json(name, clean, corrupted)
    small = abs(clean - corrupted) < GAP
    how = (
        "This question has little to explain"
        if small
        else "These prompts turn the answer the wrong way"
        if clean < 0 < corrupted
        else "These prompts do not turn the answer"
    )
    little = f"{how}: the logit difference of ·an and"
    assert said.startswith(little) if name in ANSWERS else little in said
    assert why in said
    assert "Ask with two prompts" in said
    assert next(iter(document)) == "little_to_explain"
    assert document["little_to_explain"] is True
    assert document["pair"]["gap"] == pytest.approx(abs(clean - corrupted), rel=1e-5)
    assert document["pair"]["prefers_target_after_clean"] == (clean > 0)
    assert document["pair"]["prefers_foil_after_corrupted"] == (corrupted < 0)


@pytest.mark.parametrize("name", [*ANSWERS, "next_token"])
def test_of_a_clear_choice_an_answer_says_at_once_what_it_found(name):
    said, document = said_and_json(name, 3.0, -2.0)
    assert "little to explain" not in said
    assert "do not turn" not in said
    assert "Ask with" not in said
    assert document["little_to_explain"] is False


@pytest.mark.parametrize("name", BY_PROMPT)
def test_of_a_single_prompt_no_answer_says_that_there_is_little_to_explain(name):
    result = getattr(STUDY, name)
    result = replace(result, **{field: getattr(result, field)[:1] for field in BY_PROMPT[name]})
    if name == "next_token":
        result = replace(result, natural=0)
    assert "little to explain" not in Prose(sentences.finding(named(name), result)).text
    assert "little_to_explain" not in named(name).summary(result)


def test_a_gap_counts_whichever_its_sign_and_from_the_threshold_on():
    diffs = (GAP, -0.001), (GAP / 2, -0.49 * GAP), (-9.0, 9.0)
    clear, weak, reversed_pair = (
        pair_facts(SimpleNamespace(clean_diff=clean, corrupted_diff=corrupted))
        for clean, corrupted in diffs
    )
    assert clear.little is False
    assert weak.little
    assert not reversed_pair.small
    assert reversed_pair.reversed
    assert not clear.reversed


def test_a_page_says_so_in_brief_too():
    weak = changed(STUDY, "neuron_sweep", clean_diff=0.05, corrupted_diff=-0.02)
    brief = {name: str(s) for name, s in sentences_in_brief(weak)}
    assert brief["neuron_sweep"].startswith("This question has little to explain")
    turned = changed(STUDY, "neuron_sweep", clean_diff=5.0, corrupted_diff=0.5)
    brief = {name: str(s) for name, s in sentences_in_brief(turned)}
    assert brief["neuron_sweep"].startswith("These prompts do not turn the answer")
    clear = [str(s) for _, s in sentences_in_brief(STUDY)]
    assert not any("little to explain" in sentence for sentence in clear)


def sentences_in_brief(study):
    return reversed(Claims(study).opening.brief)
