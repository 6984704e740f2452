"""Headlines give way where other pairs, controls or single places do not bear them out."""

import dataclasses

import numpy as np
import pytest

from analysis.claims import Claims
from analysis.experiments.ablation.measured import MEAN
from analysis.experiments.direct_effect.facts import facts as direct_effect
from analysis.experiments.intervention.facts import MEAN as MEAN_SETTING
from analysis.neuron import parse_neuron
from tests.prose import Prose
from tests.synthetic import Plan, changed, evidence


def said(name, **fields):
    """What a study says of an experiment with some fields of its result changed."""
    return getattr(Claims(changed(evidence(Plan()), name, **fields)), name)


def result(name):
    return getattr(evidence(Plan()), name)


def text(sentence):
    return Prose(sentence).text


@pytest.mark.parametrize(
    ("faithful", "heading"),
    [
        (0.8, "The difference runs through "),
        (0.3, "Part of the difference runs through "),
        (0.01, "The strong edges alone are no circuit"),
        (-0.3, "The strong edges alone are no circuit"),
    ],
)
def test_a_circuit_that_carries_nothing_has_no_heading_that_the_difference_runs_through_it(
    faithful, heading
):
    elsewhere = np.full_like(result("circuit").held_out_faithful, faithful)
    claims = said("circuit", faithful=faithful, held_out_faithful=elsewhere)
    assert text(claims.heading).startswith(heading)
    others = "that they are a circuit there is not shown either"
    assert (others in claims.on_others) == heading.startswith("The strong")


@pytest.mark.parametrize(
    ("change", "needed", "sentence"),
    [
        (np.full(20, 0.5), True, "the model needs it there too"),
        (np.full(20, 0.01), False, "only 0.50 % of the loss there"),
        (
            np.array([10.0] * 6 + [-0.1] * 14),
            False,
            "few places make that mean, for the loss rises at 6 of 20, and the median change is",
        ),
    ],
)
def test_a_loss_on_news_that_is_a_trifle_or_made_by_few_places_is_no_need(change, needed, sentence):
    found = result("ablation")
    there, changes = found.position_target, found.position_change.copy()
    changes[MEAN, there] = change + 1e-6 * np.arange(20)
    loss = np.where(there, 2.0, found.position_loss).astype(np.float32)
    claims = said("ablation", position_change=changes, position_loss=loss)
    assert claims.facts.before_target.change.positive
    assert claims.facts.before_target.needed is needed
    assert sentence in text(claims.corpus)
    assert sentence in text(claims.corpus_caption)


@pytest.mark.parametrize(("share", "either"), [(0.8, True), (0.2, False), (-0.8, False)])
def test_what_ablation_takes_whichever_word_is_called_for_is_told(share, either):
    found = result("ablation")
    ablated, foils = found.ablated.copy(), ~found.calls_for_target
    step = np.where(foils, -3.0 * share, -3.0)
    ablated[:, MEAN, 0] = found.baseline[:, 0] + step
    claims = said("ablation", ablated=ablated)
    assert claims.facts.either is either
    assert ("whichever word is called for" in text(claims.foil_too)) is either


@pytest.mark.parametrize(
    ("rotated", "as_far", "chance"), [(2.0, 0.5, True), (2.0, 0.0, False), (0.1, 0.5, False)]
)
def test_a_word_that_random_directions_write_as_strongly_is_not_just_said_to_be_written(
    rotated, as_far, chance
):
    found = result("direct_effect")
    claims = said(
        "direct_effect",
        rotated_best=np.full_like(found.rotated_best, rotated * abs(found.target_logit)),
        layer_best=np.where(
            np.arange(len(found.layer_best)) < as_far * len(found.layer_best),
            2 * abs(found.target_z),
            0.0,
        ),
    )
    ending = "no more strongly than a random direction writes one"
    assert text(claims.heading).endswith(ending) is chance
    assert bool(claims.special) is (as_far > 0)


