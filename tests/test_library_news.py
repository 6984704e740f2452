"""What best neurons tell on news: thresholds by trying every one, and what is said of them."""

import re
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest
import torch

from analysis import sentences
from analysis.experiments import named
from analysis.experiments.library import compute
from analysis.experiments.library.at_once import at_once
from analysis.experiments.library.compute import library_row, summary, together
from analysis.experiments.library.facts import facts, grounds
from analysis.experiments.library.in_news import in_news
from analysis.experiments.library.tables import LISTING
from analysis.neuron import parse_neuron
from analysis.numbers.estimates import Estimate
from analysis.numbers.statistics import share_interval
from tests.questions import CLEAN, CORRUPTED, TREES
from tests.subjects import kept
from tests.synthetic.over_questions import news, row

WORDS = (" are", " is")
ARTICLES = [
    (
        number,
        " ".join((f"{CLEAN} an egg.", f"{CORRUPTED} a pear.", "She saw an owl and the an")[k:]),
    )
    for number, k in enumerate((0, 1, 2, 0, 1, 0, 2, 0))
]
"""Numbered texts of words that the tiny models know."""


@pytest.fixture
def random_row(monkeypatch):
    """A tiny random model and its row, for which any pair is told apart."""
    subject = kept("llama").subject()
    monkeypatch.setattr(compute, "GAP", -1000.0)
    pairs = [TREES.pair(subject), *TREES.other_pairs(subject)]
    return subject, library_row(subject, pairs, screen=40)


def sentences_of(result):
    return sentences.alone(named("library"), result)


def slow_sign(subject, row, texts):
    """Tokens marked, of them right, and places of the target: a threshold by trying every one."""
    neuron = parse_neuron(row.best[0], subject.n_layers, subject.d_mlp)
    halves = [[], []]
    for place, (_, text) in enumerate(texts):
        tokens = subject.tokens(text)
        post = subject.cache(tokens, "mlp.hook_post")["mlp.hook_post"][neuron.layer]
        values = row.sign[0] * post[1:-1, neuron.number].float()
        follows = torch.tensor(tokens[2:]) == TREES.contrast(subject).target_id
        halves[place % 2] += zip(values.tolist(), follows.tolist(), strict=True)
    chosen, judged = halves

    def f1(threshold):
        marked = [follows for value, follows in chosen if value >= threshold]
        return 2 * sum(marked) / (len(marked) + sum(follows for _, follows in chosen))

    best = max(sorted((value for value, _ in chosen), reverse=True), key=f1)
    below = max(value for value, _ in chosen if value < best)
    marked = [follows for value, follows in judged if value >= (best + below) / 2]
    return len(marked), sum(marked), sum(follows for _, follows in judged)


def test_on_news_a_threshold_is_chosen_on_every_second_text_and_judged_on_the_others(random_row):
    subject, found = random_row
    other = replace(found, best=found.second, sign=-found.sign)
    contrasts = [TREES.contrast(subject)]
    both = in_news(subject, [found, other], [contrasts, contrasts], ARTICLES)
    for alone, read in zip((found, other), both, strict=True):
        marked, right, places = slow_sign(subject, alone, ARTICLES)
        assert places == read.occurrences[0, 1] > 3
        assert read.marked[0] == marked > 0
        assert read.precision[0, 0] == pytest.approx(right / marked)
        assert read.recall[0, 0] == pytest.approx(right / places)
        assert read.precision[0, 1] <= read.precision[0, 0] <= read.precision[0, 2]
        (by_itself,) = in_news(subject, [alone], [contrasts], ARTICLES)
        for name in ("tokens", "occurs_in", "threshold", "precision", "recall"):
            np.testing.assert_array_equal(getattr(by_itself, name), getattr(read, name))
    assert both[0].effects is found.effects


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_an_interval_among_many_is_wilsons_at_a_larger_z(share):
    """Wilson's formula written out: of 12 intervals each leaves out 5 % / 12."""
    size, many = 40.0, 12
    z = NormalDist().inv_cdf(1 - 0.05 / 2 / many)
    middle = (share + z**2 / (2 * size)) / (1 + z**2 / size)
    half = z * np.sqrt(share * (1 - share) / size + z**2 / (4 * size**2)) / (1 + z**2 / size)
    alone = Estimate(share, *share_interval(share * size, size))
    stored = Estimate(*map(float, np.array(alone, np.float32)))
    assert at_once(stored, many) == pytest.approx((share, middle - half, middle + half), abs=1e-5)
    assert at_once(stored, 1) == pytest.approx(alone, abs=1e-5)


