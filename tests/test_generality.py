import dataclasses

import numpy as np
import pytest

from analysis.claims import Claims
from analysis.experiments.generality import EXPERIMENT
from analysis.experiments.generality.compute import generality, summary, unsigned_auc
from analysis.experiments.generality.facts import facts
from analysis.experiments.generality.figures import generality as draw_generality
from analysis.neuron import Neuron, parse_neuron
from analysis.numbers.separation import auc, auc_differences, group_means, shuffled, word_interval
from analysis.prompts import make_prompt
from analysis.questions import default
from tests.committed import committed
from tests.plant import plant
from tests.prose import Prose, check_opposites, render
from tests.synthetic import Plan, changed, evidence, toy_plan

NEURON = Neuron(1, 7)
SENTENCE = "I climbed up the {} tree and picked"
OTHER = "We saw the {} and ate"
WORDS_OF_DEFAULT = default().target_words, default().foil_words
WORDS_ASKED = EXPERIMENT.check({})["words"]
WORDS = (("apple", "orange", "egg", "owl", "onion"), ("lemon", "pear", "leaf", "bird"))


@pytest.fixture
def result(subject, pair):
    return generality(subject, NEURON, pair.contrast, (SENTENCE, OTHER), WORDS)


def test_the_auc_counts_pairs_in_order_and_ties_half():
    target, foil = np.array([1.0, 2.0, 2.0, 5.0]), np.array([2.0, 3.0, 0.0])
    pairs = [(a > b) + 0.5 * (a == b) for a in target for b in foil]
    assert auc(target, foil) == pytest.approx(np.mean(pairs))
    assert auc(target, foil) + auc(foil, target) == pytest.approx(1)
    assert auc(np.array([3.0, 4.0]), np.array([1.0, 2.0])) == 1
    assert auc(np.exp(target), np.exp(foil)) == auc(target, foil)


def test_the_same_values_under_every_label_tell_nothing_apart():
    same = np.ones((2, 5))
    assert (auc(same, same) == 0.5).all()
    assert (shuffled(same, same, auc, seed=0) == 0.5).all()


def test_shuffled_labels_spread_as_the_mann_whitney_statistic_does():
    values = np.random.default_rng(0).normal(size=(1, 50))
    by_chance = shuffled(values[:, :20], values[:, 20:], auc, seed=0)
    assert by_chance.mean() == pytest.approx(0.5, abs=0.01)
    assert by_chance.std() == pytest.approx(np.sqrt(51 / (12 * 20 * 30)), rel=0.05)


def test_the_interval_of_a_mean_is_as_wide_as_its_standard_error_says():
    values = np.random.default_rng(0).normal(3, 2, (1, 100))
    spans = word_interval(values, values, group_means, seed=0)
    width = 2 * 1.96 * values.std() / 10
    assert spans.shape == (1, 2, 2)
    np.testing.assert_allclose(spans[..., 1] - spans[..., 0], width, rtol=0.1)


def test_one_word_says_nothing_of_others_and_has_no_interval():
    many, one = np.array([[1.0, 2.0, 3.0]]), np.array([[4.0]])
    assert np.isfinite(word_interval(many, many, auc, seed=0)).all()
    for groups in ((many, one), (one, many)):
        assert np.isnan(word_interval(*groups, auc, seed=0)).all()
        assert word_interval(*groups, group_means, seed=0).shape == (1, 2, 2)


def test_values_equal_the_hooks_and_the_models_own_logits(subject, pair, result):
    words = [*WORDS[0], *WORDS[1]]
    for row, sentence in enumerate((SENTENCE, OTHER)):
        for column, word in enumerate(words):
            tokens = make_prompt(subject, sentence.format(word)).tokens
            hooked = subject.cache(tokens, "mlp.hook_post")["mlp.hook_post"][NEURON.layer, -1]
            last = subject.logits(tokens)[-1]
            diff = last[pair.contrast.target_id] - last[pair.contrast.foil_id]
            assert result.activation[row, column] == pytest.approx(float(hooked[7]), abs=1e-4)
            assert result.logit_diff[row, column] == pytest.approx(float(diff), abs=1e-4)
    np.testing.assert_allclose(result.means[:, 0], result.activation[:, :5].mean(1), rtol=1e-5)
    np.testing.assert_allclose(result.diff_means[:, 1], result.logit_diff[:, 5:].mean(1), rtol=1e-5)