def test_a_foil_in_the_middle_of_the_vocabulary_is_not_said_to_be_pushed():
    found = result("direct_effect")
    middle = int(found.bin_counts.sum()) // 2
    claims = said("direct_effect", foil_logit=-0.01 * found.target_logit, foil_rank=middle)
    assert text(claims.foil).startswith("It leaves ·a about where it was (")
    assert not claims.facts.both_sides


def test_where_only_the_opposite_of_a_neuron_moves_the_answer_more_of_it_is_not_said_to():
    found = result("weight_modulation")
    curves = found.logit_diff.copy()
    out = found.weights.index("out")
    curves[out, :, 0] = np.minimum(0.0, found.factors) + 2.0
    claims = said("weight_modulation", logit_diff=curves)
    assert claims.heading.startswith("Only its opposite moves the clean prompt’s answer")
    assert claims.dose.startswith("Factors of zero and above hardly move")


def test_words_that_an_example_turns_round_are_told():
    found = result("crossed")
    area, interval = found.own_area.copy(), found.own_interval.copy()
    area[0, 1], interval[0, 1] = 0.1, (0.0, 0.25)
    claims = said("crossed", own_area=area, own_interval=interval)
    told = f"After “{found.examples[1]}” the neuron has them the wrong way round"
    assert (told in text(claims.own)) == (claims.facts.every[1].own_neuron.high < 0.5)
    mirrored = said("crossed", own_area=1 - area, own_interval=1 - interval[..., ::-1])
    assert (told in text(claims.own)) != (told in text(mirrored.own))


def test_what_comes_from_several_tokens_is_not_said_to_come_from_one():
    found = result("upstream")
    place, sources = found.step_positions[0], found.sources.copy()
    head = sources[(found.lead == found.projections[-1] and -1) or 0, :, 0]
    whole = float(head[0].sum() - head[1].sum())
    others = [i for i in range(head.shape[1]) if i != place]
    head[:, others] = 0.0
    head[0, others[:3]], head[1, others[:3]] = 0.8 * whole, 0.0
    head[0, place], head[1, place] = whole, 0.0
    claims = said("upstream", sources=sources)
    assert claims.facts.head.source.share == pytest.approx(1 / 3.4)
    assert text(claims.heading) == "One attention head brings it what differs, from several tokens"
    assert "comes from several tokens, the largest part, 29 %, from" in text(claims.sources)


def test_a_head_that_brings_less_than_half_of_the_activation_is_said_to():
    found = result("upstream")
    claims = said("upstream", chain_activation=0.3 * found.chain_activation)
    assert claims.facts.chain.part
    assert text(claims.heading).endswith(", but less than half of its activation")
    assert not said("upstream").facts.chain.part


def test_a_format_in_which_words_are_told_apart_less_well_is_named():
    found = result("robustness")
    area, interval = found.area.copy(), found.area_interval.copy()
    area[0], interval[0] = 0.99, (0.98, 1.0)
    area[0, 1], interval[0, 1] = 0.9, (0.85, 0.95)
    claims = said("robustness", area=area, area_interval=interval, format_rank=np.ones(3, int))
    assert claims.facts.weaker == (found.formats[1],)
    assert f"though {found.formats[1]} it tells the words apart less well." in text(claims.formats)


@pytest.mark.parametrize(("auc", "little"), [(0.2, ""), (0.4, "a little ")])
def test_an_activation_that_is_lower_before_the_word_is_said_to_be_so(auc, little):
    found = result("corpus_scan")
    areas = found.auc.copy()
    areas[0, 1] = auc, auc - 0.03, auc + 0.03
    claims = said("corpus_scan", auc=areas)
    assert claims.facts.next.reversed
    assert not claims.facts.next.serves
    expected = f"On news, its activation is {little}lower before “·an”, not higher"
    assert text(claims.heading) == expected


