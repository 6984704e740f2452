"""Building the report: whole or nothing, and one clear sentence where it cannot be built."""

import dataclasses
import json
import re
from pathlib import Path

import pytest

from analysis import results
from analysis.claims import figures
from analysis.errors import UserError
from analysis.experiments.census.compute import Census
from report import __main__ as command
from report import build as building
from report.__main__ import main
from report.build import build
from report.studies import usual_results
from tests.prose import Prose, undrawn
from tests.synthetic import Plan, evidence, save, save_study
from tests.synthetic.over_questions import over_questions, save_rows
from tests.synthetic.words import of_words

pytestmark = pytest.mark.slow

WHERE = "smollm2-135m/an"


@pytest.fixture(autouse=True)
def _blank():
    with undrawn():
        yield


@pytest.fixture
def study(tmp_path) -> Path:
    """The folder of a study; those of its model and of all results are its parents."""
    return save(Plan(), tmp_path / "results")


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A folder of pages that nobody changes."""
    folder = tmp_path_factory.mktemp("built")
    save(Plan(), folder / "results")
    save_rows(folder / "results", over_questions(Plan()))
    with undrawn():
        return build(folder / "results", folder / "dist").parent


def test_the_index_leads_to_the_page_over_all_questions(built):
    assert 'href="smollm2-135m/library.html"' in (built / "index.html").read_text()
    page = (built / "smollm2-135m/library.html").read_text()
    assert "is the exception" in page
    assert "the model does not tell these apart" in page
    document = json.loads((built / "smollm2-135m/data/library.json").read_text())
    assert [row["name"] for row in document["summary"]["questions"]] == ["an", "are", "she", "yes"]


def asked(study: Path, out: Path) -> list[str]:
    return ["--results", str(study.parent.parent), "--out", str(out)]


def test_the_build_is_one_folder_that_asks_nothing_of_the_network(built):
    scripts = {"theme", "figures", "marks", "moved", "plotly.min", "post", "readout", "sizes"}
    parts = {"style.css", *(f"{name}.js" for name in scripts)}
    beside = {"index.html", "feed.xml", "card.png", "README.md", "smollm2-135m"}
    assert {path.name for path in built.iterdir()} == {*beside, *parts}
    of_study = {"question.html", "making.html", "original.html"} | chapters()
    pages = {"index.html", "study.html", "doubts.html"} | of_study
    assert {path.name for path in (built / WHERE).iterdir()} == {*pages, "data"}
    for name in pages:
        page = (built / WHERE / name).read_text(encoding="utf-8")
        sources = re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="([^"]*)"', page)
        assert set(sources) <= {"data:,", *(f"../../{part}" for part in (*parts, "feed.xml"))}
        assert {"../../style.css", "../../theme.js"} <= set(sources)


def chapters() -> set[str]:
    return {f"{each.name}.html" for each in evidence(Plan()).experiments}


def test_every_result_lies_beside_the_page_as_json_and_each_figure_leads_to_its_own(built):
    for experiment, drawn in figures(evidence(Plan())):
        home = "original" if drawn.name == "beside_original" else experiment.name
        page = (built / WHERE / f"{home}.html").read_text(encoding="utf-8")
        part = page.partition(f'<figure id="{drawn.name}"')[2].partition("</figure>")[0]
        (link,) = re.findall(r'href="(data/[^"]*)"', part)
        document = json.loads((built / WHERE / link).read_text(encoding="utf-8"))
        assert document["provenance"]["experiment"] == experiment.name
        assert document["summary"]


def test_a_result_shows_more_on_the_site_where_its_experiment_says_so(built):
    document = json.loads((built / WHERE / "data" / "patching.json").read_text(encoding="utf-8"))
    assert {"resid_pre", "attn_out", "mlp_out", "z"} <= set(document["summary"])


def test_a_new_build_replaces_the_old_one(study, tmp_path):
    out = tmp_path / "dist"
    build(study.parent.parent, out)
    (out / "leftover.js").touch()
    build(study.parent.parent, out)
    assert not (out / "leftover.js").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dist", "results"]


def test_results_of_other_code_are_refused_by_name_unless_one_asks_for_them(
    study, tmp_path, capsys
):
    made = dataclasses.replace(results.provenance(study, "census"), code="0" * 16)
    kept = results.load(study, "census", Census)
    results.save(study, "census", kept, made)
    assert main(asked(study, tmp_path / "dist")) == 2
    error = capsys.readouterr().err
    assert "The results of census were computed by other code than this" in error
    assert not (tmp_path / "dist").exists()
    assert main([*asked(study, tmp_path / "dist"), "--stale"]) == 0
    assert (tmp_path / "dist" / "index.html").is_file()


def test_a_failing_build_leaves_the_old_one_intact(study, tmp_path, monkeypatch):
    page = build(study.parent.parent, tmp_path / "dist")
    before = page.read_bytes()
    monkeypatch.setattr(building, "get_plotlyjs", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        build(study.parent.parent, tmp_path / "dist")
    assert page.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dist", "results"]


@pytest.mark.parametrize("names", [("thesis.txt",), ("index.html", "thesis.txt")])
def test_what_is_no_build_is_never_replaced(study, tmp_path, names):
    (tmp_path / "mine").mkdir()
    for name in names:
        (tmp_path / "mine" / name).write_text("<!doctype html><title>My thesis</title>")
    with pytest.raises(UserError, match="not an earlier report"):
        build(study.parent.parent, tmp_path / "mine")
    assert {path.name for path in (tmp_path / "mine").iterdir()} == set(names)


@pytest.mark.parametrize("name", [".git/HEAD", "CNAME", ".htaccess"])
def test_what_a_reader_put_beside_the_pages_is_not_lost(study, tmp_path, name):
    out = tmp_path / "pages"
    build(study.parents[1], out)
    own = out / name
    own.parent.mkdir(exist_ok=True)
    own.write_text("mine")
    with pytest.raises(UserError, match="is not of the pages, and would be lost: move it away"):
        build(study.parents[1], out)
    assert own.read_text() == "mine"
    assert {each.name for each in tmp_path.iterdir()} <= {"pages", study.parents[1].name}


def test_the_command_prints_where_the_index_is(study, tmp_path, capsys):
    assert main(asked(study, tmp_path / "dist")) == 0
    assert re.fullmatch(r"\S+/dist/index\.html \(\d+\.\d s\)\n", capsys.readouterr().out)


def test_a_study_of_words_of_several_tokens_has_a_page_and_says_what_it_lacks(tmp_path):
    studies = {holds: of_words(Plan(holds=holds), f"cities_{holds}") for holds in (True, False)}
    folders = {holds: save_study(each, tmp_path / "results") for holds, each in studies.items()}
    built = build(tmp_path / "results", tmp_path / "dist").parent
    for holds, folder in folders.items():
        pages = built / folder.relative_to(tmp_path / "results")
        post = (pages / "index.html").read_text()
        text = Prose(post).text
        assert ("One neuron decides for" in text) == holds
        assert ("No single neuron among the 32" in text) == (not holds)
        assert "is several tokens long. What cannot be asked of such words is left out" in text
        assert "part at their first tokens" in text
        assert 'id="dose"' not in post
        assert 'id="written_tokens"' not in post
        for name, why in studies[holds].refused.items():
            assert f'href="{name}.html"' in post
            assert why in Prose((pages / f"{name}.html").read_text()).text
        assert "carries most of the answer" in Prose((pages / "patching.html").read_text()).text


def test_by_default_the_results_of_this_folder_are_shown_else_the_committed_ones(
    study, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert usual_results().resolve() == study.parent.parent
    assert command.usual_out() == Path("an-neuron-report")
    (tmp_path / "report").mkdir()
    assert command.usual_out() == Path("report/dist")
    monkeypatch.chdir(tmp_path / "report")
    assert usual_results() == results.COMMITTED


@pytest.mark.parametrize("wanted", [{}, {"model": "gpt2"}, {"question": "are"}])
def test_where_there_is_no_study_that_is_one_sentence_and_exit_code_2(
    study, tmp_path, capsys, wanted
):
    folder = study.parent.parent if wanted else study  # which is no folder of studies
    options = [word for name, value in wanted.items() for word in (f"--{name}", value)]
    arguments = ["--results", str(folder), "--out", str(tmp_path / "dist"), *options]
    assert main(arguments) == 2
    text = capsys.readouterr()
    assert text.out == ""
    which = "".join(f" of {name}" for name in wanted.values())
    assert re.fullmatch(rf"error: There is no study{which} in .* first\.\n", text.err)
    assert not (tmp_path / "dist").exists()


@pytest.mark.parametrize("file", ["patching.json", "patching.npz", "question.json"])
def test_damaged_results_are_one_sentence_and_exit_code_2(study, tmp_path, capsys, file):
    (study / file).write_text("{")
    assert main(asked(study, tmp_path / "dist")) == 2
    error = capsys.readouterr().err
    assert "damaged" in error
    assert error.count("\n") == 1


def test_a_question_that_is_none_is_named_with_its_file(study, tmp_path, capsys):
    kept = json.loads((study / "question.json").read_text())
    (study / "question.json").write_text(json.dumps({**kept, "clean": 3}))
    assert main(asked(study, tmp_path / "dist")) == 2
    error = capsys.readouterr().err
    assert f"{study / 'question.json'}: clean: input should be a valid string" in error


def test_a_missing_result_is_named(study, tmp_path, capsys):
    (study / "patching.json").unlink()
    assert main(asked(study, tmp_path / "dist")) == 2
    assert re.search(r"no result \S+patching\.json", capsys.readouterr().err)


def test_results_of_two_studies_are_refused(study, tmp_path):
    other = save(Plan(target=" the"), tmp_path / "other")
    (other / "patching.json").replace(study / "patching.json")
    with pytest.raises(UserError, match="not of one study"):
        build(study.parent.parent, tmp_path / "dist")
