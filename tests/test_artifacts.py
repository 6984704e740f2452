"""The folder that a paper takes from a study: the same bytes twice, and nothing unaccounted for."""

import hashlib
import json
import re
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from analysis import claims, questions, results
from analysis.beside import beside
from analysis.errors import UserError
from analysis.experiments import named
from report.artifacts import build as building
from report.artifacts import contents
from report.artifacts import manifest as manifests
from report.artifacts.__main__ import main
from report.artifacts.build import build
from report.artifacts.references import CITATION
from report.images import find_browser
from report.studies import document
from tests.synthetic import Plan, changed, evidence, save, save_study, with_result
from tests.synthetic.neuron_sweep import held_out
from tests.test_beside_original import checked

pytestmark = pytest.mark.slow

yaml = pytest.importorskip("yaml", reason="pyyaml is not installed")
STUDY = evidence(Plan())
STUDIED = [table.name for each in STUDY.experiments for table in contents.printed(each)]
TWO = ("next_token", "logit_lens")


@pytest.fixture
def no_browser(monkeypatch):
    monkeypatch.setenv("BROWSER_PATH", "/there/is/none")


@pytest.fixture
def study(tmp_path, no_browser) -> Path:
    return save(Plan(), tmp_path / "results")


def asked(study: Path, out: Path) -> list[str]:
    return ["--results", str(study.parent.parent), "--out", str(out)]


@dataclass(frozen=True)
class Made:
    """A study and its artifacts, which nobody changes."""

    study: Path
    paper: Path


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Made:
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BROWSER_PATH", "/there/is/none")
        study = save(Plan(), folder / "results")
        return Made(study, build(study, folder / "paper").manifest.parent)


@pytest.fixture
def manifest(made) -> dict:
    """The manifest of the artifacts."""
    return json.loads((made.paper / "manifest.json").read_text())


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_two_builds_hold_the_same_bytes(made, no_browser, tmp_path):
    build(made.study, tmp_path / "again")
    assert files(tmp_path / "again") == files(made.paper)


def test_the_manifest_lists_every_file_with_its_checksum(manifest, made):
    listed = {entry["file"]: entry["sha256"] for entry in manifest["files"]}
    assert listed == {
        name: hashlib.sha256(content).hexdigest()
        for name, content in files(made.paper).items()
        if name != "manifest.json"
    }
    assert {f"tables/{name}.{kind}" for name in STUDIED for kind in ("csv", "tex")} < set(listed)


def test_the_checksums_of_inputs_are_those_of_the_results_on_disk(manifest, made):
    listed = {file: sum_ for step in manifest["inputs"].values() for file, sum_ in step.items()}
    assert listed == {
        path.name: sha256(path) for path in made.study.iterdir() if path.name != "question.json"
    }


def test_every_file_with_numbers_names_its_inputs_and_the_command_that_computes_them(manifest):
    inputs = {file for step in manifest["inputs"].values() for file in step}
    for entry in manifest["files"]:
        assert set(entry["inputs"]) <= inputs
        if entry["file"] != contents.BIBLIOGRAPHY:
            assert entry["inputs"]
            assert entry["command"].startswith("an-neuron ")
    assert manifest["command"] == "python -m report.artifacts"


def test_another_model_and_question_are_named_in_the_command_that_makes_the_folder(
    no_browser, tmp_path
):
    study = save(Plan(model="gpt2", target=" is", foil=" are"), tmp_path / "results")
    arguments = ["--model", "gpt2", "--question", "other", *asked(study, tmp_path / "paper")]
    assert main(arguments) == 0
    answer = json.loads((tmp_path / "paper" / "manifest.json").read_text())
    assert answer["command"] == "python -m report.artifacts --model gpt2 --question other"