def test_how_many_neurons_make_half_is_told_with_what_they_bring_back_elsewhere():
    study = evidence(Plan(holds=False))
    smallest = study.neuron_sets.smallest.copy()
    smallest[:] = 7
    claims = Claims(changed(study, "neuron_sets", smallest=smallest))
    found = claims.neuron_sets.facts
    assert found.half == 7
    assert found.half_elsewhere is not None
    assert "of them together bring back half of the pair’s difference" in text(claims.opening.lede)
    assert "bring back" in text(claims.opening.lede)


def one_pair():
    """A composition that is confirmed by a single pair, of which nothing has an interval."""
    found = result("composition")
    of_pairs = [n for n in vars(found) if n.startswith("held_out_") and "share" not in n]
    fields = {name: getattr(found, name)[:1] for name in ("held_out", *of_pairs)}
    arrays = ("pushed_total", "pushed_components", "random_total", "random_components")
    return said("composition", **fields, **{n: getattr(found, n)[:, :1] for n in arrays})


def test_of_one_pair_that_confirms_there_is_no_verdict():
    claims = one_pair()
    assert "whether it answers the push alone cannot be told" in text(claims.pushed)
    assert "random direction is not shown" not in text(claims.pushed)
    assert "one pair has no interval" in text(claims.held_out)
    assert "too near zero" not in text(claims.held_out)


def test_it_is_told_how_many_controls_are_about_as_active():
    assert "1 of them is about as active, within a factor of 2" in text(said("composition").wrong)
    far = np.array([9.0, *[1.0] * 5])
    assert "none of them is about as active" in text(said("composition", norms=far).wrong)
    near = result("upstream").norms.copy()
    near[1:] = near[0] / 3
    assert "(none of them is about as active" in text(said("upstream", norms=near).wrong)


def test_a_rank_from_the_other_end_counts_the_tokens_of_a_set_as_one():
    """Of a hundred tokens a set of three: behind it can stand 97."""
    found = result("direct_effect")
    vocabulary = int(found.bin_counts.sum())
    first = direct_effect(dataclasses.replace(found, target_rank=1), -1)
    assert first.target_rank == vocabulary
    of_set = dataclasses.replace(found, target=" an| An| AN", target_rank=1)
    assert direct_effect(of_set, -1).target_rank == vocabulary - 2
    last = dataclasses.replace(of_set, target_rank=vocabulary - 2)
    assert direct_effect(last, -1).target_rank == 1


def test_where_many_activations_are_equal_no_hundredth_of_them_is_told_of():
    found = result("corpus_scan")
    tokens = found.band_tokens.copy()
    for count in (0, found.known):
        tokens[-1] = count
        claims = said("corpus_scan", band_tokens=tokens)
        assert "too many tokens have the same one" in text(claims.curve)
        assert not claims.facts.marks_target
        assert "So " not in text(claims.curve)


def test_a_set_is_never_the_likeliest_next_token():
    found = result("weight_modulation")
    sure = np.ones_like(found.p_target)
    claims = said("weight_modulation", target=" an| An", p_target=sure)
    assert {turn.word for turn in claims.facts.turns.values()} <= {*found.likely}


def test_means_that_lie_the_other_way_round_count_as_apart():
    found = result("generality")
    assert not said("generality").facts.held_out.gap_reversed
    means = found.means.copy()
    means[1:] = means[:1, ::-1]
    claims = said("generality", means=means)
    assert claims.facts.held_out.gap == pytest.approx(claims.facts.gap)
    assert "the other way round, in the others" in text(claims.strength)


def test_what_stands_at_a_token_no_longer_was_not_read_there_alone():
    found = result("patching")
    stream = found.components.index("resid_pre")
    restored = found.restored.copy()
    restored[stream, :, found.start] = 0.1
    restored[stream, :, -1] = np.arange(restored.shape[1]) >= 1
    claims = said("patching", restored=restored)
    assert "that it read it at ·apple alone is not shown" in text(claims.journey)
    restored[stream, :, found.start] = 1.0
    assert "something read it" in text(said("patching", restored=restored).journey)