def test_matched_neurons_are_asked_the_same(subject, result):
    number = parse_neuron(result.matched[3], subject.n_layers, subject.d_mlp).number
    values = []
    for word in (*WORDS[0], *WORDS[1]):
        tokens = make_prompt(subject, OTHER.format(word)).tokens
        hooked = subject.cache(tokens, "mlp.hook_post")["mlp.hook_post"]
        values.append(float(hooked[NEURON.layer, -1, number]))
    assert result.matched_auc[1, 3] == pytest.approx(float(auc(*_split(np.array(values)))))
    assert str(NEURON) not in result.matched


def _split(values):
    return values[: len(WORDS[0])], values[len(WORDS[0]) :]


def test_swapping_the_groups_turns_the_auc_round_and_keeps_the_means(subject, pair, result):
    other = generality(subject, NEURON, pair.contrast, (SENTENCE, OTHER), WORDS[::-1])
    np.testing.assert_allclose(other.auc, 1 - result.auc, atol=1e-6)
    np.testing.assert_allclose(other.means, result.means[:, ::-1], atol=1e-5)
    np.testing.assert_allclose(unsigned_auc(other.auc), unsigned_auc(result.auc), atol=1e-6)


def test_a_planted_neuron_parts_the_words_it_was_planted_for(subject, pair):
    plant(subject, pair, NEURON, pair.contrast)
    found = generality(subject, NEURON, pair.contrast, (SENTENCE,), (("apple",), ("lemon",)))
    assert found.auc[0] == found.diff_auc[0] == 1
    assert found.means[0] == pytest.approx([4.0, 0.0], abs=0.1)


def test_the_same_seed_gives_the_same_result_and_another_seed_other_draws(subject, pair, result):
    runs = [
        generality(subject, NEURON, pair.contrast, (SENTENCE, OTHER), WORDS, seed)
        for seed in (0, 1)
    ]
    for field in dataclasses.fields(result):
        np.testing.assert_array_equal(getattr(runs[0], field.name), getattr(result, field.name))
    assert (runs[1].mean_intervals != result.mean_intervals).any()
    np.testing.assert_array_equal(runs[1].auc, result.auc)


def test_held_out_sentences_are_averaged_without_the_first(subject, pair):
    sentences = (SENTENCE, OTHER, "The {} was big and she ate")
    found = generality(subject, NEURON, pair.contrast, sentences, WORDS)
    assert found.held_out_auc[0] == pytest.approx(found.auc[1:].mean(), abs=1e-6)
    assert found.held_out_auc[1] == pytest.approx(found.diff_auc[1:].mean(), abs=1e-6)
    alone = generality(subject, NEURON, pair.contrast, sentences[:1], WORDS)
    assert np.isnan(alone.held_out_auc).all()
    np.testing.assert_allclose(alone.auc, found.auc[:1], atol=1e-6)


def test_the_words_are_as_many_of_either_kind_and_none_chose_the_neuron():
    vowels, consonants = (words[:WORDS_ASKED] for words in WORDS_OF_DEFAULT)
    assert len(set(vowels)) == len(set(consonants)) == WORDS_ASKED == 20
    assert all(word[0] in "aeiou" for word in vowels)
    assert not any(word[0] in "aeiou" for word in consonants)
    assert not {"apple", "lemon", "pear", "eucalyptus"} & {*vowels, *consonants}


def test_the_embedded_neuron_parts_vowel_trees_from_consonant_trees():
    """The issue's 7.10 and -0.60 came of other lists of 20; they lie within the intervals."""
    real = committed("generality")
    assert real.means[0] == pytest.approx([6.42, -0.28], abs=0.01)
    for (low, high), value in zip(real.mean_intervals[0], (7.10, -0.60), strict=True):
        assert low < value < high
    assert real.auc[0] == pytest.approx(0.9875, abs=1e-4)
    assert (unsigned_auc(real.matched_auc[0]) < real.auc[0]).all()
    assert real.chance[0] < 0.001


def test_the_embedded_neuron_parts_them_in_a_held_out_sentence_too():
    real = committed("generality")
    tree = real.templates.index("My favourite tree is the {} tree, so last spring I planted")
    assert real.auc[tree] > 0.9
    assert real.auc_interval[tree, 0] > real.shuffled_interval[tree, 1]


