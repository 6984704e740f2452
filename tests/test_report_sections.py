"""The sections of a page: derived from what a study has, and silent about what it has not."""

import dataclasses
import re
from itertools import repeat

import numpy as np
import pytest

from analysis import corpus, experiments, study
from analysis.claims import Claims, figures
from analysis.code_version import ROOT
from analysis.evidence import NEURON, is_expected, load_evidence
from analysis.experiments import studied
from report.__main__ import main as report
from report.artifacts import contents
from report.build import build
from report.linkcheck import anchors, broken_links
from report.page import DOUBTS, POST, STUDY, pages, parts
from tests.prose import Prose, prose, render, undrawn
from tests.questions import PAIR
from tests.subjects import make_subject
from tests.synthetic import Plan, evidence, hostile_plan, save_study, with_result
from tests.toy_experiment import EXPERIMENT as TOY
from tests.toy_experiment.compute import ToyExperiment

pytestmark = pytest.mark.slow

REPORT = ROOT / "report"
TEXT = "The cat ate an apple and the owl saw it. " * 6


def section(page: str, name: str) -> str:
    found = page.partition(f'<section id="{name}-section"')[2].partition("</section>")[0]
    assert found, name
    return found


def test_every_section_is_of_an_experiment_and_every_step_with_sentences_has_one():
    files = {path.stem for path in (REPORT / "sections").glob("*.html")}
    assert files == {each.name for each in studied()} - {"verification"}


def test_sections_and_contents_stand_in_the_order_of_the_argument():
    found = evidence(Plan())
    with undrawn():
        page = render(found)
    ids = re.findall(r'<section id="([\w-]+)"', page)
    expected = [f"{each.name}-section" for each in found.experiments]
    assert ids == ["question", *expected, "original", "making"]
    files = [f"{name.removesuffix('-section')}.html" for name in ids]
    assert re.findall(r'<li id="[\w-]+">\s*<a href="([\w.]+)"', page) == files
    beside = re.findall(r'<li><a href="([\w.]+)"', page)
    assert beside == files * len(files)


def test_what_is_in_brief_leads_to_the_chapter_that_shows_it():
    with undrawn():
        written = pages(evidence(Plan()))
    links = re.findall(r'href="([\w.]+)" aria-label="how we know', written[STUDY])
    assert links
    assert set(links) <= set(written)


def test_chapters_lead_forwards_and_back_through_all_of_the_study():
    with undrawn():
        written = pages(evidence(Plan()))
    files = [file for file in written if file not in (POST, STUDY, DOUBTS)]
    for turn, ways in (("next", files), ("prev", files[::-1])):
        leads = [re.findall(rf'rel="{turn}" href="([\w.]+)"', written[file]) for file in ways]
        assert leads == [*([file] for file in ways[1:]), []]
    for file in files:
        (here,) = re.findall(r'<a href="([\w.]+)" aria-current="page"', written[file])
        assert here == file
        assert 'href="study.html"' in written[file]


def test_every_place_that_one_page_had_is_an_anchor_in_the_entry_of_its_chapter():
    """So a link to it leads on without a script, too, and none leads to two chapters."""
    with undrawn():
        written = pages(evidence(Plan()))
    entries = re.findall(r'<li id="([\w-]+)">\s*<a href="([\w.]+)"(.*?)</li>', written[STUDY], re.S)
    seen = []
    for section, file, entry in entries:
        places = [section, *re.findall(r'id="([\w-]+)"', entry)]
        assert set(places) == {p for p in anchors(article(written[file])) if p[-5:] != "-data"}
        seen += places
    assert len(seen) == len(set(seen))
    assert {"confirmation", "neurons", "making", "patching-section"} <= set(seen)


def article(page: str) -> str:
    return page.partition("<article>")[2].partition("</article>")[0]


@pytest.fixture
def toy():
    """A result of an experiment whose folder lies elsewhere, in a study."""
    experiments.register(TOY)
    try:
        tokens = ("I", " climbed", "=<b>")
        yield with_result(evidence(Plan()), ToyExperiment(tokens, np.array([1, 7, 4]), 4))
    finally:
        experiments.EXPERIMENTS.remove(TOY)


def test_an_experiment_without_a_section_of_its_own_gets_one(toy):
    page = render(toy)
    found = section(page, "toy_experiment")
    assert found.count("<figure") == 1
    assert "Computed by <code>an-neuron toy-experiment" in found
    words = Prose(found).text
    assert TOY.title in words
    assert TOY.asks in words
    assert "Most tokens are long: 2 of 3" in words
    assert "Tokens and their letters" in words
    assert '<td><code class="tok">·climbed</code></td><td>7</td>' in found
    assert "<b>" not in found
    last = [part.id for part in parts(toy, Claims(toy))][-3]
    assert last == "toy_experiment-section"