def test_intervals_on_news_hold_at_once_over_the_questions_that_are_told_apart():
    one = replace(row("an", (" an", " a"), 0.7), **news(0.3, 0.4))
    (alone, _), (among, _) = (together([one] * many, {}).on_news(0) for many in (1, 5))
    assert among == pytest.approx(at_once(alone, 5), abs=1e-6)
    assert among.low < alone.low < 0.3 < alone.high < among.high
    result = together([one] * 5, {})
    listed = summary(result)["questions"][0]
    assert listed["precision_interval"] == among[1:]
    (ground,) = (each for each in grounds(facts(result), result) if each.claim == "news")
    assert ground.at_once == 5


def test_a_text_without_tokens_takes_no_turn_and_all_targets_are_awaited(random_row):
    subject, found = random_row
    contrasts = [TREES.contrast(subject), TREES.contrast(subject)]
    (plain,) = in_news(subject, [found], [contrasts], ARTICLES)
    (gapped,) = in_news(subject, [found], [contrasts], [(99, "I"), *ARTICLES])
    assert plain.awaited[0] == 1
    for name in ("tokens", "occurrences", "threshold", "marked", "recall"):
        np.testing.assert_array_equal(getattr(gapped, name), getattr(plain, name))


def test_of_a_target_that_comes_too_seldom_on_news_no_precision_is_told():
    seldom = replace(row("an", (" an", " a"), 0.7), **news(0.5, 0.5, occurrences=9))
    alone = replace(row("an", (" an", " a"), 0.7), occurs_in=np.array([[2, 9]]))
    for each in (seldom, alone):
        (listed,) = LISTING.rows(each)
        assert listed["precision"] is listed["recall"] is None
        assert "too seldom" in sentences_of(each).news
        assert "marks" not in sentences_of(each).news
    unread = replace(seldom, documents=0)
    assert not sentences_of(unread).news
    assert "occurrences" not in summary(unread)["questions"][0]


def test_where_pairs_have_targets_of_their_own_no_single_word_is_named():
    many = replace(row("an", (" an", " a"), 0.7), **{**news(0.3, 0.4), "awaited": np.array([30])})
    assert "of the places of one of the 30 words that its pairs ask for" in sentences_of(many).news


def test_what_a_neuron_marks_on_news_is_held_against_how_often_its_word_comes():
    good, poor = (
        replace(row("an", (" an", " a"), 0.7), **news(precision, 0.4)) for precision in (0.3, 0.003)
    )
    assert "In 1 of 1 question the marks are right more often" in sentences_of(good).news
    assert "In none of 1 question the marks are right more often" in sentences_of(poor).news
    silent = replace(poor, marked=np.array([0]), precision=np.full((1, 3), np.nan))
    assert "marks no token at all" in sentences_of(silent).news


def test_no_neuron_is_told_as_the_best_sign_by_the_articles_that_judge_it():
    """The question that is asked where no other is named is told, else the one by its prompts."""
    ours = replace(row("an", (" an", " a"), 0.2), **news(0.1, 0.4))
    better = replace(row("are", WORDS, 0.7), **news(0.9, 0.9))
    third = replace(row("she", (" she", " he"), 0.4), **news(0.95, 0.95))
    said = sentences_of(together([ours, better, third], {})).news
    assert "best" not in said.split("judge it")[1]
    assert re.search(r"For <code class=.tok.>·an</code> against .*?, \w+ marks 40", said)
    others = sentences_of(together([third, better], {})).news
    assert re.search(r"recovers most for <code class=.tok.>·are</code>.*?: \w+ marks 90", others)


def test_more_articles_than_there_are_are_refused_before_a_question_is_asked(
    analysis, llama_folder, monkeypatch
):
    monkeypatch.setattr(compute, "run", None)
    code, _, err = analysis("library", "an", "--model", llama_folder, "--documents", "999999")
    assert code == 2
    assert "ask for at most so many" in err
