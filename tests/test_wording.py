"""How prose writes what came from data."""

import pytest

from analysis.wording import prompt, written


@pytest.mark.parametrize(
    ("text", "seen"), [("I  like", "I··like"), ("I like", "I like"), ("   I", "···I")]
)
def test_two_spaces_which_a_page_shows_as_one_are_seen_in_a_prompt(text, seen):
    assert prompt(text) == f"<q>{seen}</q>"


def test_two_spaces_are_seen_in_what_a_model_wrote_too():
    assert written(" an  egg\n") == "an··egg⏎"
