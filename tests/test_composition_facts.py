"""What is told of a neuron's direct and indirect effect: figures, claims, and the verb."""

import dataclasses
from functools import partial
from itertools import pairwise
from operator import attrgetter

import numpy as np
import pytest

from analysis.claims import Claims
from analysis.experiments.composition.compute import composition, held_out_shares
from analysis.experiments.composition.facts import facts
from analysis.experiments.composition.figures import TOTAL, waterfall
from analysis.experiments.composition.figures import composition as drawn
from analysis.experiments.composition.figures_held_out import (
    composition_held_out,
    composition_pushes,
)
from analysis.neuron import Neuron
from tests.prose import Prose, check_opposites, render
from tests.questions import CLEAN, CORRUPTED
from tests.synthetic import Plan, changed, evidence, toy_plan

TRUE_AND_FALSE = [
    (
        "It acts directly, and later components take part of it back",
        "It acts mostly through later components",
    ),
    (
        "L4N2 undoes about a third of what the neuron writes",
        "No single later head or neuron undoes as much",
    ),
    ("So single paths tell nearly all of it", "So single paths do not tell all of it"),
    ("Both ways tell the same story", "The two ways do not tell the same story"),
    ("takes part of it back there", "less than half of it"),
    ("So most of its answer is for the push, whoever makes it", "for this neuron’s own write, not"),
    ("directly (at most 0.00, against 0.44)", "So the neuron is nothing special in its layer"),
]


@pytest.mark.parametrize(("said", "opposite"), TRUE_AND_FALSE)
def test_data_against_a_claim_bring_out_the_opposite_sentence(pages, said, opposite):
    check_opposites(pages, said, opposite)


def claims_with(**fields):
    return Claims(changed(evidence(Plan()), "composition", **fields)).composition


@pytest.mark.parametrize(
    ("verdict", "is_true"),
    [
        ("denoising.mostly_direct", True),
        ("agree", True),
        ("complete", True),
        ("against", True),
        ("held_out.exceeds", True),
        ("controls.weaker", True),
        ("pushed.by_any", True),
        ("pushed.opposes", True),
        ("pushed.by_write", False),
        ("held_out.minor", False),
        ("controls.as_large", False),
    ],
)
def test_facts_of_a_study_and_of_its_opposite(verdict, is_true):
    holds, fails = (facts(evidence(Plan(holds=h)).composition) for h in (True, False))
    assert bool(attrgetter(verdict)(holds)) is is_true
    assert bool(attrgetter(verdict)(fails)) is not is_true


