"""An address restores the very view, whatever its texts hold; what cannot be is not taken."""

from dataclasses import asdict, replace
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlencode

import gradio as gr
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from analysis import questions
from analysis.errors import UserError
from analysis.experiments import named
from space import tabs
from space.app import Wiring
from space.own import library_question, question_of
from space.pages import Pages
from space.question_bar import examples, received
from space.view import LONGEST, NAMES, USUAL, View, from_query, library, make_view
from tests.space.questions import VIEW, is_one_sentence, sent

START = View(model="tiny", neuron="L1N3")
CHARACTERS = st.characters(exclude_categories=["Cs"])


def views(characters=CHARACTERS):
    return st.builds(
        View, **{name: st.text(characters, max_size=min(LONGEST[name], 60)) for name in NAMES}
    )


HOSTILE = View(
    clean="${7*7}{{7*7}}<img src=x onerror=alert(1)>",
    corrupted="a=b&c=d;e#f%20+ ?/\\",
    target="\u202eright to left\u202c",
    foil="\x00\x07\x1b\r\n\t",
    text="🍎👩‍👩‍👧 שלום مرحبا",
)


@given(views())
@example(HOSTILE)
@example(START)
def test_an_address_and_the_wire_restore_the_very_view(view):
    """By names: in whatever order they come, and what is as at the start may be left out."""
    parts = dict(reversed(asdict(view).items()))
    differing = {name: text for name, text in parts.items() if text != getattr(START, name)}
    query = dict(parse_qsl(urlencode(differing), keep_blank_values=True))
    assert from_query(query, START) == view
    assert make_view(parts) == view
    assert received(sent(**parts)) == view


@pytest.mark.parametrize("name", [each.name for each in library()])
def test_an_address_that_names_a_question_alone_asks_it(name):
    asked = questions.load(name)
    view = from_query({"question": name, "tab": "find"}, START)
    for part in ("clean", "corrupted", "target", "foil"):
        assert getattr(view, part) == getattr(asked, part)
    assert view.neuron == (START.neuron if asked == USUAL else "")
    assert from_query({"question": name, "neuron": "L9N9"}, START).neuron == "L9N9"
    own = {"question": name, "foil": " the"}
    assert from_query(own, START) == replace(START, **own)
    assert from_query({"question": "no such"}, START).target == START.target


def test_an_address_opens_each_of_the_tabs_and_fills_every_box():
    with gr.Blocks():
        pages = Pages(tabs.first())
        assert {tab.name for tab in pages} == {tab.name for tab in tabs.tabs()}
    boxes = SimpleNamespace(boxes={name: name for name in NAMES})
    restore = Wiring(boxes, [], [], START)._restorer(pages)
    parts = {name: f" {name}" for name in NAMES - {"model"}}
    for tab in tabs.tabs():
        filled = restore(SimpleNamespace(query_params={**parts, "tab": tab.name}))
        opened = {
            name: filled.pop(row)["selected"] for name, row in pages.rows.items() if row in filled
        }
        assert filled == {**parts, "tab": tab.name, "model": START.model}
        assert tab.name == opened.get(opened[""], opened[""])


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_part_is_taken_up_to_its_longest_and_no_longer(name):
    longest, longer = "é" * LONGEST[name], "é" * (LONGEST[name] + 1)
    assert getattr(make_view({name: longest}), name) == longest
    assert from_query({name: longest}, START) == replace(START, **{name: longest})
    with pytest.raises(UserError) as found:
        make_view({name: longer})
    assert is_one_sentence(str(found.value))
    assert from_query({name: longer, "other": "x"}, START) == START


@pytest.mark.parametrize("value", [None, 1, 1.5, True, [], ["a"], {}, b"a"], ids=repr)
@pytest.mark.parametrize("name", sorted(NAMES))
def test_what_is_no_text_is_refused_or_left_as_it_was(name, value):
    with pytest.raises(UserError) as found:
        make_view({name: value})
    assert is_one_sentence(str(found.value))
    assert from_query({name: value}, START) == START


@pytest.mark.parametrize("value", [None, 1, [], ["a"], "a", {"other": "x"}, {1: "x"}], ids=repr)
def test_what_is_no_view_is_refused_in_a_sentence(value):
    with pytest.raises(UserError) as found:
        make_view(value)
    assert is_one_sentence(str(found.value))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 90_000, "1" * 200_000, None, {}, 1])
def test_what_was_not_sent_by_the_page_is_refused_in_a_sentence(text):
    with pytest.raises(UserError) as found:
        received(text)
    assert is_one_sentence(str(found.value))


PAIR, WORDS = named("upstream"), named("direct_effect")


def test_the_usual_view_asks_the_default_question_itself():
    assert question_of(View(), PAIR) is library()[0]


def test_a_question_that_is_not_there_is_said_not_to_be_unless_other_words_are_asked():
    with pytest.raises(UserError, match="There is no question 'gone' here: choose one of an, "):
        question_of(View(question="gone"), PAIR)
    assert question_of(View(question="gone", target=" was"), PAIR).target == " was"


def test_words_bring_the_librarys_question_that_has_them():
    """Whichever the view names, and its other words and sentences stay with another pair."""
    other = library()[1]
    typed = replace(VIEW, target=other.target, foil=other.foil)
    assert library_question(typed) is library_question(replace(typed, question=other.name)) is other
    assert question_of(typed, PAIR).target_words == other.target_words
    assert (question_of(typed, PAIR).clean, question_of(typed, PAIR).natural) == (VIEW.clean, ())
    assert question_of(typed, WORDS) is other, "no prompt is read, so none counts"


def test_other_words_bring_nothing_else():
    view = replace(VIEW, target=" egg")
    assert library_question(view) is None
    assert not question_of(view, PAIR).has_words


def test_the_examples_are_the_librarys_and_can_all_be_asked():
    """Each is titled by its question, or by what its file calls it."""
    titles = [title for title, _ in examples()]
    assert [q.title for q in library()] == [t for t in titles if t in {q.title for q in library()}]
    assert {e.name for q in library() for e in q.examples} < set(titles)
    for _, parts in examples():
        view = make_view(parts)
        assert library_question(view).name == view.question
        assert question_of(view, PAIR).corrupted