def test_a_changed_result_changes_its_own_files_alone(made, no_browser, tmp_path):
    """Apart from the two files that list all checksums."""
    study = shutil.copytree(made.study, tmp_path.joinpath(*made.study.parts[-3:]))
    lens = results.load(study, "logit_lens", named("logit_lens").kind)
    provenance = results.provenance(study, "logit_lens")
    results.save(study, "logit_lens", lens, type(provenance)(**asdict(provenance) | {"seconds": 9}))
    build(study, tmp_path / "other")
    before, after = files(made.paper), files(tmp_path / "other")
    assert before.keys() == after.keys()
    assert {n for n in before if before[n] != after[n]} == {"manifest.json", "results.json"}


def test_results_json_says_what_each_step_found_and_where_it_came_from(manifest, made):
    numbers = json.loads((made.paper / "results.json").read_text())
    assert list(numbers) == list(STUDY.results)
    for step, entry in numbers.items():
        assert entry["provenance"] == asdict(results.provenance(made.study, step))
        assert entry["files"] == manifest["inputs"][step]
        assert entry["summary"]


def test_published_numbers_are_exported_where_a_study_has_checked_them(no_browser, tmp_path):
    study = save_study(with_result(STUDY, checked()), tmp_path / "results")
    answer = json.loads(build(study, tmp_path / "paper").manifest.read_text())
    (entry,) = (e for e in answer["files"] if e["file"] == "tables/verification.csv")
    assert entry["command"] == "an-neuron verification"
    assert set(answer["inputs"]["verification"]) == {"verification.json", "verification.npz"}
    numbers = json.loads((tmp_path / "paper" / "results.json").read_text())
    assert numbers["verification"]["summary"]["agree"] is True


def test_a_table_without_rows_is_left_out():
    bare = changed(STUDY, "neuron_sweep", **held_out(STUDY.neuron_sweep, 0))
    names = {artifact.path for artifact in contents.tables(bare)}
    assert "tables/sweep.csv" in names
    assert "tables/confirmation.csv" not in names


def test_a_results_document_is_json_as_it_stands():
    for name in STUDY.results:
        one = document(STUDY, name)
        assert json.loads(json.dumps(one, allow_nan=False)) == one


def test_with_a_browser_the_figures_are_listed_like_all_else(study, tmp_path, monkeypatch):
    monkeypatch.delenv("BROWSER_PATH")
    try:
        find_browser()
    except UserError as error:
        pytest.skip(str(error))
    drawn = [(e, f) for e, f in claims.figures(STUDY) if f.name in TWO]
    monkeypatch.setattr("analysis.claims.figures", lambda _: drawn)
    monkeypatch.setattr("report.panels.figures", lambda _: drawn)
    written = build(study, tmp_path / "paper")
    answer = json.loads(written.manifest.read_text())
    entries = [entry for entry in answer["files"] if entry["file"].startswith("figures/")]
    kinds = ("svg", "pdf", "png")
    assert [e["file"] for e in entries] == [f"figures/{n}.{kind}" for n in TWO for kind in kinds]
    for entry in entries:
        assert entry["sha256"] == sha256(tmp_path / "paper" / entry["file"])
        assert entry["command"] in ("an-neuron next-token", "an-neuron logit-lens")
        assert entry["inputs"][0].partition(".")[0] in TWO


def test_without_a_browser_the_figures_are_named_as_left_out(study, tmp_path, capsys):
    assert main(asked(study, tmp_path / "paper")) == 0
    assert "the figures are left out" in capsys.readouterr().err
    answer = json.loads((tmp_path / "paper" / "manifest.json").read_text())
    assert [entry["figure"] for entry in answer["left_out"]] == [
        f.name for _, f in claims.figures(STUDY)
    ]
    assert all("Chromium" in entry["why"] for entry in answer["left_out"])
    assert not any(entry["file"].startswith("figures/") for entry in answer["files"])