@pytest.mark.parametrize(
    ("direct", "ending"),
    [
        (0.55, "add to it"),
        (0.97, "change little"),
        (1.03, "change little"),
        (1.5, "take part of it back"),
        (2.5, "take most of it back"),
    ],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_the_heading_says_what_later_components_do_to_the_write(direct, ending, sign):
    fields = {"direct": sign * direct * np.ones(2), "total": sign * np.ones(2)}
    fields = {name: values.astype(np.float32) for name, values in fields.items()}
    assert claims_with(held_out=(), **fields).heading.endswith(f"later components {ending}")


def test_a_share_that_may_be_half_is_told_as_such_in_the_heading():
    held_out = evidence(Plan()).composition
    total = held_out.held_out_total
    shares = np.resize(np.array([0.3, 0.7], np.float32), total.shape)
    said = claims_with(held_out_direct=(total * shares).astype(np.float32))
    assert said.facts.held_out.either
    assert said.heading == "It acts partly by itself, partly through later components"
    wide = np.resize(np.array([0.1, 2.9], np.float32), total.shape)
    unknown = claims_with(held_out_direct=(total * wide).astype(np.float32))
    assert "partly" not in unknown.heading


def test_where_other_pairs_say_the_opposite_of_the_pair_the_heading_says_that_they_differ():
    pair = {"direct": np.full(2, 0.5, np.float32), "total": np.ones(2, np.float32)}
    assert claims_with(**pair).facts.held_out.exceeds
    differs = "It acts directly; what later components do differs between pairs"
    assert claims_with(**pair).heading == "It acts mostly through later components"
    assert claims_with(**pair | {"direct": pair["direct"] * 1.2}).heading == differs
    there = claims_with(held_out_direct=evidence(Plan()).composition.held_out_direct * 0.6)
    assert there.facts.held_out.adds
    assert there.heading == differs


@pytest.mark.slow
def test_a_neuron_of_the_last_layer_is_said_to_have_nothing_behind_it():
    claims = Claims(evidence(toy_plan())).composition
    assert claims.heading == "It acts directly: no layer stands behind it"
    assert "nothing can answer to it" in claims.later
    assert "final norm" in claims.paths
    assert "undefined" not in Prose(render(evidence(toy_plan()))).text


def test_without_held_out_pairs_page_and_figure_say_so():
    none = {
        "held_out": (),
        **{f"held_out_{n}": np.zeros(0, "f") for n in ("total", "direct", "direct_unfrozen")},
        **{f"held_out_noising_{n}": np.zeros(0, "f") for n in ("total", "direct")},
        "pushed_total": np.zeros((2, 0, 3), "f"),
        "pushed_components": np.zeros((2, 0, 3, 2), "f"),
        "random_total": np.zeros((2, 0, 20), "f"),
        "random_components": np.zeros((2, 0, 20, 2), "f"),
    }
    claims = claims_with(**none)
    assert "split of one pair" in claims.held_out
    assert "no held-out pairs" in claims.held_out_caption
    assert "no held-out pairs" in claims.pushed
    result = dataclasses.replace(evidence(Plan()).composition, **none)
    assert "Nothing to draw" in composition_held_out(result).layout.annotations[0].text


def test_held_out_pairs_of_either_sign_leave_no_interval_and_no_verdict():
    result = evidence(Plan()).composition
    total = result.held_out_total * np.array([1, -1, 1, -1, 1, 1], dtype=np.float32)
    claims = claims_with(held_out_total=total)
    assert "without an interval" in claims.held_out
    assert "which says nothing of other pairs" in claims.held_out


def test_the_sweeps_lowest_neuron_is_said_to_answer_only_where_it_does():
    study = evidence(Plan())
    named = dataclasses.replace(study.composition, neuron="L2N1")  # so that L3N2 is behind it
    sweep = study.neuron_sweep.recovery.copy()
    sweep[3, 2] = -0.3
    study = changed(study, "neuron_sweep", recovery=sweep)

    def lowest(by_itself):
        neurons = np.zeros_like(named.neurons_full)
        neurons[:, :, 2] = by_itself
        components = {"neurons_full": neurons, "components": ("L3N2", "L3H0"), "neuron": "L2N1"}
        return Claims(changed(study, "composition", **components)).composition.lowest

    assert "most of what it does is an answer to this neuron" in lowest(-1.2)
    assert "is not, for the most part, an answer" in lowest(-0.2)
    assert "cannot answer to it" in Claims(study).composition.lowest


def test_controls_that_change_as_much_are_not_excused():
    result = evidence(Plan()).composition
    claims = claims_with(control_delta=np.full_like(result.control_delta, 20.0)).wrong
    assert "They change less" not in claims
    assert "none writes as much" in claims
    loud = claims_with(control_delta=np.full_like(result.control_delta, 1e-3)).wrong
    assert "some write as much" in loud


@pytest.mark.parametrize("plan", [Plan(), Plan(holds=False), toy_plan()])
def test_the_bars_lead_from_nothing_to_the_total_without_a_gap(plan):
    result = evidence(plan).composition
    steps = waterfall(result)
    assert steps[-1][0] == TOTAL
    assert steps[-2][0] == "final norm"
    for (_, _, end, _), (_, begin, *_) in pairwise(steps[:-1]):
        assert begin == pytest.approx(end)
    assert steps[0][1] == 0.0
    assert steps[-2][2] == pytest.approx(steps[-1][2], abs=1e-5)


def test_the_bars_of_a_real_split_reach_its_total_too(subject, pair):
    result = composition(subject, Neuron(1, 7), pair, controls=2)
    steps = waterfall(result)
    assert steps[-2][2] == pytest.approx(float(result.total[0]), abs=1e-4)
    assert len(drawn(result).to_json()) < 150_000


@pytest.mark.parametrize(
    ("name", "bar", "said"),
    [
        ("post_norms", "later norms", "+0.200 from the scales of the norms behind later attention"),
        ("cap", "logit cap", "+0.200 from the cap on the logits"),
    ],
)
def test_what_scales_and_a_cap_do_is_told_where_there_are_such(name, bar, said):
    result = evidence(Plan()).composition
    fifth = np.full(2, 0.2)
    added = {name: fifth, "total": result.total + fifth}
    steps = waterfall(dataclasses.replace(result, **added))
    assert bar in [step for step, *_ in steps]
    assert steps[-2][2] == pytest.approx(steps[-1][2], abs=1e-5)
    assert said in " ".join(claims_with(**added).paths.split())
    assert bar not in [step for step, *_ in waterfall(result)]
    assert said[7:] not in claims_with().paths


def test_controls_stand_in_the_figure_of_the_claim():
    figure = drawn(evidence(Plan()).composition)
    names = {row[0] for trace in figure.data for row in (trace.customdata or ())}
    assert set(evidence(Plan()).composition.controls) <= names


PAIR = ("--clean", CLEAN, "--corrupted", CORRUPTED)


@pytest.fixture
def run(analysis, llama_folder):
    return partial(analysis, "composition", "--model", llama_folder, *PAIR)


@pytest.mark.slow
def test_the_verb_prints_the_keys_that_others_rely_on(answer, folder):
    found = answer("composition", "--model", folder, *PAIR, "--neuron", "L1N3", "--top", "4")
    assert {"total", "direct", "direct_unfrozen", "indirect", "by_component", "remainder"} <= set(
        found
    )
    assert len(found["by_component"]) == 5  # four heads and the MLP of the one later layer
    effects = [abs(row["effect"]) for row in found["by_component"]]
    assert effects == sorted(effects, reverse=True)
    whole = found["direct"] + sum(row["effect"] for row in found["by_component"])
    assert whole + found["remainder"] == pytest.approx(found["total"], abs=1e-4)
    assert len(found["neurons"]) == 4
    assert len(found["controls"]) == 20


@pytest.mark.slow
def test_the_verb_finds_a_neuron_and_prints_tables_for_a_reader(run):
    code, out, err = run()
    assert code == 0
    assert "is the best of a sweep" in err
    assert "{" not in out
    assert "by component" in out


def test_a_later_part_that_turns_its_sign_is_not_said_to_do_the_same_both_ways():
    full = evidence(Plan()).composition.neurons_full
    assert "Both ways tell the same story" in claims_with(neurons_full=full).noising
    turned = full.copy()
    turned[1] *= -1
    claims = claims_with(neurons_full=turned).noising
    assert "agree on the whole, but not on L4N2: whether it helps or hinders" in claims
    assert "Both ways tell the same story" not in claims


def test_what_is_taken_back_almost_whole_is_not_called_a_part():
    result = evidence(Plan()).composition
    assert "take part of it back" in claims_with().heading
    assert "take most of it back" in claims_with(total=result.total * 0 + 0.5).heading


def test_held_out_parts_are_told_as_shares_of_the_direct_effect_too():
    result = evidence(Plan()).composition
    shares = held_out_shares(result, of="direct")
    assert shares["direct"][0] == pytest.approx(1.0)
    assert shares["L4N2"][0] == pytest.approx(-1.35 / 4)
    assert "which is \u221234\u202f% of the direct effect" in claims_with().held_out


def pushed_with(part, rest, random=0.04, noising=None):
    """What is told of L4N2 when its answers to the pushes are these shares of its answer."""
    result = evidence(Plan()).composition
    answers, draws = result.pushed_components.copy(), result.random_components.copy()
    answers[:, :, 1:] = answers[:, :, :1] * np.array([part, rest], "f")[:, None]
    draws[:] = answers[:, :, :1] * random
    if noising is not None:
        answers[1, :, 1] = answers[1, :, 0] * noising
    return claims_with(pushed_components=answers, random_components=draws).pushed


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ((0.8, 0.2), "whoever makes it: generic opposition"),
        ((0.2, 0.8), "for this neuron’s own write"),
        ((0.8, 0.2, 0.9), "more than any other push is not shown"),
        ((0.8, 0.2), "part of the answer is for what else this neuron writes"),
        (
            (0.8, 0.0),
            "That the rest of this write brings more than a random direction is not shown",
        ),
        ((0.8, 0.2), "which says the same"),
        ((0.8, 0.2, 0.04, 0.1), "which does not say the same"),
    ],
)
def test_whom_a_later_neuron_answers_is_read_off_the_pushes(shares, said):
    assert said in pushed_with(*shares)


def test_where_noising_has_no_interval_it_neither_agrees_nor_disagrees():
    answers = evidence(Plan()).composition.pushed_components.copy()
    answers[1] *= np.array([1, -1] * 3)[:, None, None]
    told = claims_with(pushed_components=answers).pushed
    assert "generic opposition" in told
    assert "(without an interval)." in told
    assert "say the same" not in told


def test_a_share_that_differs_between_pairs_is_not_decided():
    result = evidence(Plan()).composition
    answers = result.pushed_components.copy()
    answers[:, :, 1] = answers[:, :, 0] * np.array([0.2, 0.8] * 3)[:, None]
    assert "cannot be told" in claims_with(pushed_components=answers).pushed


def test_the_figure_of_pushes_has_every_push_of_every_component():
    result = evidence(Plan()).composition
    figure = composition_pushes(result)
    assert [len(trace.x) for trace in figure.data] == [len(result.components)] * 3
    assert figure.data[1].x[0] == pytest.approx(0.8 * figure.data[0].x[0], abs=1e-3)
    assert len(figure.layout.shapes) == len(result.components)
