"""The folder that is pushed to a Space, and what its README promises the platform."""

import ast
import re
from pathlib import Path

import pytest
import yaml

from analysis.loading.models import CATALOGUE
from space.assemble import PLATFORMS, ROOT, assemble, requirements
from space.settings import ON_GPU


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return assemble(tmp_path_factory.mktemp("made") / "space")


@pytest.fixture(scope="module")
def front_matter():
    _, front, _ = (ROOT / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    return yaml.safe_load(front)


def pinned(package: str) -> str:
    (version,) = re.findall(rf"^{package}==(\S+)$", (ROOT / "requirements.txt").read_text(), re.M)
    return version


def test_the_front_matter_names_the_gradio_that_was_tested(front_matter):
    assert front_matter["sdk"] == "gradio"
    assert front_matter["sdk_version"] == pinned("gradio")


def test_the_front_matter_is_what_the_platform_takes(front_matter):
    assert len(front_matter["short_description"]) <= 60
    assert len(front_matter["emoji"]) == 1
    colours = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
    assert {front_matter["colorFrom"], front_matter["colorTo"]} <= colours
    assert front_matter["python_version"] in ("3.10", "3.12")
    assert (ROOT / front_matter["app_file"]).is_file()


def test_what_is_preloaded_is_the_revision_that_a_gpu_space_opens(front_matter):
    (line,) = front_matter["preload_from_hub"]
    repository, files, revision = line.split(" ")
    (entry,) = (entry for entry in CATALOGUE if entry.name == ON_GPU)
    assert (repository, revision) == (entry.origin, entry.revision)
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= set(files.split(","))


def test_the_folder_holds_the_app_and_nothing_of_the_workshop(folder):
    there = {path.name for path in folder.iterdir()}
    assert {"app.py", "README.md", "LICENSE", "requirements.txt", "analysis", "space"} <= there
    assert not there & {"tests", "bench", "report", "build", ".git", ".venv", ".ci"}
    assert not list(folder.rglob("__pycache__"))


@pytest.mark.slow
def test_every_import_of_the_folder_is_in_it_or_is_installed(folder):
    """The app has to start where only its own requirements are."""
    own = {path.stem for path in folder.glob("*") if path.is_dir() or path.suffix == ".py"}
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            module = node.module if isinstance(node, ast.ImportFrom) else None
            if module and module.split(".")[0] in ("report", "tests", "bench"):
                raise AssertionError(f"{path} imports {module}")
            if module and module.split(".")[0] in own:
                target = folder / module.replace(".", "/")
                assert target.is_dir() or target.with_suffix(".py").is_file(), (path, module)


def test_the_platform_installs_its_own_packages(folder):
    named = {re.split(r"==", line)[0] for line in requirements().splitlines()}
    assert not named & set(PLATFORMS)
    assert {"torch", "transformer-lens", "plotly"} <= named
    assert (folder / "requirements.txt").read_text(encoding="utf-8") == requirements()


def test_assembling_again_replaces_the_folder_whole(folder):
    (folder / "old.txt").write_text("left over")
    assert assemble(folder) == folder
    assert not (folder / "old.txt").exists()
    assert not folder.with_name("space.part").exists()
