"""A neuron of the owner's scan: read off the table, shown on its tab, and escaped."""

import json

import gradio as gr
import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from analysis.errors import UserError
from analysis.scanning.scan_table import QUADRANTS, QUANTILES, schema
from analysis.scanning.scanned import KEY
from space import html, service, tabs
from space.neuron_panel import SCANNED, scanned_panel
from space.question_bar import QuestionBar
from space.scan_row import scanned
from space.session import Session
from space.settings import TABLE, Settings, from_environment
from space.view import View
from tests.prose import Prose
from tests.space.questions import is_one_sentence, sent, tiny_loader
from tests.space.test_escaping import TEXTS

VIEW = View(model="tiny", neuron="L1N2")


def row(layer, number, texts):
    """A neuron that was read on 16 tokens, highest before ``texts``."""
    around = [
        {"value": 9.0 - i, "document": i, "position": 4, "before": t, "token": t, "after": t}
        for i, t in enumerate(texts)
    ]
    return {
        "neuron": f"L{layer}N{number}",
        "layer": layer,
        "number": number,
        "tokens": 16,
        "mean": -4.7e-4,
        "variance": 4.0,
        **dict(zip(QUANTILES, np.linspace(-1.5, 7, 5), strict=True)),
        "highest": around,
        "lowest": [{**each, "value": -each["value"]} for each in around],
        **dict(zip(QUADRANTS, (1, 2, 4, 9), strict=True)),
    }


@pytest.fixture(scope="module")
def table_of(tmp_path_factory):
    """Writes a table of two layers with three neurons each, whose extremes stand at some texts."""

    def write(*texts):
        path = tmp_path_factory.mktemp("scan") / "neurons.parquet"
        key = {KEY: json.dumps({"model": "tiny", "revision": "0"})}
        with parquet.ParquetWriter(path, schema().with_metadata(key)) as file:
            for layer in range(2):
                rows = [row(layer, number, texts) for number in range(3)]
                file.write_table(pa.Table.from_pylist(rows, file.schema))
        return path

    return write


def test_the_panel_says_what_the_table_has_of_the_neuron(table_of):
    path = table_of(" an", " a")
    found = scanned(path, "L1N2")
    assert found.moments["mean"] == -4.7e-4
    assert found.moments["deviation"] == 2.0, "the root of the variance"
    assert found.moments["quantile 0.01"] == -1.5
    assert found.quadrants == (("+", "+", 1), ("+", "−", 2), ("−", "+", 4), ("−", "−", 9))
    assert [each["value"] for each in found.extremes] == [9.0, 8.0, -8.0, -9.0]
    text = Prose(scanned_panel(path).shown(VIEW)).text
    assert "of 16 tokens, L1N2 has the activations below" in text
    assert "9.00" in text
    assert "−5 × 10⁻⁴" in text


@pytest.mark.parametrize(
    ("view", "says"),
    [
        (View(model="tiny"), "name one"),
        (View(model="gpt2", neuron="L1N2"), "is of tiny, and says nothing of gpt2"),
        (View(model="tiny", neuron="L2N0"), "L2N0 is outside this model"),
        (View(model="tiny", neuron="<b>"), "<b>"),
    ],
)
def test_what_it_cannot_say_is_a_sentence(table_of, view, says):
    assert says in Prose(scanned_panel(table_of(" an")).shown(view)).text


def test_texts_of_a_scan_bring_no_markup(table_of):
    tame, hostile = (
        Prose(html.of_neuron("scanned", {}, {"found": found, "model": "tiny"}))
        for found in (scanned(table_of(*texts), "L0N0") for texts in ((" an",), TEXTS))
    )
    assert set(hostile.elements) == set(tame.elements)
    assert set(hostile.attributes) == set(tame.attributes)
    assert "\x1b" not in hostile.text


def test_the_page_tells_of_the_neuron_on_its_tab_alone(table_of):
    settings = Settings(models=("tiny",), table=table_of(" an"))
    service.open_session(Session(settings, tiny_loader))
    with gr.Blocks() as demo:
        bar = QuestionBar(settings, VIEW)
        tabs.build(next(each for each in tabs.tabs() if each.name == SCANNED), bar)
    (event,) = [each.fn for each in demo.fns.values() if each.name == "_sent"]
    there = event(sent(model="tiny", neuron="L1N2", tab=SCANNED))
    assert "L1N2 has the activations below" in there
    assert event(sent(model="tiny", neuron="L1N2", tab="find")) == gr.skip()


def test_a_table_that_is_none_is_told_before_the_app_starts(table_of, tmp_path):
    path = table_of(" an")
    assert from_environment({TABLE: str(path)}).table == path
    (tmp_path / "other.parquet").write_bytes(b"PAR1")
    for wrong in (tmp_path / "none.parquet", tmp_path / "other.parquet"):
        with pytest.raises(UserError) as found:
            from_environment({TABLE: str(wrong)})
        assert is_one_sentence(str(found.value))