TRUE_AND_FALSE = [
    ("in other sentences too", "It is not shown to tell other words apart"),
    (
        "L3N5 tells the two kinds of words apart",
        "L3N5 is not shown to tell the two kinds of words apart",
    ),
    ("In 2 of 2 held-out sentences the neuron tells", "in none of the held-out sentences"),
    ("In every one the neuron does, too", "no question that the neuron could answer"),
    ("none can be said to tell the words apart better", "4 can be said to tell the words apart"),
    ("4 can be said to do worse", "none can be said to do worse"),
]


@pytest.mark.parametrize(("said", "opposite"), TRUE_AND_FALSE)
def test_data_against_a_claim_bring_out_the_opposite_sentence(pages, said, opposite):
    check_opposites(pages, said, opposite)


def _told(**fields):
    return Claims(changed(evidence(Plan()), "generality", **fields)).generality


RIGHT, NEITHER, WRONG = (1.0, 0.001), (0.5, 0.9), (0.0, 0.004)


def _sentences(neuron, model):
    """What is told of a neuron and an answer, from AUC and p of either in three sentences."""
    names = ("auc", "chance", "diff_auc", "diff_chance")
    rows = [*zip(*neuron, strict=True), *zip(*model, strict=True)]
    return _told(**{n: np.array(row, dtype="f") for n, row in zip(names, rows, strict=True)})


def test_neuron_and_answer_are_put_to_one_test_in_every_sentence():
    same = _sentences((RIGHT, RIGHT, NEITHER), (RIGHT, RIGHT, NEITHER))
    assert same.heading == "It tells other words apart, but not in every sentence"
    assert "In that one the neuron does, too; in no other does it" in same.answers
    without = _sentences((RIGHT, RIGHT, NEITHER), (RIGHT, RIGHT, RIGHT))
    assert "In 1 of those the neuron does not." in without.answers
    more = _sentences((RIGHT, RIGHT, RIGHT), (RIGHT, RIGHT, NEITHER))
    assert "In that one the neuron does, too, and in 1 more" in more.answers
    crossed = _sentences((RIGHT, RIGHT, NEITHER), (RIGHT, NEITHER, RIGHT))
    assert "In 1 of those the neuron does not, and in 1 more" in crossed.answers
    nowhere = _sentences((RIGHT, NEITHER, NEITHER), (RIGHT, RIGHT, NEITHER))
    assert nowhere.heading == "It tells other words apart, but in no other sentence"


def test_a_sentence_that_has_the_words_the_wrong_way_round_is_told_with_its_numbers():
    """By the interval of the answer and the p of the neuron it was "there, and nowhere else"."""
    claims = _sentences((RIGHT, RIGHT, WRONG), (RIGHT, RIGHT, NEITHER))
    assert "In 1 it has them the wrong way round: the AUC is 0.00 there (p = 0.0040)" in (
        claims.sentences
    )
    assert "In that one the neuron does, too; in no other" in claims.answers
    assert "wrong way round, the answer has not" in claims.answers
    both = _sentences((RIGHT, RIGHT, WRONG), (RIGHT, RIGHT, WRONG))
    assert "has them the wrong way round in 1" in both.answers
    assert "wrong way round, the answer has, too" in both.answers


def test_of_several_sentences_one_counts_only_if_luck_seldom_makes_any_of_them_do_so():
    """Two held-out sentences: each is given half of the 5 % of the pair's sentence alone."""
    once = (1.0, 0.03)
    claims = _sentences((once, once, NEITHER), (once, once, NEITHER))
    assert claims.heading == "It tells other words apart, but in no other sentence"
    assert "tells the words apart in 0 of these 2 sentences" in claims.answers
    clear = _sentences((once, RIGHT, NEITHER), (once, RIGHT, NEITHER))
    assert "as far in at most one draw in 40" in clear.sentences