def test_a_browser_that_does_not_draw_is_as_good_as_none(study, tmp_path, monkeypatch):
    wrong = tmp_path / "chromium"
    wrong.write_text("#!/bin/sh\nexit 1\n")
    wrong.chmod(0o755)
    monkeypatch.setenv("BROWSER_PATH", str(wrong))
    assert "cannot draw" in build(study, tmp_path / "paper").why_not


def test_the_committed_study_fills_every_table(no_browser, tmp_path):
    build(results.COMMITTED / "smollm2-135m" / questions.DEFAULT, tmp_path / "paper")
    for name in STUDIED:
        assert (tmp_path / "paper" / "tables" / f"{name}.csv").read_text().count("\n") > 1
        assert (tmp_path / "paper" / "tables" / f"{name}.tex").read_text().isascii()


@pytest.mark.parametrize("name", ["thesis.txt", "manifest.json"])
def test_a_folder_that_holds_something_else_is_refused_and_kept(study, tmp_path, name):
    mine = tmp_path / "mine" / name
    mine.parent.mkdir()
    mine.write_text('{"name": "my web app"}')
    with pytest.raises(UserError, match="not a folder of earlier artifacts"):
        build(study, mine.parent)
    assert files(mine.parent) == {name: b'{"name": "my web app"}'}


def test_a_file_is_never_replaced_by_a_folder(study, tmp_path, capsys):
    mine = tmp_path / "thesis.tex"
    mine.write_text("mine")
    assert main(asked(study, mine)) == 2
    assert mine.read_text() == "mine"
    assert capsys.readouterr().err.startswith("error: ")


def test_a_new_build_leaves_nothing_of_the_earlier_one(made, no_browser, tmp_path):
    paper = shutil.copytree(made.paper, tmp_path / "paper")
    (paper / "leftover").touch()
    build(made.study, paper)
    assert files(paper) == files(made.paper)


@pytest.mark.parametrize("earlier", [True, False])
def test_a_half_made_folder_never_stays(made, study, tmp_path, monkeypatch, earlier):
    out = tmp_path / "paper"
    if earlier:
        shutil.copytree(made.paper, out)
    before, count = files(out), iter(range(9))

    def disk_full(path: Path, content: bytes) -> None:
        if next(count) == 8:
            raise OSError(28, "No space left on device")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)

    monkeypatch.setattr(building, "_write", disk_full)
    assert main(asked(study, out)) == 2
    assert files(out) == before
    assert {path.name for path in tmp_path.iterdir()} == {"results", *["paper"] * earlier}


def test_a_damaged_result_is_refused_in_one_sentence(study, tmp_path, capsys):
    (study / "census.npz").write_bytes(b"damaged")
    assert main(asked(study, tmp_path / "paper")) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert not (tmp_path / "paper").exists()


def test_bibtex_has_what_the_citation_file_has(made):
    citation = yaml.safe_load(beside(CITATION).read_text())
    text = (made.paper / contents.BIBLIOGRAPHY).read_text()
    entries = dict(re.findall(r"@misc\{([^,]+),\n(.*?)\n\}", text, re.DOTALL))
    works = [citation, *citation["references"]]
    assert len(entries) == len(works)
    for work, entry in zip(works, entries.values(), strict=True):
        fields = dict(re.findall(r"^  (\w+) = \{(.*)\},$", entry, re.MULTILINE))
        assert fields["title"] == f"{{{work['title']}}}"
        for author in work["authors"]:
            assert author.get("family-names", author.get("name")) in fields["author"]
        for name in ("doi", "url"):
            assert fields.get(name) == work.get(name)
        assert fields.get("year") == (str(work["year"]) if "year" in work else None)
        if "version" in work:
            assert fields["note"] == f"Version {work['version']}"


def test_the_manifest_says_how_figures_are_drawn_in_the_units_of_print(manifest):
    assert manifest["figures"]["inches_wide"] == 5.5
    assert manifest["figures"]["png_dpi"] == 300
    assert manifest["generator"] == manifests.MARK
