"""An address restores the very view, whatever its texts hold; what cannot be is not taken."""

from dataclasses import asdict, replace
from urllib.parse import parse_qsl

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from analysis.errors import UserError
from space.view import LONGEST, NAMES, View, from_query, make_view, to_query
from tests.space.asked import is_one_sentence

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
def test_an_address_restores_the_very_view(view):
    query = dict(
        parse_qsl(to_query(view, START), keep_blank_values=True, strict_parsing=view != START)
    )
    assert from_query(query, START) == view
    assert make_view(**asdict(view)) == view


@given(views(st.characters(codec="ascii")), views(st.characters(codec="ascii")))
def test_an_address_says_only_what_differs_from_the_start(view, start):
    differing = [name for name in NAMES if getattr(view, name) != getattr(start, name)]
    address = to_query(view, start)
    assert address.isascii()
    assert [name for name, _ in parse_qsl(address, keep_blank_values=True)] == differing


@pytest.mark.parametrize("name", NAMES)
def test_a_part_is_taken_up_to_its_longest_and_no_longer(name):
    longest, longer = "é" * LONGEST[name], "é" * (LONGEST[name] + 1)
    assert getattr(make_view(**{name: longest}), name) == longest
    assert from_query({name: longest}, START) == replace(START, **{name: longest})
    with pytest.raises(UserError) as told:
        make_view(**{name: longer})
    assert is_one_sentence(str(told.value))
    assert from_query({name: longer, "other": "x"}, START) == START


@pytest.mark.parametrize("value", [None, 1, 1.5, True, [], ["a"], {}, b"a"], ids=repr)
@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_text_is_refused_or_left_as_it_was(name, value):
    with pytest.raises(UserError) as told:
        make_view(**{name: value})
    assert is_one_sentence(str(told.value))
    assert from_query({name: value}, START) == START
