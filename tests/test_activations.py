from dataclasses import replace

import numpy as np
import pytest

from analysis import running
from analysis.claims import Claims
from analysis.experiments import named
from analysis.experiments.activations.compute import activations
from analysis.experiments.activations.facts import counted, facts, sampled
from analysis.neuron import Neuron
from analysis.numbers.statistics import share_interval
from analysis.prompts import make_prompt
from analysis.questions import Question
from tests.questions import default_pair
from tests.synthetic import Plan, changed, evidence

NEURON = Neuron(2, 5)


def test_activations_equal_the_hooks_and_probabilities_the_models(subject, pair):
    result = activations(subject, NEURON, pair.contrast, [pair.clean, pair.corrupted])
    for index, prompt in enumerate((pair.clean, pair.corrupted)):
        where = result.text(index)
        hooked = subject.cache(prompt.tokens, "mlp.hook_post")["mlp.hook_post"]
        np.testing.assert_allclose(result.activations[where], hooked[2, :, 5].numpy(), atol=1e-5)
        own = subject.logits(prompt.tokens).softmax(-1)[:, pair.contrast.target_id]
        np.testing.assert_allclose(result.p_target[where], own.numpy(), atol=1e-5)
        assert result.tokens[where] == prompt.strings


def test_next_is_target_marks_the_token_before_the_target(subject, pair):
    text = make_prompt(subject, "I ate an apple and a pear and an egg")
    result = activations(subject, NEURON, pair.contrast, [text])
    marked = [result.tokens[i] for i in np.flatnonzero(result.next_is_target)]
    assert marked == [" ate", " and"]


def test_random_texts_stand_behind_the_texts_asked_about(subject, pair):
    others = [make_prompt(subject, text) for text in ("The egg is big", "We saw a house")]
    result = activations(subject, NEURON, pair.contrast, [pair.clean], others)
    assert result.random_texts == 2
    assert result.tokens[result.random] == others[0].strings + others[1].strings
    assert result.lengths == tuple(len(p.tokens) for p in (pair.clean, *others))


def test_the_embedded_neuron_fires_before_the_target_not_on_it(embedded):
    pair = default_pair(embedded)
    result = activations(embedded, Neuron(25, 1527), pair.contrast, [pair.clean, pair.corrupted])
    apple, lemon = (result.activations[result.text(i)] for i in (0, 1))
    assert apple.argmax() == len(apple) - 1
    assert apple[-1] == pytest.approx(11.21, abs=0.01)
    assert lemon[-1] == pytest.approx(1.36, abs=0.01)


def test_the_first_token_of_every_text_is_not_counted_however_active_the_neuron_is_there(
    subject, pair
):
    others = [make_prompt(subject, text) for text in ("The egg is big", "We saw a house")]
    result = activations(subject, NEURON, pair.contrast, [pair.clean], others)
    starts = np.cumsum([0, *result.lengths[:-1]])
    assert np.flatnonzero(~counted(result)).tolist() == starts.tolist()
    assert sampled(result).sum() == sum(result.lengths[1:]) - 2


def test_facts_pass_over_the_first_token_however_active_the_neuron_is_there(subject, pair):
    result = activations(subject, NEURON, pair.contrast, [pair.clean, pair.corrupted])
    before = facts(result).pair
    result.activations[0] = 1000 * before.peak
    assert facts(result).pair == before
    assert facts(result).news is None
    assert facts(result).largest.number == 1


def test_facts_of_one_text_tell_of_no_pair_and_no_news(subject, pair):
    others = [make_prompt(subject, "We saw a house")]
    found = facts(activations(subject, NEURON, pair.contrast, [pair.clean], others))
    assert (found.pair, found.news) == (None, None)
    assert found.last.token == pair.clean.strings[-1]


def test_facts_are_those_of_the_sign_with_which_the_neuron_is_used():
    for plan in (Plan(), Plan(holds=False)):
        result = evidence(plan).activations
        ours = facts(result)
        assert ours.pair.fires_before == ours.news.silent == plan.holds
        reverse = facts(replace(result, activations=-result.activations))
        assert (ours.pair.sign, reverse.pair.sign) == (1, -1)
        assert (ours.pair.negative, reverse.pair.negative) == (False, True)
        assert reverse.pair.fires_before == ours.pair.fires_before
        assert reverse.news.active == ours.news.active
        assert reverse.news.due_active == ours.news.due_active
        assert reverse.news.often == ours.news.often


