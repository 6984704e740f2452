import numpy as np
import pytest

from analysis.claims import Claims
from analysis.experiments.logit_lens.compute import logit_lens
from analysis.experiments.next_token.compute import next_token, summary
from analysis.experiments.next_token.facts import facts
from analysis.prompts import make_prompt
from tests.prose import Prose
from tests.questions import default_pair
from tests.synthetic import Plan, changed, evidence


def test_probabilities_sum_to_one(subject, pair):
    result = next_token(subject, (pair.clean, pair.corrupted), pair.contrast, top=subject.d_vocab)
    np.testing.assert_allclose(result.top_probabilities.sum(1), 1.0, atol=1e-5)


def test_probabilities_ranks_and_logit_difference_tell_one_story(subject, pair):
    result = next_token(subject, (pair.clean, pair.corrupted), pair.contrast, top=subject.d_vocab)
    np.testing.assert_allclose(
        np.log(result.p_target / result.p_foil), result.logit_diff, atol=1e-3
    )
    place = result.top_tokens.index(pair.contrast.target)
    assert result.rank_target[0] == place + 1
    assert result.top_probabilities[0, place] == pytest.approx(result.p_target[0])


def test_prose_after_one_prompt_alone_is_not_taken_for_a_corrupted_one(subject, pair):
    prose = [make_prompt(subject, text) for text in ("I saw the apple and ate", "We ate an egg")]
    result = next_token(subject, (pair.clean,), pair.contrast, prose)
    found, seen = facts(result), summary(result)
    assert found.corrupted is None
    assert "corrupted" not in seen
    assert seen["natural"]["prompts"] == 2
    diffs = [subject.logits(p.tokens)[-1] @ _contrast(subject, pair) for p in prose]
    assert found.natural.preferred == sum(float(diff) > 0 for diff in diffs)


def _contrast(subject, pair):
    one_hot = subject.logits(pair.clean.tokens)[-1] * 0
    one_hot[pair.contrast.target_id], one_hot[pair.contrast.foil_id] = 1, -1
    return one_hot


def test_a_target_that_is_likelier_than_the_foil_need_not_come_first():
    """Both are told: after two prompts the target wins the choice, after none the next token."""
    ranks = np.array([1, 2, 3, 3])
    study = changed(evidence(Plan()), "next_token", rank_target=ranks)
    text = Prose(Claims(study).next_token.natural).text
    assert "In ordinary prose the model always fails: ·an came first after 0 of 2 prompts" in text
    assert "It was likelier than ·a after 2." in text


def test_one_prompt_of_prose_does_not_say_how_often_the_model_succeeds():
    """It was said to "mostly succeed", after 1 of 1."""
    result = evidence(Plan()).next_token
    each = ("prompts", "tokens", "p_target", "p_foil", "rank_target", "rank_foil", "logit_diff")
    first = {name: getattr(result, name)[:3] for name in (*each, "top_probabilities")}
    said = Claims(changed(evidence(Plan()), "next_token", natural=1, **first)).next_token
    assert "one prompt alone was tried" in said.natural
    assert "mostly" not in said.natural
    assert said.natural_wrong == ""
    assert "after 1 of 1 prompt that calls for it" in said.natural_caption


def test_one_pair_is_never_told_as_if_it_were_all_prompts():
    """The pair gets the right words; whether other words do is told from the prompts that ask."""
    study, rare = evidence(Plan()), evidence(Plan()).ablation.baseline.copy()
    rare[1:, 0] -= 3.0
    fewer = changed(study, "ablation", baseline=rare)
    for asked, says in ((study, "after 6 of 6"), (fewer, "after none of 6")):
        claims = Claims(asked).next_token
        assert claims.heading == "In this pair one word flips the answer"
        assert says in claims.answers
        assert says in claims.wrong
    alone = changed(study, "ablation", in_question=np.ones(len(rare), dtype=bool))
    assert "with other prompts was not asked" in Claims(alone).next_token.answers