def test_prompts_that_do_not_vary_have_no_correlation_and_the_caption_says_so():
    found = result("ablation")
    activation = np.where(found.calls_for_target, found.activation, 1.0).astype("f")
    claims = said("ablation", activation=activation)
    assert "cannot be told: of one kind or both there are too few" in text(
        claims.activation_caption
    )


def test_an_order_by_the_gradient_can_be_better():
    found = result("neuron_sets")
    shares = found.shares.copy()
    shares[:, 1] = shares[:, 0] + 0.3
    claims = said("neuron_sets", shares=shares)
    assert "the gradient is better than patching each neuron alone" in text(claims.orders)


def test_a_head_that_opposes_the_whole_hides_no_head_that_makes_it():
    """The strongest takes back 3.2; another, weaker one makes 1.7 of the 0.4 that is left."""
    contributions = result("upstream").contributions.copy()
    heads = [result("upstream").components.index(name) for name in ("L1H0", "L1H1")]
    difference = result("upstream").preactivation[result("upstream").leading] @ [1, -1]
    assert difference > 0
    contributions[1, 0, heads] = contributions[1, 1, heads] + np.array([-3.2, 1.7])
    claims = said("upstream", contributions=contributions)
    assert claims.heading.endswith("what differs, and another more that works against it")
    assert "L1H1 alone makes" in text(claims.caption)
    assert "No single head" not in text(claims.caption)


@pytest.mark.parametrize(
    ("answers", "sentence", "heading"),
    [
        ((-0.5, 0.5), "prefers ·pear with the neuron and ·apple without", "flips"),
        ((-0.5, -0.4), "does not hang on the neuron", "stands"),
    ],
)
def test_an_answer_that_flips_to_the_target_is_said_to_flip(answers, sentence, heading):
    baseline, ablated = (result("ablation").__dict__[n].copy() for n in ("baseline", "ablated"))
    baseline[0, 0], ablated[0, :, 0] = answers
    alone = np.ones_like(result("ablation").in_question)
    words = {"target": " apple", "foil": " pear", "in_question": alone}
    claims = said("ablation", baseline=baseline, ablated=ablated, **words)
    assert sentence in text(claims.prompt)
    assert text(claims.heading).endswith(heading)


def test_that_a_gap_does_not_need_the_neuron_is_said_only_where_an_interval_shows_it():
    found = result("ablation")
    one = np.arange(len(found.in_question)) % 6 != 1  # a prompt of each kind is left
    assert "is not shown" in text(said("ablation", in_question=one).both_kinds)
    same = np.repeat(found.baseline[:, None], found.ablated.shape[1], 1)
    assert "does not need the neuron" in text(said("ablation", ablated=same).both_kinds)


@pytest.mark.parametrize("formats", [1, 2])
def test_a_finding_that_holds_in_no_format_hangs_on_none(formats):
    found = result("robustness")
    rank = np.full_like(found.format_rank, 50)
    fields = {"format_rank": rank, "drawn_rank": np.full_like(found.drawn_rank, 50)}
    if formats == 1:
        cut = ("formats", "given", "format_answers", "format_rank")
        fields |= {name: (fields | vars(found))[name][:1] for name in cut}
        fields["format_rank"] = rank[:1]
        two = ("area", "area_interval", "chance", "values")
        fields |= {name: getattr(found, name)[:, :1] for name in two}
    claims = said("robustness", **fields)
    assert "no finding here" in text(claims.heading)
    assert "not first either" in text(claims.drawn)
    assert ("There was no other format" in text(claims.formats)) == (formats == 1)
    assert "hangs on the prompt" not in text(claims.formats)


