"""Every figure draws from results alone, whatever the results hold."""

import dataclasses
import json
import re

import numpy as np
import plotly.graph_objects as go
import pytest

from analysis.drawing.labels import spread, thinned
from analysis.drawing.style import LINE, THEMES, power, themed, visible
from analysis.experiments import EXPERIMENTS, studied
from analysis.experiments.find.compute import Found
from analysis.original.published import document, lens_curve
from analysis.questions import default
from tests.synthetic import BEST, HOSTILE, Plan, evidence, hostile_plan
from tests.synthetic.neuron_sweep import held_out
from tests.synthetic.over_questions import over_questions

QUANTITY = re.compile(
    r"recovery|logit|probability|activation|layer|head|token|neuron|position|share"
    r"|run|format|question"
)


EXPERIMENT_OF = {figure.name: each.name for each in EXPERIMENTS for figure in each.figures}
FIGURES = list(EXPERIMENT_OF)
OF_NO_STUDY = {"screen_recall"}
"""Drawn of a bench over questions, the same beside every study."""


def draw(name: str, study=None, plan=None) -> go.Figure:
    plan = Plan() if plan is None else plan
    study = study if study is not None else evidence(plan)
    beside = {
        "find": Found((), study.neuron_sweep, study.neuron_sweep.recovery),
        "library": over_questions(plan),
    }
    results = {**study.results, **beside}
    return results[EXPERIMENT_OF[name]].figure(name)


def texts(figure: go.Figure) -> str:
    """All that the figure holds, as the page will carry it."""
    return json.dumps(json.loads(figure.to_json()), ensure_ascii=False)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_takes_the_width_it_is_given_and_stays_small(name):
    figure = draw(name)
    assert figure.layout.width is None
    assert figure.layout.autosize
    assert figure.layout.height > 100
    assert len(figure.to_json()) < 150_000


@pytest.mark.parametrize("name", FIGURES)
def test_every_visible_axis_names_what_it_counts(name):
    figure = draw(name)
    for axes in (figure.select_xaxes, figure.select_yaxes):
        titles = [axis.title.text for axis in axes() if axis.visible is not False]
        assert not titles or any(titles)
        assert all(QUANTITY.search(title) for title in titles if title)


@pytest.mark.slow
@pytest.mark.parametrize("name", FIGURES)
def test_it_draws_what_contradicts_the_claims_and_what_is_hostile_and_each_otherwise(name):
    plans = (Plan(), Plan(holds=False), hostile_plan())
    pages = [texts(draw(name, plan=plan)) for plan in plans]
    if name in OF_NO_STUDY:
        assert len(set(pages)) == 1
        return
    assert len(set(pages)) > 1, "it draws the same whatever was found"
    assert not [text for text in HOSTILE if "<" in text and text in pages[-1]]


@pytest.mark.parametrize("token", [*HOSTILE, "&lt;", "%{x}", "${y}", "\u202egnp", "\x07"])
def test_a_visible_token_holds_no_markup_no_formula_and_no_control(token):
    shown = visible(token)
    assert "<" not in shown
    assert "$" not in shown
    assert all(character.isprintable() for character in shown)


def test_spaces_in_tokens_are_seen():
    assert visible(" an") == "·an"
    assert visible("\n\t") == "⏎⇥"


@pytest.mark.slow
def test_tokens_never_stand_in_a_template_where_they_would_be_read_as_instructions():
    plan = Plan(target=" %{x}", foil=" %{y}", extra=(" %{customdata}",) * 3)
    for name in FIGURES:
        for trace in draw(name, plan=plan).data:
            for part in ("hovertemplate", "texttemplate"):
                template = getattr(trace, part, None) or ""
                assert " %{x}" not in template.replace("near %{x", "").replace("exact %{x", "")


def test_a_planted_neuron_is_named_as_the_best():
    figure = draw("neuron_sweep")
    labels = [note.text for note in figure.layout.annotations]
    assert any(text.startswith(f"<b>L{BEST[0]}N{BEST[1]} ") for text in labels)


@pytest.mark.parametrize("name", ["patching", "heads"])
def test_diverging_colours_are_centred_at_zero(name):
    axis = draw(name).layout.coloraxis
    assert axis.cmin == -axis.cmax
    for theme in THEMES.values():
        scale = theme["template"]["layout"]["coloraxis"]["colorscale"]
        assert len(scale) % 2 == 1


def test_colour_is_clipped_but_the_hover_tells_the_true_recovery():
    study = evidence(Plan())
    maps = study.patching.restored.copy()
    maps[0, 0, -1] = 3.25
    figure = dataclasses.replace(study.patching, restored=maps).figure()
    assert figure.layout.coloraxis.cmax == 1.0
    assert np.max(np.array(figure.data[0].z)) == 3.25
    assert "%{z" in figure.data[0].hovertemplate


