"""Sentences light up the marks of a figure that they name: found by name, never by place."""

import html
import json
import re
from types import SimpleNamespace

import numpy as np
import plotly.graph_objects as go
import pytest
from markupsafe import Markup

from analysis.claims import Claims
from analysis.wording import token
from report.marks import called, lights
from report.page import POST
from report.panels import Absent, panels
from tests.prose import render
from tests.synthetic import Plan, changed, evidence, hostile_plan


def figure(*marks):
    return SimpleNamespace(name="plot", marks=marks)


def lit(text):
    """Figure and marks of each sentence that lights some up."""
    found = re.findall(r'<span class="lights" data-figure="(\w+)" data-marks="([^"]*)">', text)
    return [(name, json.loads(html.unescape(marks))) for name, marks in found]


def test_a_point_is_called_what_its_data_begin_with_and_its_trace_is():
    plot = go.Figure()
    plot.add_scatter(x=[1, 2], y=[1, 2], mode="markers", customdata=[["L1N2", "0.5"], ["L0N0", ""]])
    plot.add_scatter(x=[1], y=[1], mode="markers", text=["L3N4"], name="a row")
    plot.add_bar(x=[1], y=[1], customdata=[["·an", "1"]])
    plot.add_scatter(x=[1], y=[1], mode="lines", customdata=[["MLP 3"]])  # has no points
    plot.add_heatmap(z=[[1]], text=[["L9H9"]])
    plot.add_bar(x=[1], y=[1], customdata=[7])
    assert called(plot) == ("L1N2", "L0N0", "a row", "L3N4", "·an")


def test_a_sentence_lights_up_what_it_names_and_nothing_else():
    sentence = Markup("L1N2 recovers most; L7N7 is not drawn, and L1N22 is another.")
    assert lit(lights(sentence, figure("L1N2", "L0N0", "L1N22", "L2N2"))) == [
        ("plot", ["L1N2", "L1N22"])
    ]
    assert lights(sentence, figure("L0N0", "L7N")) == sentence


def test_a_word_of_the_sentence_is_no_token():
    sentence = Markup("an answer is {}").format(token(" an"))
    assert lit(lights(sentence, figure("an", "answer", "·an"))) == [("plot", ["·an"])]


def test_what_a_sentence_does_not_name_can_be_said():
    sentence = Markup("Of the others, L1N1 is far behind.")
    assert lit(lights(sentence, figure("L1N1", "L2N2", "L3N3"), "L2N2", "L3N3")) == [
        ("plot", ["L2N2", "L3N3"])
    ]


def test_of_a_figure_that_is_left_out_nothing_is_lit():
    assert lights(Markup("L1N2"), Absent("plot", "no other words")) == "L1N2"


def test_a_token_that_looks_like_markup_is_lit_and_stays_text():
    hostile = ' "><img src=x>'
    shown = html.escape('·"><img·src=x>', quote=False)  # as figures write it
    text = lights(Markup("{} leads").format(token(hostile)), figure(shown))
    assert lit(text) == [("plot", [shown])]
    assert "<img" not in text


@pytest.mark.slow
@pytest.mark.parametrize("plan", [Plan(), Plan(holds=False), hostile_plan()])
def test_each_figure_of_the_post_has_sentences_that_speak_of_its_marks(plan):
    study = evidence(plan)
    drawn = panels(study, Claims(study))
    page = render(study, file=POST)
    said = {}
    for name, marks in lit(page):
        assert set(marks) <= set(drawn[name].marks)
        said.setdefault(name, []).append(marks)
    assert {"neuron_sweep", "confirmation", "next_token", "generality"} <= set(said)
    best = study.neuron_sweep.candidates
    assert any(marks[0] == best[0] for marks in said["neuron_sweep"])
    assert list(best[1:]) in said["confirmation"]
    templates = [html.escape(text, quote=False) for text in study.generality.templates]
    assert [marks == templates[1:] for marks in said["generality"]].count(True) == 1


@pytest.mark.slow
def test_the_jump_of_the_lens_is_lit_wherever_it_is():
    """The name is the result's: another curve jumps elsewhere, and the sentence follows."""
    study = evidence(Plan())
    curve = np.zeros_like(study.logit_lens.logit_diff)
    curve[0, 2:] = 5.0  # the second half layer after the embedding is MLP 0
    for moved, place in ((study, None), (changed(study, "logit_lens", logit_diff=curve), "MLP 0")):
        jump = Claims(moved).logit_lens.facts.jump.component
        assert place is None or jump == place
        assert ("logit_lens", [jump]) in lit(render(moved, file=POST))