def test_its_tables_are_among_the_artifacts(toy):
    names = [artifact.path for artifact in contents.tables(toy)]
    assert "tables/toy_letters.csv" in names


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A study of a tiny model that was asked a pair of prompts, sets of words, and nothing else."""
    subject, root = make_subject("llama"), tmp_path_factory.mktemp("bare")
    question = PAIR.replaced(target=" an| the", foil=" that| his")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus, "sample", lambda n, _seed: list(zip(range(n), repeat(TEXT))))
        for _ in study.run_study(subject, question, study.folder_of(root, subject, question)):
            pass
    return root


@pytest.fixture(scope="module")
def page(bare):
    """Where the study of the bare pair is, drawn in full."""
    (page,) = build(bare, bare.parent / "bare_pages").parent.glob("*/*/study.html")
    return page


def test_a_bare_pair_makes_a_page_and_says_what_it_leaves_out(bare, page):
    chapters = re.findall(r'<li id="[\w-]+">\s*<a href="([\w.]+)"', page.read_text("utf-8"))
    text = "".join(page.with_name(file).read_text("utf-8") for file in chapters)
    (folder,) = (path.parent for path in bare.rglob("question.json"))
    found = load_evidence(folder)
    assert re.findall(r'<figure id="(\w+)"', text) == [f.name for _, f in figures(found)]
    assert "generality-section" not in text
    assert 'id="original"' not in text
    lacking = sum(len(e.figures) - len(e.shows(found.question)) for e in found.experiments)
    assert text.count("A figure is left out here: the question names no") == lacking > 0
    words = Prose(text).text
    assert (
        "what needs them is left out: Other words and sentences; Example, frame and word." in words
    )


def test_no_link_of_a_bare_pairs_page_leads_nowhere(page):
    assert broken_links(page.parent.parent.parent) == []


def test_no_section_tells_of_english_articles_but_where_they_are_asked_about():
    for path in [*(REPORT / "sections").glob("*.html"), *(REPORT / "templates").glob("*.html")]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\b(tree|apple|lemon|vowel|English)\b|[“·]an?\b", text), path.name


def test_a_hostile_question_has_its_own_words_and_not_those_of_the_original():
    found = prose(evidence(hostile_plan()))
    assert "neuron 892" not in found
    assert hostile_plan().target.replace(" ", "·") in found


def without(study, *names):
    """A study of a model of which some experiments cannot be asked."""
    why = "m has norms behind its attention and MLPs, so its parts do not add up to the whole."
    return dataclasses.replace(
        study,
        results={name: each for name, each in study.results.items() if name not in names},
        provenance={name: each for name, each in study.provenance.items() if name not in names},
        refused=dict.fromkeys(names, why),
    )


def test_what_cannot_be_asked_of_the_model_has_a_chapter_that_says_why(tmp_path):
    """As with Gemma: no crash, no link that leads nowhere, and a study is read as it was saved."""
    names = ("upstream", "composition", "census")
    study = without(evidence(Plan()), *names)
    save_study(study, tmp_path / "results")
    with undrawn():
        index = build(tmp_path / "results", tmp_path / "pages")
    folder = index.parent / study.origin.model / study.question.key
    for name in names:
        page = Prose((folder / f"{name}.html").read_text()).text
        assert f"This was not asked of {Claims(study).study.model}." in page
        assert "its parts do not add up to the whole." in page
    assert (
        "Some experiments cannot be asked this, or not of this model"
        in (folder / "question.html").read_text()
    )
    with undrawn():
        assert "cannot be asked" not in prose(evidence(Plan()))


@pytest.mark.parametrize(
    "name", sorted({each.name for each in studied()} - {NEURON, "verification"})
)
def test_a_study_that_lacks_any_one_experiment_has_all_its_pages(name):
    """All but the sweep, which finds the neuron that the others are about."""
    with undrawn():
        written = pages(without(evidence(Plan()), name))
    assert "its parts do not add up to the whole." in Prose(written[f"{name}.html"]).text


def test_a_step_whose_file_is_gone_is_named_in_one_sentence(tmp_path, capsys):
    folder = save_study(evidence(Plan()), tmp_path / "results")
    asked = ["--results", str(tmp_path / "results"), "--out", str(tmp_path / "pages")]
    for step in (each for each in studied() if is_expected(each, evidence(Plan()).question)):
        kept = folder / f"{step.name}.json"
        kept.rename(tmp_path / "aside")
        assert report(asked) == 2
        (text,) = capsys.readouterr().err.splitlines()
        assert f"There is no result {kept}: run `an-neuron study` first." in text
        (tmp_path / "aside").rename(kept)
    assert not (tmp_path / "pages").exists()