def test_one_prompt_alone_is_drawn_without_a_corrupted_one():
    study = evidence(Plan())
    fields = dataclasses.asdict(study.next_token)
    per_prompt = ("prompts", "tokens", "top_probabilities", "p_target", "p_foil")
    per_prompt += ("rank_target", "rank_foil", "logit_diff")
    one = {name: fields[name][:1] for name in per_prompt} | {"natural": 0}
    figure = dataclasses.replace(study.next_token, **one).figure()
    assert "corrupted" not in texts(figure)
    nothing = dataclasses.replace(study.next_token, **one).figure("natural_prompts")
    assert "Nothing to draw" in texts(nothing)


def test_without_held_out_pairs_the_figure_says_so():
    sweep = evidence(Plan()).neuron_sweep
    sweep = dataclasses.replace(sweep, **held_out(sweep, 0))
    assert "Nothing to draw" in texts(sweep.figure("confirmation"))


def test_a_sweep_that_found_nothing_is_drawn_all_the_same():
    sweep = evidence(Plan()).neuron_sweep
    flat = dataclasses.replace(
        sweep,
        recovery=np.zeros_like(sweep.recovery),
        attribution=np.zeros_like(sweep.attribution),
    )
    for name in ("neuron_sweep", "confirmation", "attribution"):
        assert len(flat.figure(name).data) > 0


def test_long_suffixes_thin_their_ticks_but_keep_the_last_position():
    ticks = thinned(100, 8, (99, 3))
    assert len(ticks) <= 9
    assert {99, 3} <= set(ticks)


def test_maps_of_a_long_suffix_stay_small():
    study = evidence(Plan())
    maps = np.random.default_rng(0).normal(size=(3, 36, 80)).astype(np.float32)
    tokens = tuple(f" word{i}" for i in range(80))
    other = (*tokens[:20], " other", *tokens[21:])
    long = dataclasses.replace(
        study.patching,
        restored=maps,
        broken=maps,
        heads_restored=maps[0, :, :4],
        heads_broken=maps[1, :, :4],
        start=20,
        clean_tokens=tokens,
        corrupted_tokens=other,
    )
    figure = long.figure()
    assert len(figure.to_json()) < 150_000
    assert "·word20 / ·other" in texts(figure)


def test_lines_over_a_histogram_end_above_its_highest_bar_and_get_shorter_to_the_left():
    figure = draw("direct_effect")
    lines = [shape for shape in figure.layout.shapes if shape.type == "line"]
    stems = [line for line in lines if line.yref in (None, "y")]  # the dotted one spans the plot
    assert min(stem.y1 for stem in stems) > max(figure.data[0].y)
    assert [s.y1 for s in sorted(stems, key=lambda s: -s.x0)] == sorted(
        (s.y1 for s in stems), reverse=True
    )


def test_the_ends_of_two_curves_at_one_height_are_labelled_apart():
    study = evidence(Plan())
    same = np.zeros(2, dtype=np.float32)
    figure = dataclasses.replace(study.logit_lens, model_logit_diff=same).figure()
    shifts = [note.yshift for note in figure.layout.annotations if note.yshift is not None]
    assert abs(shifts[0] - shifts[1]) >= 2 * LINE - 1e-6


def test_labels_are_spread_apart_within_their_bounds():
    placed = spread([1.0, 1.0, 1.1, 9.0], gap=2.0, low=0.0, high=10.0)
    steps = np.diff(sorted(placed))
    assert (steps >= 2.0 - 1e-9).all()
    assert min(placed) >= 0.0
    assert max(placed) <= 10.0 + 1e-9


def test_a_theme_changes_the_template_and_nothing_else():
    figure = draw("heads")
    dark = themed(figure, "dark")
    assert dark.layout.template != figure.layout.template
    assert dark.data == figure.data


def test_every_step_of_the_study_is_drawn():
    drawn = {figure.name for _, figure in evidence(Plan()).figures}
    assert drawn == {f.name for step in studied() for f in step.figures}
    assert {step.name for step in studied() if not step.figures} == {"verification"}


def test_small_numbers_are_written_as_powers():
    assert power(1.2e-6) == "1\u00a0×\u00a010⁻⁶"


def test_the_published_lens_is_drawn_beside_the_same_question_and_beside_no_other():
    study = evidence(Plan())
    same = dataclasses.replace(study.logit_lens, prompts=(default().clean, default().corrupted))
    for result, drawn in ((same, True), (study.logit_lens, False)):
        names = [trace.hovertemplate or "" for trace in result.figure().data]
        assert any("published" in name for name in names) == drawn


def test_the_published_curve_ends_where_the_original_printed_it():
    curve = lens_curve(document())
    assert len(curve) == 2 * document()["model"]["layers"] + 1
    assert curve[-1] == pytest.approx(1.2574, abs=1e-3)
