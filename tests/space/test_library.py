"""The tab of the words that have a neuron shows the committed table, and asks no model."""

import json

import pytest

from analysis import EMBEDDED, results
from space import html, library
from tests.synthetic import Plan
from tests.synthetic.over_questions import over_questions, save_rows


@pytest.mark.slow
def test_the_committed_table_of_the_embedded_model_has_a_row_for_each_question():
    table = library.committed(EMBEDDED)
    names = {path.parent.name for path in (results.COMMITTED / EMBEDDED).glob("*/library.json")}
    assert {row["name"] for row in json.loads(table.json)["questions"]} == names
    assert len(table.rows) == len(names) == 12
    assert "the model does not tell these apart" in html.foot(table)
    assert ">·an<" in html.foot(table), "the space that a target begins with is seen"


def test_a_model_without_one_has_none_and_another_s_is_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "COMMITTED", tmp_path)
    save_rows(tmp_path, over_questions(Plan(model="another")))
    table = library.committed("another")
    assert "Only one has a neuron" in table.finding
    assert table.command == "an-neuron library --model another --keep results"
    assert library.committed("nobody") is None
