"""The committed study of the embedded model is what this code computes."""

from pathlib import Path

import numpy as np
import pytest
import torch

from analysis.engines.patcher import NeuronPatcher
from analysis.evidence import check_current, is_expected, load_evidence
from analysis.experiments import studied
from analysis.experiments.logit_lens.compute import logit_lens
from analysis.experiments.neuron_sweep.measured import ranked
from analysis.neuron import Neuron
from analysis.questions import default
from analysis.running import inputs, record
from analysis.study import RIVALS, study_options
from tests.committed import FOLDER, committed
from tests.questions import default_pair

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def study():
    return load_evidence(FOLDER)


def test_every_step_that_suits_the_question_has_its_result(study):
    expected = [each.name for each in studied() if each.apart or is_expected(each, default())]
    assert [each.name for each in study.experiments] == expected
    assert study.question == default()


def test_every_result_was_made_by_the_code_as_it_stands(study):
    check_current(study)
    for made in study.provenance.values():
        assert made.dtype == "float32"
        assert made.seconds > 0


def test_every_result_was_asked_what_a_study_asks_today(study, embedded):
    """Else the commands of the page would compute something else."""
    for each in study.experiments:
        names = study.neuron_sweep.candidates[: 1 + RIVALS] if each.asks_about_a_neuron else ()
        options = {"recipient": "gemma-3-270m"} if each.apart else study_options(each, seed=0)
        asked = inputs(each, embedded, default(), names, options)
        told = dict(study.provenance[each.name].inputs)
        assert told.pop("prepend_bos") is embedded.prepend_bos
        assert told == record(each, asked), each.name


def test_the_committed_study_is_small():
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 3_000_000


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


def test_the_known_numbers_stand_in_the_committed_study():
    sweep = committed("neuron_sweep")
    best, lowest = ranked(sweep)[:3], ranked(sweep)[-1]
    assert best == [Neuron(25, 1527), Neuron(23, 1468), Neuron(29, 1326)]
    assert lowest == Neuron(29, 947)
    known = [sweep.recovery[neuron] for neuron in (*best, lowest)]
    np.testing.assert_allclose(known, [0.613, 0.444, 0.127, -0.330], atol=0.005)
    prompt = committed("next_token")
    assert prompt.p_target[0] == pytest.approx(0.607, abs=0.001)
