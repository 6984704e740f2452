"""To add an experiment is one folder and one registration: a toy, found wherever one would look.

This is the recipe of ARCHITECTURE and of the documentation, as a test.
"""

import inspect
import json
import random
import sys

import pytest

from analysis import __main__ as cli
from analysis import corpus, experiments, questions, sentences
from analysis import evidence as studies
from analysis.errors import UserError
from analysis.study import folder_of, run_study
from report.artifacts.build import build as build_artifacts
from report.build import build as build_pages
from space.endpoints import endpoint
from tests import tiny
from tests.browser.chromium import ARGUMENTS, CHROMIUM, Visit, sync_playwright
from tests.space.server import serving
from tests.space.server import tiny as tiny_app
from tests.subjects import make_subject
from tests.toy_experiment import EXPERIMENT as TOY

pytestmark = pytest.mark.slow

ARTICLES = tuple(
    (number, "".join(random.Random(number).choices(tiny.VOCABULARY[2:], k=60)))
    for number in range(500)
)
"""A corpus in the tiny model's own words, as large as a study asks for."""

QUESTION = questions.Question(
    clean="I climbed up the apple tree and picked",
    corrupted="I climbed up the lemon tree and picked",
    target=" an",
    foil=" a",
)


@pytest.fixture(autouse=True, scope="module")
def registered():
    """The one line outside of the toy's folder."""
    experiments.register(TOY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus, "articles", lambda: ARTICLES)
        yield
    experiments.EXPERIMENTS.remove(TOY)


@pytest.fixture(scope="module")
def study(registered, tmp_path_factory):
    """A study of a tiny model, with all that a bare pair has."""
    subject = make_subject("llama")
    root = tmp_path_factory.mktemp("results")
    folder = folder_of(root, subject, QUESTION)
    for _ in run_study(subject, QUESTION, folder):
        pass
    return folder


def typed(capsys, monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["an-neuron", *map(str, arguments)])
    code = cli.main()
    text = capsys.readouterr()
    assert code == 0, text.err
    return text.out


def test_the_command_line_lists_it_and_its_options(capsys, monkeypatch):
    assert "toy-experiment" in typed(capsys, monkeypatch, "--help")
    found = typed(capsys, monkeypatch, "toy-experiment", "--help")
    assert "--least" in found
    assert "Letters from which a token" in found


def test_its_verb_answers_in_json(capsys, monkeypatch, llama_folder):
    asked = ["--model", llama_folder, "--clean", QUESTION.clean, "--least", 7, "--json"]
    document = json.loads(typed(capsys, monkeypatch, "toy-experiment", *asked))
    letters = [row["letters"] for row in document["tokens"]]
    assert letters == [len(word) for word in QUESTION.clean.split()]
    assert document["share"] == pytest.approx(1 / 8)  # climbed alone


def test_python_has_it_as_a_function():
    import analysis as an

    result = an.toy_experiment(make_subject("llama"), QUESTION, least=5)
    assert "toy_experiment" in dir(an)
    assert result.summary()["tokens"][0] == {"token": "I", "letters": 1}
    assert result.figure().data
    assert sentences.finding(TOY, result).startswith("Few tokens are long: 3 of 8")
    most = an.toy_experiment(make_subject("llama"), QUESTION, least=2)
    assert sentences.finding(TOY, most).startswith("Most tokens are long: 7 of 8")


def test_a_study_has_it_with_where_it_came_from(study):
    found = studies.load_evidence(study)
    assert found.has("toy_experiment")
    assert found.provenance["toy_experiment"].inputs["least"] == 4
    assert found.provenance["toy_experiment"].code


@pytest.fixture(scope="module")
def page(study, tmp_path_factory):
    """The text of the study's page, all that a reader sees."""
    index = build_pages(study.parent.parent, tmp_path_factory.mktemp("pages") / "dist")
    (found,) = index.parent.glob("*/*/toy_experiment.html")
    assert (found.parent / "data" / "toy_experiment.json").is_file()
    return found.read_text(encoding="utf-8")


def test_the_page_has_a_section_of_its_finding_figure_table_and_command(page):
    section = page.split('<section id="toy_experiment-section"')[1].split("</section>")[0]
    assert TOY.title in section
    assert "Few tokens are long: 4 of 8 have at least 4 letters." in section
    assert 'id="toy_experiment-data"' in section
    assert "Letters</th>" in section
    assert "an-neuron toy-experiment" in section


def test_the_artifacts_have_its_table(study, tmp_path, monkeypatch):
    monkeypatch.setattr("report.artifacts.build.find_browser", no_browser)
    manifest = build_artifacts(study, tmp_path / "artifacts").manifest
    table = manifest.parent / "tables" / "toy_letters.csv"
    assert table.read_text().splitlines()[:2] == ["token,letters", '"""I""",1']
    files = {entry["file"]: entry for entry in json.loads(manifest.read_text())["files"]}
    assert files["tables/toy_letters.csv"]["command"].startswith("an-neuron toy-experiment")


def no_browser():
    raise UserError("There is no browser here.")


@pytest.fixture(scope="module")
def app(registered):
    with serving(tiny_app()) as running:
        yield running


@pytest.mark.filterwarnings("ignore")
def test_the_app_has_it_among_endpoints_and_tools_with_words_and_types(app):
    tools = {tool["name"]: tool for tool in app.http.get(f"{app.api}/mcp/schema").json()}
    tool = tools["toy_experiment"]
    assert TOY.asks in tool["description"]
    assert tool["inputSchema"]["properties"]["least"]["type"] == "integer"
    parameters = inspect.signature(endpoint(TOY)).parameters
    given = {name: each.default for name, each in parameters.items()} | {"clean": QUESTION.clean}
    kind, said = app.call("toy_experiment", list(given.values()))
    assert kind == "complete"
    assert len(json.loads(json.loads(said)[0])["tokens"]) == 8


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine")
@pytest.mark.filterwarnings("ignore")
def test_the_app_shows_it_in_a_browser_with_its_control_figure_and_command(app):
    with sync_playwright() as session:
        chromium = session.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        with Visit(chromium.new_context(), f"{app.url}/?tab={TOY.name}", (app.url,)) as visit:
            visit.tab.wait_for_selector("#asked:not(:empty)")
            opened = visit.tab.locator(f"#tab-{TOY.name}-button[aria-selected=true]")
            assert opened.inner_text() == TOY.title
            panel = visit.tab.locator(".answer-toy_experiment:visible")
            panel.get_by_text("tokens are long").wait_for()
            panel.locator(".js-plotly-plot svg.main-svg").first.wait_for()
            assert "an-neuron toy-experiment" in panel.locator(".take code").inner_text()
            assert visit.tab.get_by_label("Letters of a long token").first.is_visible()
            assert visit.trouble == []
        chromium.close()
