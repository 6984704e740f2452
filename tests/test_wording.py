"""How prose writes what came from data."""

import re

import pytest

from analysis import sentences
from analysis.experiments import EXPERIMENTS
from analysis.wording import prompt, written
from tests.committed import FOLDER, committed

SAID = [e for e in EXPERIMENTS if e.has("facts") and (FOLDER / f"{e.name}.json").is_file()]


@pytest.mark.parametrize(
    ("text", "seen"), [("I  like", "I··like"), ("I like", "I like"), ("   I", "···I")]
)
def test_two_spaces_which_a_page_shows_as_one_are_seen_in_a_prompt(text, seen):
    assert prompt(text) == f"<q>{seen}</q>"


def test_two_spaces_are_seen_in_what_a_model_wrote_too():
    assert written(" an  egg\n") == "an··egg⏎"


@pytest.mark.parametrize("experiment", SAID, ids=lambda each: each.name)
def test_no_finding_has_a_space_before_its_full_stop(experiment):
    result = committed(experiment.name)
    for said in (sentences.finding(experiment, result), sentences.verdict(experiment, result)):
        assert not re.search(r"\s[.,;:](\s|$)", said.striptags())
