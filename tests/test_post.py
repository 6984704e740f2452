"""The five-minute post: short, right whatever the results say, and leading to what it rests on."""

import dataclasses
import json
import re

import numpy as np
import pytest

from analysis import questions, results, sentences
from analysis.claims import Claims
from analysis.evidence import load_evidence
from analysis.over_questions import kept
from analysis.wording import plain
from report.dose import dose
from report.page import DOUBTS, POST, OverQuestions, pages
from tests.prose import Prose, full, render, undrawn
from tests.synthetic import Plan, changed, evidence, hostile_plan, toy_plan

pytestmark = pytest.mark.slow

WORDS, FIGURES = 1800, 7


@pytest.fixture(autouse=True)
def _blank():
    with undrawn():
        yield


@pytest.fixture(scope="module")
def committed():
    return load_evidence(results.COMMITTED / "smollm2-135m" / questions.DEFAULT)


def figures(page):
    return re.findall(r'<figure id="(\w+)"', page)


def test_it_is_read_in_five_minutes(committed):
    table = kept(results.COMMITTED / "smollm2-135m", stale=True)
    words = OverQuestions(sentences.alone(table.experiment, table.result).heading, "../words.html")
    page = pages(committed, words=words)[POST]
    article = page.partition("<article>")[2].partition("</article>")[0]
    assert words.heading in article
    assert len(Prose(article).text.split()) <= WORDS
    assert len(figures(page)) == FIGURES


def test_its_first_figure_is_every_neuron_and_stands_before_any_other_text(committed):
    page = render(committed, file=POST)
    assert figures(page)[0] == "neuron_sweep"
    before = Prose(page.partition("<article>")[2].partition('<figure id="neuron_sweep"')[0]).text
    claims = Claims(committed).opening
    first = (claims.title, claims.lede, claims.preference)
    assert before == " ".join(Prose(sentence).text for sentence in first)


@pytest.mark.parametrize("plan", [Plan(), Plan(holds=False), toy_plan(), hostile_plan()])
def test_every_sentence_that_it_tells_is_one_of_the_study(plan):
    """Nothing is told in short that the full study, in which its control stands, does not tell."""
    written = pages(evidence(plan))
    post, study = (Prose(text).text for text in (written[POST], full(written)))
    claims = Claims(evidence(plan))
    wording = [claims.neuron_sweep.standing, claims.ablation.heading, claims.generality.sentences]
    for sentence in (Prose(text).text for text in wording):
        assert sentence in post
        assert sentence in study
    assert "undefined" not in post


def test_a_study_in_which_every_claim_is_false_says_the_opposite_in_the_post():
    right, wrong = (
        Prose(render(evidence(Plan(holds=holds)), file=POST)).text for holds in (True, False)
    )
    for said, opposite in (
        ("One neuron decides", "Looking for the neuron"),
        ("In 2 of 2 held-out sentences", "in none of the held-out sentences"),
        ("Take the neuron away, and the answer flips", "away, and the answer stands"),
    ):
        assert said in right, said
        assert said not in wrong, said
        assert opposite in wrong, opposite
        assert opposite not in right, opposite


def test_a_bare_pair_has_a_post_that_says_what_nobody_knows():
    study = evidence(Plan())
    asked = study.question
    bare = dataclasses.replace(
        study,
        question=questions.Question(
            clean=asked.clean, corrupted=asked.corrupted, target=asked.target, foil=asked.foil
        ),
        results={name: each for name, each in study.results.items() if name != "generality"},
    )
    page = render(bare, file=POST)
    assert "nobody knows how far this reaches" in page
    assert "generality" not in figures(page)
    assert "confirmation" not in figures(page)
    assert "A figure is left out here" in page


def test_the_slider_shows_the_results_own_numbers(committed):
    made, result = dose(committed), committed.weight_modulation
    steps = json.loads(made.data)["steps"]
    assert [step["factor"] for step in steps] == ["−2", "−1.5", "−1", "−0.5", "0", "0.5", "1",
                                                  "1.5", "2", "2.5", "3"]  # fmt: skip
    tokens = [plain(token) for token in result.likely]
    places = [tokens.index(token) for token, _ in made.tokens]
    for place, step in enumerate(steps):
        np.testing.assert_allclose(
            step["percents"], 100 * result.likely_p[place, places], atol=0.051
        )
    assert list(made.start.percents) == sorted(made.start.percents, reverse=True)
    assert {whose: token for token, whose in made.tokens if whose} == {
        "target": plain(result.target),
        "foil": plain(result.foil),
    }
    target = result.likely.index(result.target)
    np.testing.assert_allclose(result.likely_p[:, target], result.p_target[0, :, 0], atol=1e-5)
    assert made.start.factor == "1"


@pytest.mark.parametrize(
    ("wrote", "shown"), [(" an egg. ", " an egg."), (") is", ") is"), ("", "")]
)
def test_a_space_stands_behind_the_prompt_where_the_model_wrote_one(wrote, shown):
    result = evidence(Plan()).weight_modulation
    greedy = tuple(wrote for _ in result.greedy)
    made = dose(changed(evidence(Plan()), "weight_modulation", greedy=greedy))
    assert made.start.text == shown


def test_text_that_a_model_writes_cannot_leave_the_sliders_data():
    page = render(evidence(hostile_plan()), file=POST)
    data = page.partition('id="dose-data">')[2].partition("</script>")[0]
    assert "<" not in data
    assert json.loads(data)["steps"]


def test_each_claim_has_a_control_on_the_page_of_doubts(committed):
    page, claims = render(committed, file=DOUBTS), Claims(committed)
    said = Prose(page).text
    names = [each.name for each in committed.experiments]
    controlled = [name for name in names if hasattr(claims.of(name), "wrong")]
    assert len(controlled) >= 12
    for name in controlled:
        assert Prose(claims.of(name).wrong).text in said
        assert f'href="{name}.html"' in page


@pytest.mark.parametrize(
    ("news", "sentences", "heading"),
    [
        (0.9, True, "On other text"),
        (0.4, True, "How far it reaches"),
        (0.4, False, "Where it fails"),
    ],
)
def test_the_heading_over_other_text_says_it_fails_only_where_it_does(news, sentences, heading):
    study = evidence(Plan())
    areas = study.corpus_scan.auc.copy()
    areas[0, 1] = (news, news - 0.02, news + 0.02)
    study = changed(study, "corpus_scan", auc=areas)
    if not sentences:
        study = changed(study, "generality", auc=np.full_like(study.generality.auc, 0.5))
    assert f">{heading}</h2>" in render(study, file=POST)
