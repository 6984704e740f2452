import numpy as np
import pytest
import torch

from analysis.experiments.direct_effect.compute import direct_effect, summary
from analysis.neuron import Neuron
from tests.conftest import make_subject, make_tiny_pair
from tests.questions import default_pair

NEURON = Neuron(1, 7)


def test_direct_effect_is_what_the_write_adds_to_the_logits_with_the_final_norm_frozen(
    subject, pair
):
    """Frozen norm: the scale of the residual is kept while the write is added."""
    tokens = pair.clean.tokens
    resid = subject.cache(tokens, "hook_resid_post")["hook_resid_post"][-1, -1]
    layer_norm = isinstance(subject.final_norm, torch.nn.LayerNorm)

    def frozen_logits(x):
        centred, base = (v - v.mean() if layer_norm else v for v in (x, resid))
        gain = subject.final_norm.weight * centred / base.pow(2).mean().sqrt()
        return subject.unembedding @ gain

    write = subject.write(NEURON)
    scale = (resid - resid.mean() if layer_norm else resid).pow(2).mean().sqrt()
    change = (frozen_logits(resid + write) - frozen_logits(resid)) * scale
    result = direct_effect(subject, NEURON, pair.contrast)
    assert float(change[pair.contrast.target_id]) == pytest.approx(
        result.target_logit + result.mean_logit, abs=1e-3
    )
    assert result.target_rank == 1 + int((change > change[pair.contrast.target_id]).sum())
    assert result.top_tokens[0] == subject.string(int(change.argmax()))
    assert result.bottom_tokens[0] == subject.string(int(change.argmin()))


def test_the_histogram_counts_every_token_once(subject, pair):
    result = direct_effect(subject, NEURON, pair.contrast)
    assert result.bin_counts.sum() == subject.d_vocab
    assert result.bin_edges[-1] == pytest.approx(float(result.top_logits[0]))


def test_the_rank_among_neurons_equals_brute_force(subject, pair):
    result = direct_effect(subject, NEURON, pair.contrast)
    direction = subject.direction(pair.contrast.target_id, pair.contrast.foil_id)
    everyone = torch.stack([subject.W_out(i) @ direction for i in range(subject.n_layers)])
    assert result.rank_by_difference == 1 + int((everyone > everyone[NEURON]).sum())
    best = divmod(int(everyone.argmax()), subject.d_mlp)
    assert result.neurons_by_difference[0] == str(Neuron(*best))


def test_rotations_are_as_long_as_the_write_and_the_same_for_the_same_seed(subject, pair):
    first, again, other = (
        direct_effect(subject, NEURON, pair.contrast, seed=seed) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first.rotated_target, again.rotated_target)
    assert (first.rotated_target != other.rotated_target).any()
    # A random direction of length |w| has a target logit of variance |w|^2 |u|^2 / d_model.
    column = subject.W_U - subject.W_U.mean(1, keepdim=True)
    expected = subject.write(NEURON).norm() * column[:, pair.contrast.target_id].norm()
    expected = float(expected) / subject.d_model**0.5
    assert float(first.rotated_target.std()) == pytest.approx(expected, rel=0.3)


def test_the_originals_congruence_centres_only_where_its_library_did():
    subject = make_subject("gpt2")
    contrast = make_tiny_pair(subject).contrast
    write = subject.write(NEURON)
    products = subject.W_E @ (write - write.mean())
    result = direct_effect(subject, NEURON, contrast)
    assert result.embedding_products[0] == pytest.approx(float(products.max()), abs=1e-4)


def test_the_embedded_neuron_writes_an_in_all_its_spellings(embedded):
    contrast = default_pair(embedded).contrast
    result = direct_effect(embedded, Neuron(25, 1527), contrast)
    assert result.top_tokens[:5] == (" an", "An", " An", "an", "AN")
    assert set(result.variants) == {" an", "An", " An", "an", "AN", " AN"}
    assert result.target_rank == 1
    assert result.target_logit + result.mean_logit == pytest.approx(11.47, abs=0.01)
    assert result.target_logit - result.foil_logit == pytest.approx(15.31, abs=0.01)
    assert (result.rank_by_target, result.rank_by_difference) == (1, 1)
    assert result.best_other_logit > result.rotated_best.mean()


def test_the_summary_names_what_the_command_line_promises(subject, pair):
    document = summary(direct_effect(subject, NEURON, pair.contrast))
    assert {"neuron", "top", "bottom", "target_rank", "target_z"} <= set(document)
    logits = [row["logit"] for row in document["top"]]
    assert logits == sorted(logits, reverse=True)
