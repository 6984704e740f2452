"""How prose writes what came from data."""

import math
import re

import pytest
from markupsafe import Markup, escape

from analysis import sentences
from analysis.experiments import EXPERIMENTS
from analysis.wording import (
    column_name,
    exchanged,
    noun,
    percent,
    prompt,
    share_span,
    typed,
    written,
)
from tests.committed import FOLDER, committed

SAID = [e for e in EXPERIMENTS if e.has("facts") and (FOLDER / f"{e.name}.json").is_file()]


@pytest.mark.parametrize(
    ("text", "seen"), [("I  like", "I··like"), ("I like", "I like"), ("   I", "···I")]
)
def test_two_spaces_which_a_page_shows_as_one_are_seen_in_a_prompt(text, seen):
    assert prompt(text) == f"<q>{seen}</q>"


def test_two_spaces_are_seen_in_what_a_model_wrote_too():
    assert written(" an  egg\n") == "an··egg⏎"


def test_a_command_breaks_its_line_at_no_option_and_what_it_quotes_is_escaped():
    command = "an-neuron patching --clean '<b> & --c' --json"
    option = re.compile('<span class="option">(--[a-z]+)</span>')
    assert option.findall(typed(command)) == ["--clean", "--c", "--json"]
    assert option.sub(r"\1", typed(command)) == str(escape(command))


@pytest.mark.parametrize(
    ("share", "seen"),
    [(0, "0"), (0.5, "50"), (0.0123, "1.2"), (0.00012, "0.01"), (2e-5, "0.0020"),
     (1.23e-6, "0.0001"), (1e-8, "<0.0001"), (-1e-8, ">−0.0001"), (1, "100"), (0.994, "99"),
     (0.996, "99.6"), (0.9999, "99.99"), (-0.9999, "−99.99"), (1 - 1e-7, "100")],
)  # fmt: skip
def test_a_share_that_is_not_nil_or_all_is_never_told_as_that(share, seen):
    assert percent(share) == f"{seen}\u202f%"


@pytest.mark.parametrize(
    ("share", "beside", "seen"),
    [(0.79628, 0.8, "79.6"), (0.8, 0.8, "80"), (0.85, 0.8, "85"), (0.00249, 0.0025, "0.249"),
     (0.5, math.nan, "50")],
)  # fmt: skip
def test_a_share_is_not_written_like_another_that_it_is_compared_with(share, beside, seen):
    assert percent(share, beside) == f"{seen}\u202f%"
    assert share_span(share, 0.95, beside) == f"95\u202f% interval {seen}\u202f% to 95\u202f%"


def test_what_has_no_letter_and_no_digit_is_a_mark():
    assert [noun(text) for text in (" an", ")", " 7", ",", " are| were")] == [
        "word", "mark", "word", "mark", "word",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("clean", "corrupted", "said"),
    [
        ("up the apple tree", "up the lemon tree", "one word"),
        ("The keys on the table", "The key on the table", "one word"),
        ("The river (which flows", "The river, which flows", "one mark"),
        ("I saw it here", "I saw the two of them here", "one part"),
    ],
)
def test_what_two_prompts_differ_in_is_called_by_its_name(clean, corrupted, said):
    assert exchanged(clean, corrupted) == exchanged(corrupted, clean) == said


@pytest.mark.slow
@pytest.mark.parametrize("experiment", SAID, ids=lambda each: each.name)
def test_no_finding_has_a_space_before_its_full_stop(experiment):
    result = committed(experiment.name)
    verdict = getattr(sentences.alone(experiment, result), "verdict", Markup())
    for said in (sentences.finding(experiment, result), verdict):
        assert not re.search(r"\s[.,;:](\s|$)", said.striptags())


@pytest.mark.parametrize(
    ("column", "shown"),
    [("auc_signed", "AUC signed"), ("p shuffled", "P shuffled"), ("kl", "KL"), ("", "")],
)
def test_a_column_is_named_in_words(column, shown):
    assert column_name(column) == shown