@pytest.mark.slow
def test_findings_in_brief_leave_out_what_was_not_asked():
    study = evidence(Plan())
    names = [name for name, _ in Claims(study).opening.brief]
    assert names.count("next_token") == 1
    without = changed(study, "next_token", natural=0)
    assert "next_token" not in [name for name, _ in Claims(without).opening.brief]


def test_the_last_reading_of_the_lens_is_the_models_own_difference(subject, pair):
    result = logit_lens(subject, (pair.clean, pair.corrupted), pair.contrast)
    np.testing.assert_allclose(result.logit_diff[:, -1], result.model_logit_diff, atol=1e-4)
    assert len(result.labels) == result.logit_diff.shape[1] == 2 * subject.n_layers + 1


def test_the_lens_reads_the_residual_stream_at_every_half_layer(subject, pair):
    result = logit_lens(subject, (pair.clean,), pair.contrast)
    names = ("hook_resid_pre", "hook_attn_out")
    pre, attn = (values[:, -1] for values in subject.cache(pair.clean.tokens, *names).values())
    for layer in range(subject.n_layers):
        for label, resid in (("pre", pre[layer]), ("mid", pre[layer] + attn[layer])):
            reading = result.logit_diff[0, result.labels.index(f"{layer}_{label}")]
            expected = pair.contrast.read(subject, resid)
            assert reading == pytest.approx(float(expected), abs=1e-3)


def test_the_two_prompts_read_alike_before_attention_brings_the_difference(subject, pair):
    """They end in the same word, so the first reading, the embedding, cannot tell them apart."""
    result = logit_lens(subject, (pair.clean, pair.corrupted), pair.contrast)
    assert result.logit_diff[0, 0] == pytest.approx(result.logit_diff[1, 0], abs=1e-5)


def test_the_embedded_model_says_an_after_the_apple_tree(embedded):
    pair = default_pair(embedded)
    result = next_token(embedded, (pair.clean, pair.corrupted), pair.contrast)
    assert result.top_tokens[:2] == (" an", " a")
    assert result.p_target[0] == pytest.approx(0.607, abs=0.001)
    assert result.p_foil[0] == pytest.approx(0.2973, abs=0.001)
    np.testing.assert_allclose(result.logit_diff, [0.714, -3.476], atol=0.002)


def test_the_embedded_models_lens_jumps_at_mlp_25(embedded):
    pair = default_pair(embedded)
    result = logit_lens(embedded, (pair.clean,), pair.contrast)
    before = result.labels.index("25_mid")
    assert result.logit_diff[0, before] == pytest.approx(-5.57, abs=0.01)
    assert result.logit_diff[0, before + 1] == pytest.approx(1.50, abs=0.01)
    assert np.diff(result.logit_diff[0]).argmax() == before


def test_the_lens_points_to_where_the_curves_part_if_both_prompts_make_it_jump_alike():
    study = evidence(Plan())
    curves = np.zeros_like(study.logit_lens.logit_diff)
    curves[:2, 1:] = 5.0  # after the first half layer, whatever the prompt
    curves[0, 4:] += 2.0  # the fourth is MLP 1
    said = Claims(changed(study, "logit_lens", logit_diff=curves)).logit_lens
    assert (said.facts.jump.component, said.facts.at.component) == ("attention 0", "MLP 1")
    assert said.heading == "The lens’s curves part at MLP 1"
    assert "changes the clean one by +2.00 and the corrupted one by +0.00" in said.jump


def test_the_lens_points_to_its_jump_if_the_other_prompts_curve_does_not_follow():
    study = evidence(Plan())
    curves = np.zeros_like(study.logit_lens.logit_diff)
    curves[0, 1:] = 5.0
    said = Claims(changed(study, "logit_lens", logit_diff=curves)).logit_lens
    assert said.facts.at == said.facts.jump
    assert said.heading == "The lens jumps at attention 0"
