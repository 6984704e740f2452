"""Answers for a reader on a terminal: tables that fit it and leave nothing out."""

import contextlib
import gc
import io
import json
import math
import os
import re
import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import console
from analysis.errors import UserError
from analysis.imports import leave_all, uncollected
from analysis.results import atomic

NUMBERS = st.integers(10_000, 99_999)
ROWS = st.dictionaries(st.sampled_from(["margin", "cost", "kl"]), NUMBERS, min_size=1)
INNER = st.recursive(
    NUMBERS, lambda inner: ROWS | st.dictionaries(st.sampled_from("abcdef"), inner, min_size=1)
)
DOCUMENTS = st.dictionaries(
    st.sampled_from(["layer", "fit", "held_out", "grafts"]), INNER | st.lists(ROWS, max_size=4)
)


def shown(document):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        console.emit(document, as_json=False)
    return out.getvalue()


def numbers(value):
    if isinstance(value, int):
        return [value]
    return [
        n for item in (value.values() if isinstance(value, dict) else value) for n in numbers(item)
    ]


@pytest.mark.slow
@given(DOCUMENTS)
def test_no_number_of_a_document_is_left_out_or_cut_off(document):
    text = re.sub(r"[\s│]", "", shown(document))
    assert all(str(number) in text for number in numbers(document))


def test_an_estimate_stands_in_one_cell_with_its_interval():
    assert "1.5 (1.25 to 2)" in shown({"fit": {"gain": {"value": 1.5, "interval": [1.25, 2.0]}}})


def test_a_number_and_its_interval_are_one_cell():
    row = {"neuron": "L1N2", "recovery": 0.5, "recovery_interval": [0.25, 0.75]}
    text = shown({"held_out": [row, row | {"recovery_interval": [None, None]}]})
    assert "0.5 (0.25 to 0.75)" in text
    assert "interval" not in text
    assert "interval" in shown({"of": [{"name": "x", "recovery_interval": [0.25, 0.75]}]})


def test_what_there_is_no_number_of_is_an_empty_cell():
    text = shown({"on_news": [{"title": "an", "rate": None}, {"title": "if", "rate": 0.25}]})
    assert "None" not in text
    assert re.search(r"an +│ +│", text)
    assert "None" not in shown({"fit": {"gain": {"value": 1, "interval": None}}, "lowest": None})


def test_a_row_too_wide_for_the_screen_is_turned_on_its_side():
    wide = {f"a_measure_of_name_{i}": i for i in range(12)}
    lines = shown({"held_out": wide}).splitlines()
    assert max(map(len, lines)) < 80
    assert [line.split()[1] for line in lines if "a_measure" in line] == list(wide)


def test_rows_by_name_are_the_rows_of_one_table():
    text = shown({"fit": {"grounds": {"words": {"n": 10}, "articles": {"n": 67}}}})
    assert re.search(r"words +│ 10 ", text)
    assert re.search(r"articles │ 67 ", text)


@pytest.mark.parametrize("before", [True, False])
def test_the_collector_is_off_while_libraries_are_imported_and_as_before_behind_it(before):
    seen = []
    (gc.enable if before else gc.disable)()
    try:
        with contextlib.suppress(ImportError), uncollected():
            seen.append(gc.isenabled())
            raise ImportError
        assert [*seen, gc.isenabled()] == [False, before]
    finally:
        gc.enable()


def test_what_is_there_when_a_process_ends_is_not_walked_through_once_more():
    kept = [[]]
    assert any(each is kept for each in gc.get_objects())
    leave_all()
    assert not any(each is kept for each in gc.get_objects())


def test_numbers_of_a_matrix_are_cut_nowhere_and_have_as_many_decimals():
    rows = [[-0.00374, 0.8812, -7.461e-05] * 4, [0.0, 1.2345, math.nan] * 4]
    text = shown({"recovery": rows})
    assert "…" not in text
    assert "│0│0.00│0.88│0.00│" in text
    small = shown({"recovery": [[0.00123, -0.0004]]})
    assert "0.0012" in small
    assert "-0.0004" in small


def test_a_program_that_is_told_to_end_leaves_nothing_half_written(tmp_path):
    before = signal.getsignal(signal.SIGTERM)

    def app(**_):
        with atomic(tmp_path / "a"):
            os.kill(os.getpid(), signal.SIGTERM)
            signal.sigtimedwait([], 0)  # what was sent is heard by now

    with pytest.raises(SystemExit) as found:
        console.run(app, ZeroDivisionError, UserError)
    assert found.value.code == 143
    assert not any(tmp_path.iterdir())
    assert signal.getsignal(signal.SIGTERM) is before


def test_what_is_nested_too_deeply_is_told_in_a_sentence(capsys):
    def app(**_):
        json.loads("[" * 100_000)

    assert console.run(app, ZeroDivisionError, UserError) == 2
    assert capsys.readouterr().err == "error: What was given is nested too deeply to be read.\n"
