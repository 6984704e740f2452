"""What the page of the embedded model says first, sentence by sentence, against committed results.

Each test is named as its claim, works the claim out anew from the raw results, and finds it told.
"""

import re

import numpy as np
import pytest

from analysis import EMBEDDED, questions, results
from analysis.claims import Claims
from analysis.evidence import Evidence, load_evidence
from analysis.experiments.neuron_sweep.measured import ranked
from tests.prose import prose

MEAN = ("zero", "mean", "resample", "negate").index("mean")
NEURON, NEXT = (25, 1527), (23, 1468)


@pytest.fixture(scope="module")
def study() -> Evidence:
    return load_evidence(results.COMMITTED / EMBEDDED / questions.DEFAULT)


@pytest.fixture(scope="module")
def claims(study) -> Claims:
    return Claims(study)


@pytest.fixture(scope="module")
def brief(study, claims) -> str:
    """Title, first sentences and the findings in brief, as a reader sees them."""
    page = prose(study)
    return page[: page.index("The question: ")]


def percent(share: float) -> str:
    return f"{100 * share:.0f}\u202f%".replace("\u202f", " ")


def striptags(said: str) -> str:
    return re.sub(r"<[^>]*>", "", said).replace("\u202f", " ")


def says(brief: str, *phrases: str) -> None:
    plain = brief.replace("\u202f", " ").replace("\u2212", "-")
    assert [phrase for phrase in phrases if phrase not in plain] == []


def test_one_neuron_recovers_most_of_the_difference_by_itself_and_the_next_less(study, brief):
    recovery = study.neuron_sweep.recovery
    assert tuple(ranked(study.neuron_sweep)[0]) == NEURON
    assert tuple(ranked(study.neuron_sweep)[1]) == NEXT
    assert study.neuron_sweep.exact.all()
    assert recovery[NEURON] > 0.5 > recovery[NEXT]
    says(brief, "One neuron raises", f"among the {recovery.size:,} of SmolLM2-135M")
    own = f"L25N1527 recovers {percent(recovery[NEURON])} of the difference by itself"
    says(brief, f"{own}, and {percent(study.neuron_sweep.noising[0])} is lost when it alone")
    beside = study.neuron_sweep.beside_best[1]
    assert beside < 0.5 * recovery[NEXT]
    through = "but mostly through L25N1527: with that one held"
    says(
        brief,
        f"The next, L23N1468, recovers {percent(recovery[NEXT])}, {through}, {percent(beside)}",
    )


def test_on_held_out_prompts_it_is_first_among_its_candidates_and_recovers_most(study, brief):
    sweep = study.neuron_sweep
    shares = sweep.held_out_effect.sum(0) / sweep.held_out_gap.sum()
    assert sweep.candidates[int(shares.argmax())] == "L25N1527"
    texts = {text for pair in sweep.held_out for text in pair}
    assert not texts & {sweep.clean, sweep.corrupted}
    draws = np.random.default_rng(0).integers(0, len(sweep.held_out), (2000, len(sweep.held_out)))
    again = sweep.held_out_effect[draws, 0].sum(1) / sweep.held_out_gap[draws].sum(1)
    low, high = np.quantile(again, [0.025, 0.975])
    assert 0.5 < low < shares[0] < high
    says(brief, f"first among the {len(sweep.candidates)} candidates")
    says(brief, f"Over {len(sweep.held_out)} other pairs it recovers {percent(shares[0])}")


def test_it_fires_on_the_token_before_and_not_on_the_word_itself(study, brief):
    result = study.activations
    clean = result.activations[: result.lengths[0]]
    assert int(clean.argmax()) == len(clean) - 1
    assert result.tokens[len(clean) - 1] == " picked"
    on_it = [v for v, t in zip(result.activations, result.tokens, strict=True) if t == " an"]
    assert max(on_it) < 0.1 * clean.max()
    says(brief, "it fires on the token before", "It does not fire on ·an")


def test_its_output_weights_raise_the_word_most_of_all_tokens(study, brief):
    result = study.direct_effect
    assert result.target_rank == 1
    assert result.top_tokens[0] == " an"
    score = result.target_logit / result.spread
    far = (result.target_logit - result.mean_logit) / result.spread
    assert max(result.rotated_best) < result.target_logit
    assert any(f"{value:.1f} standard deviations" in brief for value in (score, far))
    says(brief, "its output weights raise ·an most")


