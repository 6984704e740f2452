"""The committed studies of the embedded model are what this code computes."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from analysis.engines.patcher import NeuronPatcher
from analysis.evidence import check_current, is_expected, load_evidence
from analysis.experiments import steps, studied
from analysis.experiments.ablation.facts import facts as ablation_facts
from analysis.experiments.logit_lens.compute import logit_lens
from analysis.experiments.neuron_sweep.measured import ranked
from analysis.neuron import Neuron
from analysis.questions import default, load
from analysis.running import inputs, record
from analysis.study import RIVALS, kept_size, study_options
from tests.committed import FOLDER, HOME, OTHERS, committed
from tests.questions import default_pair

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def study():
    return load_evidence(FOLDER)


def test_every_step_that_suits_the_question_has_its_result(study):
    expected = [each.name for each in studied() if each.apart or is_expected(each, default())]
    assert [each.name for each in study.experiments] == expected
    assert study.question == default()


@pytest.mark.parametrize("name", OTHERS)
def test_the_study_of_another_question_has_what_is_its_own(name):
    """What is more about the model than about the question stands in the study of the usual one."""
    other, question = load_evidence(HOME / name), load(name)
    assert other.question == question
    expected = [each.name for each in steps() if is_expected(each, question) and not each.once]
    assert [each.name for each in other.experiments] == expected
    assert other.in_other_study == tuple(each.name for each in steps() if each.once)


def test_every_question_of_the_makefile_has_a_study():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^QUESTIONS := (.*)$", makefile, re.M)[1].split() == list(OTHERS)


@pytest.mark.parametrize("name", [default().key, *OTHERS])
def test_every_result_was_made_by_the_code_as_it_stands(name):
    made = load_evidence(HOME / name)
    check_current(made)
    for each in made.provenance.values():
        assert each.dtype == "float32"
        assert each.seconds > 0


@pytest.mark.parametrize("name", [default().key, *OTHERS])
def test_every_result_was_asked_what_a_study_asks_today(name, embedded):
    """Else the commands of the page would compute something else."""
    made, question = load_evidence(HOME / name), load(name)
    for each in made.experiments:
        names = made.neuron_sweep.candidates[: 1 + RIVALS] if each.asks_about_a_neuron else ()
        options = {"recipient": "gemma-3-270m"} if each.apart else study_options(each, seed=0)
        options |= kept_size(each, HOME / name)
        asked = inputs(each, embedded, question, names, options)
        found = dict(made.provenance[each.name].inputs)
        assert found.pop("prepend_bos") is embedded.prepend_bos
        assert found == record(each, asked), each.name


def test_committed_results_are_small():
    sizes = {
        folder: sum(path.stat().st_size for path in folder.iterdir())
        for folder in HOME.parent.glob("*/*")
    }
    assert max(sizes.values()) < 1_800_000
    assert max(sizes[HOME / name] for name in OTHERS) < 1_300_000
    assert sum(sizes.values()) < 8_000_000  # two models' usual studies, and three more


def test_a_part_of_the_sweep_computed_anew_is_what_was_committed(embedded):
    """The best, the lowest and 50 drawn neurons."""
    sweep = committed("neuron_sweep")
    assert sweep.exact.all()
    order = ranked(sweep)
    draw = np.random.default_rng(1).choice(len(order), 50, replace=False)
    chosen = torch.zeros(sweep.recovery.shape, dtype=torch.bool)
    for place in (0, 1, 2, -2, -1, *draw):
        chosen[order[place]] = True
    anew = NeuronPatcher(embedded, default_pair(embedded)).recoveries(chosen)
    np.testing.assert_allclose(anew, sweep.recovery[chosen.numpy()], atol=1e-4)


def test_the_lens_computed_anew_is_what_was_committed(embedded):
    pair = default_pair(embedded)
    kept = committed("logit_lens")
    anew = logit_lens(embedded, (pair.clean, pair.corrupted), pair.contrast)
    assert anew.prompts == kept.prompts
    np.testing.assert_allclose(anew.logit_diff, kept.logit_diff, atol=1e-3)


def test_the_readmes_numbers_are_the_studys():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    sweep = committed("neuron_sweep")
    held_out = sweep.held_out_effect[:, 0].sum() / sweep.held_out_gap.sum()
    words = " ".join(readme.split())
    assert f"SmolLM2-135M's {sweep.recovery.size:,} neurons" in words
    assert f"{sweep.candidates[0]} brings back {sweep.recovery.max():.2f} of the" in words
    assert f"on {len(sweep.held_out)} pairs of prompts" in words
    noising = sweep.held_out_noising[:, 0].sum() / sweep.held_out_gap.sum()
    assert f"choosing it, {held_out:.2f} and {noising:.2f}." in words
    found = ablation_facts(committed("ablation")).target_prompts.change
    low, high = sorted(abs(end) for end in found.span)
    assert f"takes {abs(found.mean):.2f} off the logit difference" in words
    assert f"interval {low:.2f} to {high:.2f}), more than that" in words
    heard = committed("corpus_scan").auc[0, 1, 0], committed("corpus_scan").model_auc[1, 0]
    assert "(AUC {:.2f}; the model's own probability, {:.2f};".format(*heard) in words


def test_the_known_numbers_stand_in_the_committed_study():
    sweep = committed("neuron_sweep")
    best, lowest = ranked(sweep)[:3], ranked(sweep)[-1]
    assert best == [Neuron(25, 1527), Neuron(23, 1468), Neuron(29, 1326)]
    assert lowest == Neuron(29, 947)
    known = [sweep.recovery[neuron] for neuron in (*best, lowest)]
    np.testing.assert_allclose(known, [0.613, 0.444, 0.127, -0.330], atol=0.005)
    prompt = committed("next_token")
    assert prompt.p_target[0] == pytest.approx(0.607, abs=0.001)