def test_redraws_that_do_not_tell_the_prompts_apart_name_no_other_neuron():
    found = result("robustness")
    rank, best = found.drawn_rank.copy(), list(found.drawn_best)
    rank[4], best[4] = 2, ""
    claims = said("robustness", drawn_rank=rank, drawn_best=tuple(best))
    assert "at times: then the prompts are not told apart." in text(claims.drawn)


def test_a_pair_that_turns_the_answer_the_wrong_way_is_said_to():
    found = result("next_token")
    diffs = found.logit_diff.copy()
    diffs[:2] = -2.5, 1.0
    claims = said("next_token", logit_diff=diffs)
    assert text(claims.heading).endswith("turns the answer the wrong way")
    assert "does not choose the right word" in text(claims.wrong)
    assert "one-sided" not in text(claims.wrong)


def test_what_takes_from_the_margin_in_its_own_model_is_not_said_to_do_nothing():
    found = result("transplant")
    claims = said("transplant", donor_effect=-abs(found.donor_effect)[:, [0, 2, 1]])
    assert "takes from it there" in text(claims.judged)
    assert "nothing that is clear of zero there" not in text(claims.judged)
    assert "does nothing" not in text(claims.outcome)


def test_where_little_moves_from_one_word_to_the_other_no_third_word_is_blamed():
    found = result("intervention")
    measures = found.measures.copy()
    measures[:, 1:3] = 0.3
    measures[MEAN_SETTING, 1:3] = 0.31, 0.291
    claims = said("intervention", measures=measures)
    assert "goes to the other, not to third words" in text(claims.others)


def test_a_lens_that_rises_nowhere_does_not_jump():
    curves = -np.sort(np.random.default_rng(0).normal(size=result("logit_lens").logit_diff.shape))
    claims = said("logit_lens", logit_diff=curves.astype("f"))
    assert "rises nowhere" in text(claims.heading)
    assert "rises most" not in text(claims.jump)


def test_a_patch_that_changes_nothing_and_recovers_nothing_tells_nothing_of_rounding():
    claims = said("neuron_sweep", noise=0.0)
    assert "tells nothing of rounding" in text(claims.margin)
    assert "cannot have" not in text(claims.margin)


def test_a_neuron_at_zero_after_both_prompts_is_active_after_neither():
    found = result("activations")
    values = found.activations.copy()
    for index in (0, 1):
        values[found.text(index).stop - 1] = 0.0
    claims = said("activations", activations=values)
    assert text(claims.heading) == "It is active at the end of neither prompt"
    assert "of both" not in text(claims.pair)
    assert "has no activation" in text(claims.news)


def test_controls_that_take_away_are_not_said_to_bring_back():
    found = result("neuron_sets")
    controls = found.controls.copy()
    controls[0] = -0.9
    controls[1, :, 0] = 0.99
    claims = said("neuron_sets", controls=controls)
    assert "up to 99 %" in text(claims.controls)
    assert "90 %" not in text(claims.controls)


def test_a_recovery_just_below_the_notable_is_not_written_as_it_is():
    recovery = result("neuron_sweep").recovery.copy()
    second = parse_neuron(result("neuron_sweep").candidates[1], *recovery.shape)
    recovery[second] = 0.0496
    assert "recovers 4.96 %" in text(said("neuron_sweep", recovery=recovery).standing)


def test_a_threshold_that_every_token_reaches_makes_no_sign_of_the_target():
    of = result("comparison")
    told, plain = "is not shown to be such a sign", said("comparison")
    shares = of.shares.copy()
    shares[:, 0], shares[:, 1] = (0.004, 0.002, 0.006), (1, 0.9, 1)
    blind = said(
        "comparison",
        shares=shares,
        active=of.tokens.copy(),
        followed=np.full_like(of.followed, round(0.004 * of.tokens.min())),
        active_followed=np.full_like(of.followed, round(0.004 * of.tokens.min())),
    )
    assert plain.facts.models[0].detector.tells
    assert told not in text(plain.corpus)
    assert not blind.facts.models[0].detector.tells
    assert told in text(blind.corpus)
