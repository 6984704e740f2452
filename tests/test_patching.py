import dataclasses

import numpy as np
import pytest
import torch
from transformer_lens import patching as library

from analysis.drawing.labels import LINE
from analysis.errors import UserError
from analysis.experiments import named
from analysis.experiments.patching.compute import COMPONENTS, patching
from analysis.prompts import make_pair
from analysis.sentences import alone
from tests.committed import committed
from tests.reference import logit_diff
from tests.synthetic import Plan, evidence
from tests.synthetic.patching import patching as synthetic

LIBRARY = {
    "resid_pre": library.get_act_patch_resid_pre,
    "attn_out": library.get_act_patch_attn_out,
    "mlp_out": library.get_act_patch_mlp_out,
}


def by_library(subject, pair, function, noising):
    """The library's own patching, a forward pass a cell, as recovery (or, noising, as loss)."""
    source, base = pair.clean.tokens, pair.corrupted.tokens
    if noising:
        source, base = base, source
    with torch.no_grad():
        logits, cache = subject.bridge.run_with_cache(subject.batch(source), prepend_bos=False)
        own = logit_diff(subject, pair, subject.bridge(subject.batch(base), prepend_bos=False))
        gap = logit_diff(subject, pair, logits) - own
        patched = function(
            subject.bridge,
            subject.batch(base),
            cache,
            lambda out: torch.tensor(logit_diff(subject, pair, out)),
        )
    return ((patched - own) / gap).numpy()


@pytest.mark.slow
@pytest.mark.parametrize("noising", [False, True])
def test_maps_equal_the_librarys_patching(subject, pair, noising):
    result = patching(subject, pair)
    maps = result.broken if noising else result.restored
    for component, found in zip(COMPONENTS, maps, strict=True):
        expected = by_library(subject, pair, LIBRARY[component], noising)
        np.testing.assert_allclose(found, expected, atol=1e-3, err_msg=component)
    heads = result.heads_broken if noising else result.heads_restored
    expected = by_library(subject, pair, library.get_act_patch_attn_head_out_all_pos, noising)
    np.testing.assert_allclose(heads, expected, atol=1e-3)


def test_the_embedding_of_the_one_word_that_differs_carries_everything(subject, pair):
    result = patching(subject, pair)
    assert len(pair.differing) == 1
    for maps in (result.restored, result.broken):
        assert maps[0, 0, pair.start] == pytest.approx(1.0, abs=1e-3)


def test_nothing_before_the_first_difference_matters(subject, pair):
    result = patching(subject, pair)
    assert result.start == pair.start
    assert not result.restored[:, :, : pair.start].any()
    assert not result.broken[:, :, : pair.start].any()


def test_exchanging_the_prompts_exchanges_restoring_and_breaking(subject, pair):
    swapped = make_pair(subject, pair.corrupted.text, pair.clean.text, " an", " a")
    there, back = patching(subject, pair), patching(subject, swapped)
    np.testing.assert_allclose(there.restored, back.broken, atol=1e-4)
    np.testing.assert_allclose(there.heads_broken, back.heads_restored, atol=1e-4)


def test_the_embedded_models_known_cells():
    result = committed("patching")
    attention, mlp = result.restored[1], result.restored[2]
    assert attention[23, -1] == pytest.approx(0.992, abs=0.002)
    assert mlp[25, -1] == pytest.approx(0.649, abs=0.002)
    assert mlp[23, -1] == pytest.approx(0.523, abs=0.002)


def test_a_difference_too_far_from_the_end_is_refused(embedded):
    early = make_pair(embedded, "An apple" + " and" * 250, "An orange" + " and" * 250, " an", " a")
    with pytest.raises(UserError, match="bring the difference within 200 tokens of the end"):
        patching(embedded, early)


@pytest.mark.parametrize(
    ("best", "message"),
    [
        ((0.8, 0.3), "Mostly one attention head does the carrying"),
        ((1.1, 0.6), "One attention head is enough, though not the only one that counts"),
        ((0.6, 0.5), "No one attention head does the carrying"),
    ],
)
def test_a_head_that_brings_back_all_is_not_said_to_carry_little(best, message):
    own = evidence(Plan()).patching
    heads = np.zeros_like(own.heads_restored)
    heads.flat[:2] = best
    said = alone(named("patching"), dataclasses.replace(own, heads_restored=heads))
    assert message in said.heads


def test_heads_beside_each_other_share_one_name_that_covers_neither():
    own = evidence(Plan()).patching
    heads = np.zeros((4, 9))
    heads[3, 7:9] = heads[3, 5] = 0.6
    heads[2, 0] = 0.1
    figure = dataclasses.replace(own, heads_restored=heads, heads_broken=heads).figure("heads")
    names = [note.text for note in figure.layout.annotations if note.text.startswith("L")]
    assert names == ["L3H5", "L3H7, H8"] * 2


def test_names_of_heads_in_neighbouring_layers_leave_each_other_free():
    own = synthetic(Plan(layers=30))
    heads = np.zeros((30, 9))
    heads[10, 2] = heads[11, 2] = heads[20, 2] = 0.6
    figure = dataclasses.replace(own, heads_restored=heads, heads_broken=heads).figure("heads")
    margin = figure.layout.margin
    cell = (figure.layout.height - margin.t - margin.b) / len(heads)
    notes = [note for note in figure.layout.annotations if note.text.startswith("L")]
    below, above, alone_there = (note.y * cell + note.yshift for note in notes[:3])
    assert cell < LINE, "they would lie on each other"
    assert above - below == pytest.approx(LINE)
    assert below + above == pytest.approx(21 * cell), "neither is farther from its cell"
    assert alone_there == pytest.approx(20 * cell), "where nothing is near, the name stays"