def test_few_words_that_are_all_in_order_show_nothing_and_no_lack_of_a_question():
    """Three of each kind: two labellings in twenty part them wholly, and 5 % are asked for."""
    result = evidence(Plan()).generality
    few = _told(
        target_words=result.target_words[:3],
        foil_words=result.foil_words[:3],
        activation=result.activation[:, [0, 1, 2, 6, 7, 8]],
        logit_diff=result.logit_diff[:, [0, 1, 2, 6, 7, 8]],
        chance=np.full(3, 0.1, "f"),
        diff_chance=np.full(3, 0.1, "f"),
    )
    assert "is not shown to tell the two kinds of words apart" in few.words
    assert "So few words could not show it" in few.words
    assert "where so few could show nothing" in few.sentences
    assert "could not pass this test either" in few.answers
    assert "no question" not in few.answers
    assert "could not show it" not in _told().words


def test_words_enough_for_one_sentence_and_too_few_for_others_are_not_said_to_fail_there():
    """Four of each kind: two labellings in seventy part them wholly, 2.9 %, and 2.5 % are asked."""
    result, few = evidence(Plan()).generality, [0, 1, 2, 3, 6, 7, 8, 9]
    told = _told(
        target_words=result.target_words[:4],
        foil_words=result.foil_words[:4],
        activation=result.activation[:, few],
        logit_diff=result.logit_diff[:, few],
        chance=np.full(3, 0.029, "f"),
        diff_chance=np.full(3, 0.029, "f"),
    )
    assert told.heading == "It tells other words apart; they are too few for other sentences"


def _rival(less):
    """A neuron, and one that is as it is but for words of the target's kind, after which less."""
    draw = np.random.default_rng(0)
    first = draw.normal(0, 1, 40) + np.repeat([1.5, 0], 20)
    rows = np.stack([first, first - np.repeat([less, 0], 20)])
    return rows[:, :20], rows[:, 20:]


def test_intervals_that_overlap_can_hide_a_difference_that_pairs_show():
    """Both find the same words hard: their AUCs vary together, and their difference little."""
    rows = _rival(less=0.4)
    ours, theirs = word_interval(*rows, auc, seed=0)
    assert ours[0] < theirs[1]  # the intervals overlap
    (lead,), ((low, high),) = auc_differences(*rows, seed=0)
    assert 0 < low < lead < high
    (lead,), ((low, high),) = auc_differences(*(group[::-1] for group in rows), seed=0)
    assert low < lead < high < 0


def test_a_rival_that_is_the_same_leads_by_nothing_and_one_upside_down_is_turned():
    rows = _rival(less=0.0)
    lead, span = auc_differences(*rows, seed=0)
    assert lead == pytest.approx([0], abs=1e-6)
    assert span == pytest.approx(np.zeros((1, 2)), abs=1e-6)
    turned = [np.stack([group[0], -group[0]]) for group in rows]
    assert auc_differences(*turned, seed=0)[1] == pytest.approx(np.zeros((1, 2)), abs=1e-6)


@pytest.mark.slow
def test_no_rival_of_many_is_called_better_by_luck():
    """All rows are as good as each other; one comparison in twenty would be wrong one by one."""
    wrong, wrong_alone, sets = 0, 0, 60
    for seed in range(sets):
        draw = np.random.default_rng(seed)
        rows = draw.normal(0, 1, (21, 40)) + np.repeat([1.0, 0], 20)
        _, spans = auc_differences(rows[:, :20], rows[:, 20:], seed)
        wrong += bool((spans[:, 1] < 0).any() or (spans[:, 0] > 0).any())
        alone = [auc_differences(rows[[0, i], :20], rows[[0, i], 20:], seed)[1] for i in (1, 2, 3)]
        wrong_alone += sum(bool(each[0, 0] > 0 or each[0, 1] < 0) for each in alone)
    assert wrong <= 0.15 * sets  # of 5 % expected, with room for chance
    assert wrong_alone > 0


def test_a_neuron_that_works_with_negative_activation_is_read_in_that_direction():
    study = evidence(Plan())
    active, words = study.activations, study.generality
    study = changed(study, "activations", activations=-active.activations)
    turned = {
        name: 1 - getattr(words, name) for name in ("auc", "auc_interval", "shuffled_interval")
    }
    claims = Claims(changed(study, "generality", **turned)).generality
    assert claims.heading == "It tells other words apart, in other sentences too"
    assert "the lower one after the word that takes" in claims.words
    assert Claims(study).generality.heading == "It is not shown to tell other words apart"


