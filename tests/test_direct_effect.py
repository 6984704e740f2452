import numpy as np
import pytest
import torch

from analysis.claims import Claims
from analysis.experiments.direct_effect.compute import direct_effect, summary
from analysis.experiments.direct_effect.facts import facts
from analysis.experiments.neuron_sweep.measured import ranked
from analysis.neuron import Neuron
from analysis.weights.congruence import MINUS
from tests.questions import default_pair, make_tiny_pair
from tests.subjects import make_subject
from tests.synthetic import Plan, changed, evidence, toy_plan

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
    sizes = everyone.abs() if result.gated else everyone
    assert result.rank_by_difference == 1 + int((sizes > sizes[NEURON]).sum())
    best = Neuron(*divmod(int(sizes.argmax()), subject.d_mlp))
    minus = MINUS if everyone[best] < 0 else ""
    assert result.neurons_by_difference[0] == f"{best}{minus}"
    assert result.neurons_difference[0] == pytest.approx(float(everyone[best]), rel=1e-5)
    assert result.neurons == subject.n_layers * subject.d_mlp


def with_writers(architecture, **lengths):
    """Ranks of a planted writer of the target beside another neuron that writes this much of it."""
    subject = make_subject(architecture)
    contrast = make_tiny_pair(subject).contrast
    direction = subject.direction(contrast.target_id, contrast.foil_id)
    for neuron, length in ((NEURON, 40.0), (Neuron(2, 3), lengths["other"])):
        with torch.no_grad():
            subject.bridge.blocks[neuron.layer].mlp.W_out[neuron.number] = (
                length * direction / direction.norm()
            )
    return direct_effect(subject, NEURON, contrast)


def test_a_gated_neuron_that_lowers_the_target_more_is_the_stronger_one_for_it_may_be_negative():
    result = with_writers("llama", other=-60.0)
    assert result.gated
    assert result.rank_by_difference == 2
    assert result.neurons_by_difference[:2] == (f"L2N3{MINUS}", str(NEURON))
    assert result.neurons_difference[0] == pytest.approx(-1.5 * result.neurons_difference[1])
    found = facts(result, 1)
    assert (found.by_difference, found.next.name) == (2, f"L2N3{MINUS}")
    assert found.next.effect == pytest.approx(-float(result.neurons_difference[0]))
    weaker = with_writers("llama", other=-20.0)
    assert weaker.rank_by_difference == 1
    assert facts(weaker, 1).next.name == f"L2N3{MINUS}"


def test_a_neuron_that_is_never_negative_cannot_raise_what_it_lowers():
    result = with_writers("gpt2", other=-60.0)
    assert not result.gated
    assert result.rank_by_difference == 1
    assert result.neurons_by_difference[0] == str(NEURON)
    assert "L2N3" not in result.neurons_by_difference[1]
    assert with_writers("gpt2", other=60.0).rank_by_difference == 2


def test_ranks_are_those_of_the_direction_in_which_the_neuron_is_used():
    gated, plain = with_writers("llama", other=1.0), with_writers("gpt2", other=1.0)
    assert gated.ranks(1)[1] == plain.ranks(1)[1] == 1
    assert gated.ranks(-1)[1] == gated.neurons  # it pushes the other way: none does so less
    assert plain.ranks(-1)[1] == plain.neurons


def test_the_other_neurons_of_the_layer_are_a_control_of_how_far_out_a_favourite_lies(
    subject, pair
):
    result = direct_effect(subject, NEURON, pair.contrast)
    expected = []
    for number in range(subject.d_mlp):
        logits = subject.W_out(NEURON.layer)[number] @ subject.W_U
        far = (logits - logits.mean()) / logits.std()
        expected.append(float((far.abs() if result.gated else far).max()))
    del expected[NEURON.number]
    np.testing.assert_allclose(result.layer_best, expected, rtol=1e-3)
    assert result.as_far == (np.array(expected) >= abs(result.target_z)).sum()


@pytest.mark.parametrize(("far", "rare"), [(2, True), (60, False)])
def test_a_favourite_far_out_is_special_only_if_few_neurons_of_the_layer_have_one(far, rare):
    """No rotation is as strong in either case: that control alone would call both special."""
    usual = evidence(Plan()).direct_effect
    others = np.array([12.0] * far + [3.0] * (100 - far), dtype=np.float32)
    study = changed(evidence(Plan()), "direct_effect", layer_best=others)
    found = Claims(study).direct_effect
    assert usual.target_z == 9.0
    assert found.facts.rare is rare
    assert found.facts.rotations.part == 0
    assert ("ours is not the only one" in found.layer) == rare
    assert ("nothing special" in found.layer) == (not rare)


def test_the_only_neuron_of_a_layer_has_no_such_control():
    assert Claims(evidence(toy_plan())).direct_effect.layer == ""


def test_the_page_names_those_ahead_and_says_that_strength_is_not_use():
    study = evidence(Plan())
    behind = {
        "neurons_by_target": (f"L3N1{MINUS}", f"L2N2{MINUS}", "L3N5"),
        "neurons_target": np.array([-16.0, -14.0, 9.0], dtype=np.float32),
        "neurons_by_difference": ("L3N5", "L2N1", "L2N2"),
        "neurons_difference": np.array([13.0, 4.0, 3.0], dtype=np.float32),
        "rank_by_target": 3,
    }
    claims = Claims(changed(study, "direct_effect", **behind)).direct_effect.peers
    assert "it is third by its direct effect on" in claims
    assert f"behind L3N1{MINUS} (16.00) and L2N2{MINUS} (14.00)." in claims
    assert "it is first (13.00; the next, L2N1, 4.00)" in claims
    assert "how a neuron is used" not in claims
    lowest = ranked(study.neuron_sweep)[-1]
    names = ("L3N5", f"{lowest}{MINUS}")
    claims = Claims(changed(study, "direct_effect", neurons_by_difference=names))
    assert f"patched by itself, {lowest} works against" in claims.direct_effect.peers
    assert ", behind L" not in claims.direct_effect.peers


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
    assert (result.rank_by_target, result.rank_by_difference) == (3, 1)
    assert result.neurons_by_target[:2] == (f"L29N645{MINUS}", f"L29N471{MINUS}")
    np.testing.assert_allclose(result.neurons_target[:2], [-16.56, -13.89], atol=0.01)
    assert result.neurons_by_difference[1] == f"L29N947{MINUS}"
    assert result.neurons_difference[1] == pytest.approx(-12.32, abs=0.01)
    assert result.as_far / len(result.layer_best) == pytest.approx(0.046, abs=0.002)
    assert result.best_other_logit > result.rotated_best.mean()


def test_the_summary_names_what_the_command_line_promises(subject, pair):
    document = summary(direct_effect(subject, NEURON, pair.contrast))
    assert {"neuron", "top", "bottom", "target_rank", "target_z"} <= set(document)
    logits = [row["logit"] for row in document["top"]]
    assert logits == sorted(logits, reverse=True)
