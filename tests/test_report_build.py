"""Building the report: whole or nothing, and one clear sentence where it cannot be built."""

import dataclasses
import re
from pathlib import Path

import pytest

from analysis import results
from analysis.errors import UserError
from analysis.experiments.census import Census
from report import build as building
from report.__main__ import main
from report.build import build
from tests.synthetic import Plan, save


@pytest.fixture
def study_folder(tmp_path) -> Path:
    return save(Plan(), tmp_path / "results" / "smollm2-135m")


def test_the_build_is_one_folder_that_asks_nothing_of_the_network(study_folder, tmp_path):
    page = build(study_folder, tmp_path / "dist")
    names = {path.name for path in page.parent.iterdir()}
    parts = {"style.css", "theme.js", "figures.js", "contents.js", "plotly.min.js"}
    assert names == {"index.html", *parts}
    sources = re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="([^"]*)"', page.read_text())
    assert set(sources) == {"data:,", *parts}


def test_a_new_build_replaces_the_old_one(study_folder, tmp_path):
    out = tmp_path / "dist"
    build(study_folder, out)
    (out / "leftover").touch()
    build(study_folder, out)
    assert not (out / "leftover").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dist", "results"]


def test_results_of_other_code_are_refused_by_name_unless_one_asks_for_them(
    study_folder, tmp_path, capsys
):
    made = dataclasses.replace(results.provenance(study_folder, "census"), code="0" * 16)
    kept = results.load(study_folder, "census", Census)
    results.save(study_folder, "census", kept, made)
    asked = ("--results", str(study_folder.parent), "--out", str(tmp_path / "dist"))
    assert main(asked) == 2
    error = capsys.readouterr().err
    assert "The results of census were computed by other code than this" in error
    assert not (tmp_path / "dist").exists()
    assert main((*asked, "--stale")) == 0
    assert (tmp_path / "dist" / "index.html").is_file()


def test_a_failing_build_leaves_the_old_one_intact(study_folder, tmp_path, monkeypatch):
    page = build(study_folder, tmp_path / "dist")
    before = page.read_bytes()
    monkeypatch.setattr(building, "get_plotlyjs", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        build(study_folder, tmp_path / "dist")
    assert page.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dist", "results"]


def test_a_folder_that_is_no_build_is_never_replaced(study_folder, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").touch()
    with pytest.raises(UserError, match="not an earlier report"):
        build(study_folder, tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").exists()


def test_a_page_of_somebody_elses_is_never_replaced(study_folder, tmp_path):
    (tmp_path / "mine").mkdir()
    for name in ("index.html", "thesis.txt"):
        (tmp_path / "mine" / name).write_text("<!doctype html><title>My thesis</title>")
    with pytest.raises(UserError, match="not an earlier report"):
        build(study_folder, tmp_path / "mine")
    assert {p.name for p in (tmp_path / "mine").iterdir()} == {"index.html", "thesis.txt"}


def test_the_command_prints_where_the_page_is(study_folder, tmp_path, capsys):
    code = main(["--results", str(study_folder.parent), "--out", str(tmp_path / "dist")])
    assert code == 0
    assert re.fullmatch(r"\S+/dist/index\.html \(\d+\.\d s\)\n", capsys.readouterr().out)


def test_missing_results_are_one_sentence_and_exit_code_2(tmp_path, capsys):
    assert main(["--results", str(tmp_path), "--out", str(tmp_path / "dist")]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert re.fullmatch(r"error: There is no result .* first\.\n", told.err)
    assert not (tmp_path / "dist").exists()


@pytest.mark.parametrize("file", ["patching.json", "patching.npz"])
def test_damaged_results_are_one_sentence_and_exit_code_2(study_folder, tmp_path, capsys, file):
    (study_folder / file).write_text("{")
    assert main(["--results", str(study_folder.parent), "--out", str(tmp_path / "dist")]) == 2
    assert "damaged" in capsys.readouterr().err


def test_results_of_two_studies_are_refused(study_folder):
    other = save(Plan(target=" the"), study_folder.parent / "other")
    (other / "patching.json").replace(study_folder / "patching.json")
    with pytest.raises(UserError, match="not of one study"):
        build(study_folder, study_folder.parent / "dist")
