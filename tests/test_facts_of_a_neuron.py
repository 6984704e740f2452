"""Verdicts on the sweep, on what a neuron writes, and on what drives it."""

import dataclasses

import pytest

from analysis import sentences
from analysis.experiments import named
from analysis.experiments.direct_effect.facts import facts as written
from analysis.experiments.neuron_sweep.facts import facts as swept
from analysis.experiments.upstream.facts import facts as driven
from tests.synthetic import VOCABULARY, Plan, evidence, hostile_plan
from tests.synthetic.neuron_sweep import held_out

HOLDS, FAILS = evidence(Plan()), evidence(Plan(holds=False))


def _lowering():
    """A neuron whose positive activation lowers the target most."""
    usual = HOLDS.direct_effect
    return dataclasses.replace(
        usual,
        target_logit=-usual.target_logit,
        target_rank=VOCABULARY,
        bottom_tokens=usual.top_tokens,
        bottom_logits=-usual.top_logits,
        variant_logits=-usual.variant_logits,
    )


def test_facts_of_the_sweep_hold_or_fail_with_the_result():
    holds, fails = swept(HOLDS.neuron_sweep), swept(FAILS.neuron_sweep)
    assert holds.leads
    assert holds.held_out.holds
    assert not fails.leads
    assert not fails.held_out.holds
    assert fails.held_out.rank == 3


def test_facts_of_a_sweep_without_held_out_pairs_confirm_nothing():
    none = held_out(HOLDS.neuron_sweep, 0)
    assert swept(dataclasses.replace(HOLDS.neuron_sweep, **none)).held_out is None


@pytest.mark.parametrize("sign", [1, -1])
def test_facts_of_a_write_are_read_with_the_sign_that_the_neuron_is_used_with(sign):
    result = HOLDS.direct_effect if sign > 0 else _lowering()
    used, unused = written(result, sign), written(result, -sign)
    assert used.writes
    assert used.target_rank == 1
    assert used.target_z > 0
    assert used.rotations.part == 0
    assert not unused.writes
    assert unused.target_rank == VOCABULARY
    assert unused.target_z == -used.target_z


def test_a_finding_alone_reads_a_neuron_that_lowers_the_target_with_negative_activation():
    result = _lowering()
    assert written(result) == written(result, -1)
    said = sentences.finding(named("direct_effect"), result)
    assert "No random rotation of the same length" in said
    assert "out, at +9.00 per unit of negative activation" in said
    raising = sentences.finding(named("direct_effect"), HOLDS.direct_effect)
    assert "out, at +9.00. No" in raising


def test_the_controls_of_a_write_stand_on_the_targets_side_of_the_figure():
    usual, lowering, (figure, _) = HOLDS.direct_effect, _lowering(), named("direct_effect").figures
    for result, sign, side in ((usual, None, 1), (lowering, None, 1), (usual, -1, -1)):
        shapes = named("direct_effect").draw(figure, result, sign).layout.shapes
        shaded = next(shape for shape in shapes if shape.type == "rect")
        dotted = next(shape for shape in shapes if shape.line.dash == "dot")
        assert (shaded.x0, shaded.x1) == (4.0 * side, 4.0 * side)  # every rotation's best is 4
        assert dotted.x0 == 3.0 * side  # of the layer's others each has its best 3 deviations out


@pytest.mark.parametrize("name", ["generality", "crossed", "robustness"])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_figure_reads_a_neuron_with_the_sign_with_which_its_caption_does(name, sign):
    """The sign of its use is the study's to say, whatever this Result alone would say."""
    experiment, result = named(name), getattr(FAILS, name)
    (figure,) = (each for each in experiment.figures if each.signed)
    drawn = experiment.draw(figure, result, sign).data
    facts = experiment.module("facts").facts(result, sign)
    if name == "robustness":
        (areas,) = (each.x for each in drawn if "AUC of the neuron" in each.hovertemplate)
        found = [each.neuron.mean for each in facts.formats]
    else:
        own = {"generality": "AUC of the activation", "crossed": "neuron by"}[name]
        told = [each for each in drawn if each.customdata]
        areas = [each.x[0] for each in told if each.customdata[0][0].startswith(own)]
        found = [facts.auc.mean] if name == "generality" else [facts.rule.neuron.mean]
    assert list(areas[: len(found)]) == pytest.approx(found, abs=1e-4)


def test_figures_and_captions_tell_what_the_neuron_writes_as_it_is_used():
    """The same write, and its mirror image used with negative activation: the same tokens."""
    direct, mirrored = HOLDS.direct_effect, _lowering()
    mirrored = dataclasses.replace(
        mirrored, top_tokens=direct.bottom_tokens, top_logits=-direct.bottom_logits
    )
    experiment = named("direct_effect")
    usual, turned = (
        [experiment.draw(each, result, sign) for each in experiment.figures]
        for result, sign in ((direct, 1), (mirrored, -1))
    )
    for ours, theirs in zip(usual[1].data, turned[1].data, strict=True):
        assert [row[0] for row in ours.customdata] == [row[0] for row in theirs.customdata]
        assert ours.x == theirs.x
    assert turned[0].data[0].y == usual[0].data[0].y[::-1]
    assert turned[0].data[0].x == tuple(-x for x in usual[0].data[0].x[::-1])
    assert "negative activation" in turned[0].layout.xaxis.title.text
    assert "negative" not in usual[0].layout.xaxis.title.text
    said, other = (
        sentences.alone(experiment, result).tokens_caption for result in (direct, mirrored)
    )
    assert other == said.replace("Per unit of activation", "Per unit of negative activation")


@pytest.mark.parametrize(
    ("above", "says"), [(9, "10 best on the first pair, 9 keep"), (2, "only 2 keep")]
)
def test_a_few_of_the_candidates_are_called_few(above, says):
    found = sentences.alone(named("neuron_sweep"), HOLDS.neuron_sweep)
    held = dataclasses.replace(found.facts.held_out, above_zero=above, few=above == 2)
    facts = dataclasses.replace(found.facts, held_out=held, recovery=(1.0,) * 10)
    template = sentences._templates("analysis.experiments.neuron_sweep")
    said = sentences.Sentences(
        template.get_template("sentences.html"), facts, result=HOLDS.neuron_sweep, study=None
    ).candidates
    assert says in said
    assert ("did not hold up" in said) == (above == 2)


def test_facts_of_the_split_hold_or_fail_with_the_result():
    holds, fails = driven(HOLDS.upstream), driven(FAILS.upstream)
    assert holds.carries
    assert holds.head.holds
    assert not fails.carries
    headless = driven(dataclasses.replace(HOLDS.upstream, heads=()))
    assert headless.head is None
    assert not headless.carries


@pytest.mark.parametrize("name", ["neuron_sweep", "direct_effect", "upstream"])
def test_findings_escape_what_the_data_brings(name):
    study = evidence(hostile_plan())
    said = sentences.finding(named(name), study.results[name])
    assert "<img" not in said
    assert ("&lt;img" in said) == (name == "direct_effect")
