"""The rules of the house, and papers that must stay true."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from analysis.code_version import imported
from analysis.steps import STEPS

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted(p for top in ("analysis", "report", "space") for p in ROOT.glob(f"{top}/**/*.py"))

FORBIDDEN = {
    "analysis/experiments": ("plotly", "analysis.figures", "analysis.claims"),
    "analysis/figures": ("torch", "transformers", "transformer_lens", "analysis.claims"),
    "analysis/claims": ("torch", "transformers", "transformer_lens", "plotly"),
    "analysis": ("report", "space", "gradio", "jinja2"),
    "report": ("space", "gradio", "torch", "transformers", "transformer_lens"),
    "space": ("report",),
}


def imports(path: Path) -> set[str]:
    """Every module that a file imports anywhere in it, as dotted names."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            names.add(node.module or "")
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


@pytest.mark.parametrize("room", FORBIDDEN)
def test_imports_run_one_way(room):
    for path in SOURCES:
        if path.relative_to(ROOT).as_posix().startswith(room + "/"):
            for name in imports(path):
                for wall in FORBIDDEN[room]:
                    assert not f"{name}.".startswith(f"{wall}."), f"{path} imports {name}"


def test_no_two_modules_import_each_other():
    def module(path):
        return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")

    graph = {module(path): imported(module(path)) - {module(path)} for path in SOURCES}

    def visit(name, trail):
        assert name not in trail, " -> ".join([*trail, name])
        for other in graph.get(name, ()):
            visit(other, [*trail, name])

    for name in graph:
        visit(name, [])


def test_nothing_is_made_double_before_it_has_left_the_device():
    """Apple's GPUs (mps) know no double precision and refuse it."""
    early = re.compile(r"(?<!\.cpu\(\))\.double\(\)\.(?!numpy\b)\w+")
    found = {str(path): early.findall(path.read_text(encoding="utf-8")) for path in SOURCES}
    assert not any(found.values()), found


def test_files_stay_small_enough_to_read():
    long = [path for path in SOURCES if path.read_text().count("\n") > 300]
    assert not long


def test_every_experiment_has_its_figure_and_the_study_runs_it():
    experiments, figures = (
        {path.stem for path in (ROOT / "analysis" / room).glob("*.py")} - {"__init__", "style"}
        for room in ("experiments", "figures")
    )
    assert experiments == {step.name for step in STEPS}
    assert experiments <= figures


def test_the_readmes_tree_names_every_source_file_and_nothing_that_is_gone():
    tree = re.search(r"```\nan-neuron/\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert tree is not None
    named = set(re.findall(r"(\w+\.py)\b", tree[1]))
    there = {path.name for path in SOURCES} - {"__init__.py"}
    assert named - there == set(), "named but gone"
    assert there - named == set(), "there but not named"


def test_documents_name_every_verb_and_every_make_target():
    readme = (ROOT / "README.md").read_text()
    code = "\n".join(path.read_text() for path in (ROOT / "analysis" / "verbs").glob("*.py"))
    verbs = re.findall(r"@app\.command\(\)\n(?:@.*\n)?def (\w+)", code)
    missing = [v for v in verbs if f"`{v.replace('_', '-')}`" not in readme]
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M)
    assert not missing
    assert [t for t in targets if t != "help" and f"`make {t}`" not in readme] == []


def test_committed_text_speaks_of_the_project_alone():
    files = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    for name in filter(None, files):
        path = ROOT / name
        if path.is_file() and path.suffix in {
            ".py",
            ".md",
            ".txt",
            ".toml",
            ".json",
            ".html",
            ".css",
            ".js",
        }:
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"(?<![\w.])/(?:tmp|home|root|work)/\w", text), name