def test_it_is_nearly_silent_on_news(study, brief):
    result = study.activations
    prompts = sum(result.lengths[: len(result.lengths) - result.random_texts])
    news = result.activations[prompts:]
    clean = result.activations[result.lengths[0] - 1]
    starts = np.cumsum([0, *result.lengths[-result.random_texts : -1]])
    kept = np.delete(news, starts)
    assert (kept > clean / 2).mean() < 0.001
    says(brief, "It is nearly silent on news text", f"of {len(kept):,} tokens")
    assert not (kept >= clean / 2).any()
    most = 1.96**2 / (result.random_texts + 1.96**2)  # Wilson's end of none of so many articles
    says(
        brief,
        f"none of the {result.random_texts} articles (95 % interval 0 % to {100 * most:.1f} %",
    )


def test_on_news_its_activation_hardly_tells_where_the_word_comes(study, brief):
    result = study.corpus_scan
    area, low, high = result.auc[0, list(result.labels).index("next")]
    assert result.tokens > 300_000
    assert 0.5 < low < high < 0.6
    says(brief, "its activation hardly tells where ·an comes", f"AUC {area:.2f}")
    known = result.model_auc[list(result.labels).index("next")]
    assert known[1] > 0.9
    says(brief, f"against {known[0]:.2f} for the model’s own probability")


def test_at_both_ends_words_are_likelier_and_the_neuron_does_not_choose_between_them(study, claims):
    result = study.corpus_scan
    (target, foil), hits = result.end_excess[..., 1], result.band_documents
    assert target[1] > 0
    assert (foil > 0).all()
    assert hits[:, [0, -1]].min() >= 3
    assert "So both are likelier there" in striptags(claims.corpus_scan.curve)
    assert "So ·a is likelier at both ends" in striptags(claims.corpus_scan.other_end)
    assert "·a follows all 10 and ·an none" in striptags(claims.corpus_scan.extremes)


def test_of_all_direct_effects_its_own_is_third_on_the_word_and_first_on_the_choice(study, claims):
    result = study.direct_effect
    assert result.neurons_by_target[:3] == ("L29N645−", "L29N471−", "L25N1527")
    np.testing.assert_allclose(result.neurons_target[:2], [-16.56, -13.89], atol=0.01)
    assert result.neurons_by_difference[:2] == ("L25N1527", "L29N947−")
    peers = striptags(claims.direct_effect.peers)
    assert "third by its direct effect on ·an" in peers
    assert "behind L29N645− (16.56) and L29N471− (13.89)" in peers
    assert "it is first (15.31; the next, L29N947−, 12.32)" in peers
    assert "patched by itself, L29N947 works against the answer" in peers
    assert "71 (4.6 %) have a favourite token" in striptags(claims.direct_effect.layer)


def test_one_attention_head_brings_it_the_exchanged_word(study, brief, claims):
    result = study.upstream
    lead = result.projections.index(result.lead)
    parts = result.contributions[lead, 0] - result.contributions[lead, 1]
    change = dict(zip(result.components, parts, strict=True))
    heads = {name: value for name, value in change.items() if "H" in name}
    assert max(heads, key=lambda name: abs(heads[name])) == "L23H0"
    share = heads["L23H0"] / float(np.subtract(*result.preactivation[lead]))
    assert share > 0.5
    says(brief, f"L23H0 alone makes {percent(share)} of the difference")
    assert change["MLP 23"] > heads["L23H0"], "then the page has to say so"
    assert "All neurons of MLP 23 together differ by more" in claims.upstream.contributions


def test_it_acts_directly_and_later_components_take_part_of_it_back(study, brief):
    result = study.composition
    direct, total = float(result.direct[0]), float(result.total[0])
    assert direct > total > 0
    says(brief, f"writes +{direct:.2f} directly", f"the total is +{total:.2f}")
    says(brief, f"change that by -{direct - total:.2f}", "L29N947 the most")


def test_in_prose_the_model_itself_seldom_says_the_word(study, brief):
    ranks = study.next_token.rank_target[-study.next_token.natural :]
    said = f"·an comes first after {(ranks == 1).sum()} of {len(ranks)} prompts"
    assert (ranks == 1).mean() < 0.5
    says(brief, said)


