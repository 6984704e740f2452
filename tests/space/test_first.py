"""The first screen: what stands in the page as it is served, for any study and for none."""

import base64
import re
from dataclasses import replace

import httpx
import numpy as np
import pytest

from analysis import EMBEDDED, questions, results, sentences
from analysis.claims import Claims
from analysis.experiments import named, studied
from analysis.experiments.find.compute import Found
from analysis.experiments.weight_modulation.turns import turns, words
from analysis.experiments.writers.compute import Writer
from analysis.questions import ANY_WORD
from space.first import first, first_of
from space.first_page import address
from space.html import first_screen
from space.known import known
from space.question_bar import examples
from space.sky import STEP, UNMEASURED, sky
from space.story import Story, story
from space.suggestions import suggestions
from space.terms import EXPLAINED, terms
from space.view import View
from tests.committed import committed
from tests.prose import Prose
from tests.synthetic import HOSTILE, Plan, evidence, hostile_plan

PLANNED = evidence(Plan())
"""Made here: modules that are first imported deep within a test may fail to compile."""


def screen_of(plan: Plan):
    """The first screen over a study that was made by hand."""
    study = evidence(plan)
    claims = Claims(study)
    return first_of(Story(study, claims), claims.opening.lede)


def test_the_page_as_served_has_the_whole_picture_and_its_own_card(server):
    page = httpx.get(server.address, trust_env=False).text
    before, _, after = page.partition("<gradio-app")
    assert "Now your own words" in before
    assert "first/first.js" in before
    assert "first.js" not in after
    assert page.count('property="og:title"') == 1
    assert 'content="Which neuron says the word?"' in page
    assert "gradio-app/gradio" not in page
    for name in re.findall(r'(?:src|href)="(first/[^"]+)"', page):
        assert httpx.get(server.address + name, trust_env=False).is_success


def test_a_forwarded_address_is_the_cards_and_cannot_leave_its_attribute(server):
    headers = {"x-forwarded-host": 'a"><script>x</script>', "x-forwarded-proto": "https"}
    page = httpx.get(server.address, headers=headers, trust_env=False).text
    assert 'a"><script>' not in page.partition("<gradio-app")[0].partition("og:url")[2]
    scope = {"headers": [(b"host", b"here:1"), (b"x-forwarded-host", b"there")], "scheme": "http"}
    assert address(scope) == "http://there/"


def test_without_a_study_there_is_the_form_and_no_picture():
    shown = first("no-such-model")
    text = first_screen(shown)
    assert shown.screen is None
    assert "Now your own words" in text
    assert "walk-door" not in text
    assert 'id="turn"' not in text


@pytest.mark.slow
@pytest.mark.parametrize("plan", [Plan(), Plan(holds=False), hostile_plan()])
def test_every_study_has_a_first_screen_that_runs_nothing_of_its_tokens(plan):
    text = first_screen(screen_of(plan))
    assert 'id="turn"' in text
    for hostile in HOSTILE[:2]:
        assert hostile not in text


def test_the_slider_shows_what_the_committed_file_holds():
    with np.load(results.COMMITTED / EMBEDDED / "an" / "weight_modulation.npz") as file:
        likely = file["likely_p"]
    result = committed("weight_modulation")
    shown = turns(result)
    assert [turn.factor for turn in shown] == list(result.factors)
    for turn, row, text in zip(shown, likely, result.greedy, strict=True):
        assert turn.shares == pytest.approx(row.tolist())
        assert turn.word == words(result)[int(row.argmax())]
        assert turn.word + turn.rest == text


def test_dots_are_the_recoveries_to_a_hundredth_of_a_percent():
    result = committed("neuron_sweep")
    exact = result.exact.copy()
    exact[0, :3] = False
    shown = sky(result.recovery, exact)
    steps = np.frombuffer(base64.b64decode(shown.recovery), "<i2").reshape(result.recovery.shape)
    assert (steps[0, :3] == UNMEASURED).all()
    assert np.abs(steps * STEP - result.recovery)[exact].max() <= STEP / 2 + 1e-7
    assert shown.furthest[0][0] == str(result.best)


@pytest.mark.slow
def test_the_walk_asks_before_it_shows_and_its_right_answers_are_the_studys():
    steps = first(EMBEDDED).steps
    predict, inside, patch, find, remove, fails = steps
    result, sweep = committed("weight_modulation"), committed("neuron_sweep")
    at = {
        f: result.likely[int(p.argmax())]
        for f, p in zip(result.factors, result.likely_p, strict=True)
    }
    assert predict.choices[predict.right] == at[1.0].replace(" ", "·")
    assert remove.choices[remove.right] == at[0.0].replace(" ", "·")
    assert find.choices[find.right] == str(int((np.abs(sweep.recovery) >= 0.05).sum()))
    rises = np.diff(committed("logit_lens").logit_diff[0])
    assert inside.right == int(3 * rises.argmax() / len(rises))
    maps = committed("patching")
    best = {
        n: maps.restored[maps.components.index(n), :, -1].max() for n in ("attn_out", "mlp_out")
    }
    assert ("attention" in patch.choices[patch.right]) == (best["attn_out"] > best["mlp_out"])
    assert fails.choices[fails.right] == "about like a coin"
    assert all(step.bars or step.lines for step in steps)
    assert 5 <= int(find.choices[find.right]) <= len(find.bars) <= 8, "all that count have a bar"