def test_words_of_the_choosing_prompts_are_named():
    assert "None of these words" in _told().unseen
    assert "took part in choosing" in _told(target_words=("apple",) * 6).unseen


def test_a_model_that_orders_the_words_but_never_says_the_target_is_told_so():
    study = evidence(Plan()).generality
    assert "6 of the 6 words" in _told().model
    assert "Order is not decision" in _told(logit_diff=study.logit_diff - 50).model


@pytest.mark.slow
def test_without_other_sentences_or_neurons_the_page_says_so():
    study = evidence(toy_plan())
    words = study.generality
    rows = ("activation", "logit_diff", "means", "mean_intervals", "diff_means", "auc", "chance")
    rows += ("auc_interval", "diff_auc", "diff_auc_interval", "shuffled_interval", "matched_auc")
    rows += ("diff_mean_intervals", "templates", "diff_chance")
    nothing = {
        "held_out_auc": np.full(2, np.nan, dtype="f"),
        "held_out_interval": np.full((2, 2), np.nan, dtype="f"),
    }
    one = {name: getattr(words, name)[:1] for name in rows}
    page = Prose(render(changed(study, "generality", **one, **nothing))).text
    assert "No other sentence was tried" in page
    assert "no other neuron to compare with" in page
    assert "undefined" not in page


@pytest.mark.slow
def test_the_verb_answers_in_json(answer, llama_folder):
    document = answer("generality", "--model", llama_folder, "--neuron", "L1N3")
    assert document["neuron"] == "L1N3"
    assert [row["held_out"] for row in document["templates"]] == [False, *[True] * 6]
    assert {"auc", "auc_interval", "p_shuffled", "logit_diff_auc"} <= set(document["templates"][0])
    assert len(document["words"]["target"]) == len(document["words"]["foil"]) == 20


def test_other_targets_have_no_words_and_the_verb_says_so(analysis, llama_folder):
    asked = ("--model", llama_folder, "--neuron", "L1N3", "--target", " the")
    code, out, err = analysis("generality", *asked)
    assert (code, out) == (2, "")
    assert "There are no groups of words for ' the' against ' a'" in err


def test_the_summary_tells_what_the_arrays_hold(result):
    document = summary(result)
    assert [row["auc"] for row in document["templates"]] == result.auc.tolist()
    assert document["templates"][1]["activation"]["foil"]["mean"] == result.means[1, 1]
    assert document["words"]["foil"][0]["activation"] == result.activation[0, 5]


def test_tables_read_an_auc_with_the_sign_of_the_neuron_as_the_page_does(result):
    turned = dataclasses.replace(
        result,
        means=-result.means,
        auc=1 - result.auc,
        auc_interval=1 - result.auc_interval[:, ::-1],
    )
    ours, theirs = summary(result), summary(turned)
    assert ours["sign"] == -theirs["sign"]
    for mine, other in zip(ours["templates"], theirs["templates"], strict=True):
        assert mine["auc_signed"] == pytest.approx(other["auc_signed"], abs=1e-6)
        assert mine["auc_signed_interval"] == pytest.approx(other["auc_signed_interval"], abs=1e-6)
        assert {mine["auc"], other["auc"]} >= {mine["auc_signed"]}
    assert facts(turned).auc.mean == pytest.approx(theirs["templates"][0]["auc_signed"])


def test_no_lead_of_few_words_passes_what_a_lead_can_be(subject, pair):
    words = ("egg", "owl"), ("dog", "pear")
    found = generality(subject, NEURON, pair.contrast, [SENTENCE], words)
    assert np.abs(found.lead_interval).max() <= 1


def test_a_neuron_that_works_with_negative_activation_is_drawn_in_the_right_order_too():
    own = evidence(Plan()).generality
    other = dataclasses.replace(
        own,
        means=-own.means,
        auc=1 - own.auc,
        auc_interval=1 - own.auc_interval[:, ::-1],
        shuffled_interval=1 - own.shuffled_interval[:, ::-1],
        matched_auc=1 - own.matched_auc,
    )
    drawn = [
        [trace.x for trace in draw_generality(each).data if trace.xaxis == "x2"]
        for each in (own, other)
    ]
    assert drawn[0]
    for mine, theirs in zip(*drawn, strict=True):
        np.testing.assert_allclose(theirs, mine, atol=2e-3)
