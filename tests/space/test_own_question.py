"""A visitor's question of several pairs, of words in a sentence, or of sets of words."""

import json
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.errors import UserError
from analysis.experiments import named
from analysis.questions import Question
from analysis.token_sets import members
from space import service
from space.own import library_question, own_question, question_of
from space.pairs import pasted_pairs
from space.panels.activations import following
from space.question_bar import examples
from space.session import Session
from space.settings import BODY, CONFIRMING, MOST_PAIRS, Settings
from space.view import LONGEST, View, parts
from tests.space.questions import VIEW, is_one_sentence, tiny_loader

LINES = """I climbed up the apple tree and picked | I climbed up the lemon tree and picked

I saw the egg and ate| I saw the pear and ate | the | his
"""
SENTENCE = {"template": "I saw the {} and", "target_words": "egg, owl", "foil_words": "pear,\ndog"}
SWEEP, FIND, WORDS = named("neuron_sweep"), named("find"), named("generality")


@pytest.fixture(scope="module")
def door():
    service.open_session(Session(Settings(models=("tiny-llama",)), tiny_loader))
    return replace(VIEW, model="tiny-llama", neuron="")


def test_lines_are_pairs_and_the_first_is_asked():
    question = own_question(replace(VIEW, lines=LINES))
    assert question.clean == "I climbed up the apple tree and picked"
    assert (question.target, question.foil) == (VIEW.target, VIEW.foil)
    (other,) = question.pairs
    assert (other.clean, other.corrupted) == ("I saw the egg and ate", "I saw the pear and ate")
    assert (other.target, other.foil) == (" the", " his")


ROW = ("The keys here", "The key here", " are| were", " is| was")
SETS = [
    " |".join(ROW),
    "\t".join(ROW),
    "clean,corrupted,target,foil\n" + ",".join(f'"{each}"' for each in ROW),
    json.dumps(dict(zip(("clean", "corrupted", "target", "foil"), ROW, strict=True))),
]


@pytest.mark.parametrize("lines", SETS)
def test_a_pasted_line_takes_sets_as_the_command_line_does(lines):
    made = own_question(replace(VIEW, lines=lines))
    assert (made.clean, made.corrupted, made.target, made.foil) == ROW


def test_a_pasted_line_takes_a_bar_of_a_words_own_and_words_of_several_tokens():
    (row,) = own_question(replace(VIEW, lines=LINES + "a | b | \\|| the shop | is")).pairs[1:]
    assert members(row.target) == (" |", " the shop")
    assert row.foil == " is"


def test_pasted_lines_may_come_from_any_editor():
    pasted = "\ufeff" + LINES.replace("\n", "\r\n")
    assert own_question(replace(VIEW, lines=pasted)) == own_question(replace(VIEW, lines=LINES))


def test_a_sentence_and_words_are_a_question_with_both():
    question = own_question(replace(VIEW, **SENTENCE))
    assert (question.clean, question.corrupted) == ("I saw the egg and", "I saw the pear and")
    assert question.target_words == ("egg", "owl")
    assert question.foil_words == ("pear", "dog")
    assert question_of(replace(VIEW, **SENTENCE), FIND) == question


def test_a_view_without_them_asks_its_two_prompts():
    assert own_question(VIEW) is None
    assert library_question(VIEW) is not None
    assert library_question(replace(VIEW, lines=LINES)) is None


@pytest.mark.slow
def test_the_other_pairs_confirm_what_the_first_one_chose(door):
    answer = service.ask(SWEEP, replace(door, lines=LINES), {"screen": 16})
    assert "other pair" in answer.finding
    assert answer.command == ""
    found = json.loads(answer.json)
    assert len(found["candidates"]) == len(found["held_out"])
    alone = service.ask(SWEEP, replace(door, lines=LINES.splitlines()[0]), {"screen": 16})
    assert json.loads(alone.json)["neurons"] == found["neurons"]
    assert "held_out" not in json.loads(alone.json) or not json.loads(alone.json)["held_out"]


def test_own_words_are_tried_in_their_sentence(door):
    answer = service.ask(WORDS, replace(door, **SENTENCE, neuron="L1N3"), {})
    (document,) = json.loads(answer.json)["templates"]
    assert document["template"] == SENTENCE["template"]


@pytest.mark.slow
def test_sets_of_words_are_asked_in_the_same_boxes(door):
    view = replace(door, target=" an| the", foil=" a| his")
    answer = service.ask(FIND, view, {"screen": 16})
    assert json.loads(answer.json)["target"] == " an| the"
    assert "--target ' an| the'" in answer.command
    assert "weighted by their shares" in answer.finding
    with pytest.raises(UserError, match="takes one target token and one foil token"):
        service.ask(named("composition"), view, {})