@pytest.mark.slow
def test_no_tab_that_the_study_answers_opens_empty():
    """The browser opens one such tab; the pages of the study draw every figure there."""
    answered = [each for each in studied() if each.app is not None]
    assert len(answered) > 10
    for each in answered:
        answer = known(each, View(model=EMBEDDED))
        assert answer.finding, each.name
        assert len(answer.figures) >= sum(figure.live for figure in each.figures), each.name


def test_a_committed_answer_says_with_what_it_was_asked_where_the_controls_say_otherwise():
    (hint,) = known(named("corpus_scan"), View(model=EMBEDDED)).hints
    assert f"“Articles” at {committed('corpus_scan').documents}; the button" in hint
    assert not known(named("patching"), View(model=EMBEDDED)).hints


def test_likely_words_stand_in_the_order_of_what_the_model_says():
    screen = first(EMBEDDED).screen
    assert list(screen.turn.shares) == sorted(screen.turn.shares, reverse=True)
    result = committed("weight_modulation")
    for turn, row in zip(screen.turns, result.likely_p, strict=True):
        held = dict(zip(result.likely, row, strict=True))
        assert turn.shares == pytest.approx([held[word] for word in screen.words])


@pytest.mark.slow
def test_what_the_study_was_asked_is_known_and_nothing_else():
    for name in ("patching", "composition", "corpus_scan"):
        answer = known(named(name), View(model=EMBEDDED))
        assert answer.json == known(named(name), View(model=EMBEDDED, neuron="L25N1527")).json
        assert answer.finding == sentences.finding(named(name), committed(name))
    parts = next(parts for title, parts in examples() if parts["question"] == "bracket")
    other = View(model=EMBEDDED, **parts)
    there = known(named("neuron_sweep"), other).finding
    assert there == sentences.finding(named("neuron_sweep"), committed("neuron_sweep", "bracket"))
    assert known(named("neuron_sweep"), replace(other, question="../bracket")) is None
    assert known(named("patching"), View(model=EMBEDDED, clean="Another")) is None
    assert known(named("patching"), View(model=EMBEDDED, target=" the")) is None
    assert known(named("composition"), View(model=EMBEDDED, neuron="L1N1")) is None
    assert known(named("writers"), View(model=EMBEDDED)) is None
    assert known(named("patching"), View(model="no-such-model")) is None


@pytest.mark.parametrize("own", [{"lines": "a | b"}, {"lines": "nonsense"}, {"template": "The {}"}])
def test_no_study_was_asked_what_a_visitor_pastes(own, monkeypatch):
    study = Story(PLANNED, Claims(PLANNED))
    monkeypatch.setattr("space.known.story", lambda *_: study)
    monkeypatch.setattr("space.known._answer", lambda name, _view: name)
    asked = PLANNED.question
    view = View(question=asked.name, clean=asked.clean, corrupted=asked.corrupted)
    view = replace(view, target=asked.target, foil=asked.foil)
    assert known(named("patching"), view) == "patching"
    assert known(named("patching"), replace(view, **own)) is None


def test_suggestions_are_of_the_library_and_the_last_fits_any_two_words():
    *ours, any_words = suggestions(questions.default())
    assert (ours[0].target, ours[0].clean) == (" an", questions.default().clean)
    assert {each.question for each in ours} == set(questions.library())
    assert any_words.clean == any_words.corrupted == ANY_WORD
    assert ANY_WORD.format(" dog") == "The word was dog. Again, the word was"


def test_the_sentence_for_any_two_words_calls_for_each_of_them(embedded):
    for target, foil in ((" dog", " cat"), (" London", " Paris")):
        for word, other in ((target, foil), (foil, target)):
            logits = embedded.logits(embedded.tokens(ANY_WORD.format(word)))[-1]
            ids = [embedded.tokens(each)[0] for each in (word, other)]
            assert logits[ids[0]] > logits[ids[1]]


def test_explained_terms_are_those_of_the_terms():
    assert set(terms()) == set(EXPLAINED)
    assert all(meaning and "*" not in meaning for meaning in terms().values())


@pytest.mark.parametrize(
    ("best", "second", "said"),
    [
        (0.4, 0.1, "Your neuron is L3N5, on these two prompts."),
        (
            0.4,
            0.38,
            "No single neuron says ·an alone: 2 neurons recover 5 % of the difference or more.",
        ),
        (
            0.1,
            0.01,
            "No single neuron says ·an alone: 1 neuron recovers 5 % of the difference or more.",
        ),
        (
            0.1,
            -0.4,
            "No single neuron says ·an alone: 1 neuron recovers 5 % of the difference or more.",
        ),
        (0.02, -0.4, "No single neuron says ·an: none recovers 5 % of the difference."),
    ],
)
def test_one_neuron_says_a_word_only_if_it_carries_a_quarter_and_stands_out(best, second, said):
    study = evidence(Plan()).neuron_sweep
    recovery = np.full_like(study.recovery, 0.001)
    recovery[3, 5], recovery[2, 1] = best, second
    exact = np.ones_like(study.exact)
    sweep = replace(study, recovery=recovery, exact=exact)
    found = Found((Writer("L3N5", 1, 9.0),), sweep, recovery)
    assert Prose(sentences.alone(named("find"), found).verdict).text == said


def test_the_committed_study_is_told_by_its_name():
    assert story(EMBEDDED).evidence.neuron in first_screen(first(EMBEDDED))