def test_without_it_the_word_loses_ground_and_no_neuron_as_active_does_as_much(study, brief):
    result = study.ablation
    calls = result.calls_for_target & ~result.in_question
    assert calls.sum() >= 20
    baseline = result.baseline[calls, 0]
    change = (result.ablated[calls, MEAN, 0] - baseline).mean()
    matched = (result.matched_ablated[:, calls, MEAN, 0] - baseline).mean(1)
    assert abs(change) > np.abs(matched).max()
    says(brief, "Take the neuron away, and the word loses ground", f"difference by {change:.2f}")
    preferred, without = (baseline > 0).sum(), (result.ablated[calls, MEAN, 0] > 0).sum()
    assert without == 0 < preferred < calls.sum() / 2, "it raises the word and does not decide"
    says(brief, f"Of {calls.sum()} prompts, the model prefers ·an after {preferred} with")
    says(brief, "and after none without it")
    norms = [np.sqrt((row[1:] ** 2).mean()) for row in result.matched_activation]
    own = np.sqrt((result.activation[1:] ** 2).mean())
    alike = sum(own / 2 <= norm <= 2 * own for norm in norms)
    says(brief, f"None of the {alike} neurons of its layer about as active (within a factor of 2)")


def test_where_the_other_word_is_called_for_it_pushes_both_ways(study, claims):
    result = study.ablation
    calls = ~result.calls_for_target & ~result.in_question
    change = (result.ablated[:, MEAN, 0] - result.baseline[:, 0])[calls]
    assert abs(change.mean()) < 0.1 < np.abs(change).mean()
    assert np.corrcoef(change, result.activation[calls])[0, 1] < -0.9
    assert "hides two directions" in claims.ablation.hidden


def test_draws_from_news_are_no_test_beside_zero_and_draws_from_the_sentence_are(study, claims):
    result = study.ablation
    assert np.abs(result.drawn).mean() < 0.1 * result.activation[0]
    calls = result.calls_for_target & ~result.in_question
    mean, template = (result.ablated[calls, method, 0].mean() for method in (MEAN, 4))
    assert template == pytest.approx(mean, abs=0.1)
    assert np.abs(result.template_drawn).mean() > 5 * np.abs(result.drawn).mean()
    assert "they are one test and not three" in claims.ablation.agreement
    assert "about as much as the mean does" in claims.ablation.in_template


def test_on_news_nothing_is_lost_without_it(study, brief):
    result = study.ablation
    change = result.position_change[MEAN, result.position_target].mean()
    says(brief, f"before a real ·an, ablation changes the loss by {change:+.3f} nats")
    says(brief, "no harm can be shown")


def test_it_tells_other_words_apart_but_not_in_every_sentence(study, brief):
    areas = study.generality.auc
    assert areas[0] > 0.95
    assert areas[1:].min() < 0.5 < areas[1:].max()
    says(brief, f"AUC {areas[0]:.2f} in the pair’s sentence")
    says(brief, f"from {areas[1:].min():.2f} to {areas[1:].max():.2f} in {len(areas) - 1} held-out")


def test_the_lens_jumps_at_another_layer_than_patching_puts_first(study, claims):
    rises = np.diff(study.logit_lens.logit_diff[0])
    assert study.logit_lens.labels[int(rises.argmax()) + 1] == "26_pre"
    ends = dict(zip(study.patching.components, study.patching.restored[:, :, -1], strict=True))
    assert int(ends["attn_out"].argmax()) == 23
    assert ends["attn_out"].max() > ends["mlp_out"].max()
    assert claims.logit_lens.heading == "The lens jumps at MLP 25"
    assert claims.patching.heading == "Patching disagrees: attention 23 comes first"


def test_congruence_tells_which_word_a_neuron_is_about_but_not_which_way_it_is_used(study, claims):
    result = study.census
    size = result.size_advantage[0, 1, 0]
    assert size[1] > 0
    assert result.correlation[0, 1, 0] < result.size[0, 1, 0] / 2
    assert claims.census.behaviour_heading.startswith("Congruence tells which word")


def test_scaling_its_output_weights_scales_the_answer(study):
    result = study.weight_modulation
    out = result.logit_diff[list(result.weights).index("out"), :, 0]
    assert (np.diff(out) > 0).all()
    assert out[0] < 0 < out[-1]