@pytest.mark.parametrize("name", ["direct_effect", "writers"])
def test_a_set_is_weighed_after_the_visitors_own_prompt(name, door):
    view = replace(door, target=" an| the", foil=" a", neuron="L1N3", clean="I saw the egg and")
    answer = service.ask(named(name), view, {})
    assert answer.result.weighted_at == view.clean
    assert f"--clean '{view.clean}'" in answer.command
    assert parts(view, named(name))["clean"] == view.clean
    assert "clean" not in parts(replace(view, target=" an"), named(name))


def test_what_follows_a_pressed_token_is_asked_by_its_own_text_alone(door):
    view = replace(door, lines=f"{LINES.splitlines()[0]} | the | his", neuron="L1N3")
    answer = following(view, {"place": "0:3", "seed": 0})
    assert f"--clean '{answer.result.prompts[0]}'" in answer.command
    assert "--target ' the' --foil ' his'" in answer.command
    assert "lemon" not in answer.command


def test_an_example_asks_its_own_pair_whatever_was_pasted_before():
    for _, chosen in examples():
        view = replace(VIEW, **{**SENTENCE, "lines": LINES, **chosen})
        assert own_question(view) is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"lines": "one"}, "Line 1 of the pairs has another form: write clean | corrupted, or"),
        ({"lines": "a | b\n\nc | d | e"}, "Line 3 of the pairs has another form"),
        ({"lines": "a | "}, "Line 1 of the pairs"),
        ({"lines": "a | b\n" * (MOST_PAIRS + 1)}, f"There are {MOST_PAIRS + 1} pairs: at most"),
        ({"lines": "a | b | an | an"}, "target and foil are both ' an'"),
        (
            {"lines": "a | b\na | c | is| is | was"},
            "Line 2 of the pairs: the target has ' is' twice.",
        ),
        ({"lines": "a | b | is| | was"}, "Line 1 of the pairs: the target has an empty token"),
        ({"lines": "clean,corrupted,target,foil\na,b, is|,c"}, "pairs.csv: line 2: the target has"),
        (
            {"lines": "clean,corrupted\na,b"},
            "pairs.csv: line 1 names the columns clean, corrupted: it",
        ),
        ({"lines": '{"clean": "a"}'}, "pairs.jsonl: line 1 has no corrupted"),
        ({"lines": "a | b\n\nc | d\r\nb | a"}, "Line 4 is the pair of line 1: leave one out"),
        ({"lines": "a | b\n" * 100_000}, "There are 100000 pairs: at most"),
        ({"lines": "a | b", "template": "x {}"}, "Give pairs of prompts or words in a sentence"),
        ({"template": "I saw {}"}, "There are no target words: give some, with commas"),
        ({**SENTENCE, "foil_words": "," * 9}, "There are no foil words"),
        ({**SENTENCE, "target_words": "a," * 50}, "There are 50 target words: at most"),
        ({**SENTENCE, "template": "no slot"}, "needs {} once, where the word goes"),
        ({**SENTENCE, "template": "{0.__class__}{}"}, "needs {} once, where the word goes"),
        ({**SENTENCE, "foil_words": "egg"}, "'egg' stands in target_words and in foil_words"),
        ({"target": " an| a"}, "' a' is in target and foil"),
        ({"lines": f"{'tree ' * 125} | {'dog ' * 125}"}, "The prompts have 125 tokens"),
        ({"lines": f"{LINES}\n{'tree ' * 125} | {'dog ' * 125}"}, "The prompts have 125 tokens"),
        ({**SENTENCE, "foil_words": f"pear, {'dog ' * 122}"}, "The prompts have 126 tokens"),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(door, parts, sentence):
    with pytest.raises(UserError) as found:
        service.ask(SWEEP, replace(door, **parts), {"screen": 16})
    assert sentence in str(found.value)
    assert is_one_sentence(str(found.value))


OWN_TEXT = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("|{}\n, a"))


@given(st.fixed_dictionaries(dict.fromkeys(("lines", *SENTENCE), OWN_TEXT)))
def test_whatever_is_pasted_makes_a_question_or_a_sentence(parts):
    with suppress(UserError):
        made = own_question(View(**parts))
        assert made is None or isinstance(made, Question)
        assert made is None or len(made.pairs) < MOST_PAIRS


def test_all_that_can_be_pasted_fits_into_a_request():
    texts = [name for name, most in LONGEST.items() if most > 80]
    assert 14 * sum(LONGEST[name] for name in texts) < BODY
    assert CONFIRMING < MOST_PAIRS


def test_a_spreadsheet_with_a_heading_is_read_as_its_table_is():
    rows = [("clean", "corrupted", "target", "foil"), ("a b", 'the "x", y', " an", " a")]
    tabs = "\n".join("\t".join(row) for row in rows).replace('the "x", y', '"the ""x"", y"')
    found = pasted_pairs(f"{tabs}\r\n", {})
    assert found == {**dict(zip(*rows, strict=True)), "pairs": []}