def test_facts_of_a_neuron_that_the_clean_prompt_suppresses():
    result = evidence(Plan()).activations
    values = result.activations.copy()
    first, second = result.text(0), result.text(1)
    values[first.stop - 1], values[second.stop - 1] = 0.5, 10.0
    found = facts(replace(result, activations=values)).pair
    assert (found.sign, found.peak) == (-1, 10.0)
    assert found.suppressed
    assert found.nearly_off
    assert not found.fires_before
    assert not found.negative


@pytest.mark.slow
def test_a_text_is_read_beside_prompts_that_make_no_pair(subject):
    """Nothing is patched, so the two prompts need not be aligned."""
    prompts = {"clean": "I saw", "corrupted": "I saw an apple tree"}
    question = Question(**prompts, target=" an", foil=" a")
    experiment = named("activations")
    asked = running.inputs(experiment, subject, question, ["L1N3"], {"text": "She ate an egg"})
    result = running.compute(experiment, subject, asked)
    assert result.texts == ("She ate an egg", "I saw an apple tree")


def in_articles(places):
    """News facts of 100 articles of 25 tokens, the neuron active on each (article, token)."""
    usual = evidence(Plan()).activations
    asked = sum(usual.lengths[:2])
    news = np.full((100, 25), 0.1, dtype=np.float32)
    chance, follows = np.zeros_like(news), np.zeros_like(news)
    for article, token in places:
        news[article, token], chance[article, token], follows[article, token] = 9.0, 0.9, 1.0
    columns = {"activations": news, "p_target": chance, "next_is_target": follows}
    return facts(
        replace(
            usual,
            random_texts=100,
            lengths=(*usual.lengths[:2], *[25] * 100),
            tokens=(*usual.tokens[:asked], *[" x"] * 2500),
            **{
                name: np.concatenate([getattr(usual, name)[:asked], values.ravel()])
                for name, values in columns.items()
            },
        )
    ).news


def test_silence_on_news_is_counted_in_articles_and_not_in_tokens():
    found = in_articles([])
    assert (found.tokens, found.active, found.active_in.of, found.active_in.part) == (
        2400,
        0,
        100,
        0,
    )
    # Wilson's upper end of 0 of n is z^2 / (n + z^2): 3.84 / 103.84; of tokens it would be less
    assert found.active_in.interval == (0.0, pytest.approx(0.037, abs=5e-4))
    assert share_interval(0, 2400)[1] < 0.002


@pytest.mark.parametrize(("articles", "claims"), [(1, False), (2, False), (10, True)])
def test_what_excites_it_is_told_of_as_many_places_only_where_enough_articles_have_them(
    articles, claims
):
    found = in_articles([(i % articles, 1 + i // articles) for i in range(10)])
    assert (found.active, found.active_in.part) == (10, articles)
    assert found.active_in.interval == share_interval(articles, 100)
    assert found.enough == claims
    assert (found.due, found.due_in) == (10, articles)
    assert found.often == ("mostly" if claims else "unknown")
    assert found.before_target.differs == claims


def test_words_of_so_few_articles_are_called_too_few():
    study = evidence(Plan())
    values, chances = (getattr(study.activations, n).copy() for n in ("activations", "p_target"))
    there = study.activations.random.start + np.arange(1, 21)  # all in the first article
    values[there], chances[there] = 9.0, 0.5
    claims = Claims(changed(study, "activations", activations=values, p_target=chances))
    assert "in 1 article, and the neuron is active at 20 of them: too few" in (
        claims.activations.model_there
    )
    assert "So few articles cannot say what excites it" in claims.activations.wrong
    assert "They stand in 1 of the 5 articles" in claims.activations.news
    usual = Claims(study).activations.news
    assert "So it is active in none of the 5 articles" in usual
