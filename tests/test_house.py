"""The rules of the house, and papers that must stay true."""

import ast
import graphlib
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from analysis.code_version import imported, path_of, reached
from analysis.command_line import verbs
from analysis.experiments import EXPERIMENTS, NAMES

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted(p for top in ("analysis", "report", "space") for p in ROOT.glob(f"{top}/**/*.py"))
HEAVY = ("torch", "transformers", "transformer_lens")
SHOWING = ("plotly", "jinja2", "markupsafe", "gradio", "analysis.claims", "analysis.drawing")
HOME = "analysis/experiments/*"

FORBIDDEN = {
    f"{HOME}/figures*.py": (*HEAVY, "analysis.claims", "analysis.sentences"),
    f"{HOME}/facts.py": (*HEAVY, "plotly", "jinja2", "markupsafe", "analysis.drawing"),
    f"{HOME}/__init__.py": (*HEAVY, *SHOWING),
    "analysis/engines/*.py": (*SHOWING, "analysis.experiments"),
    "analysis/numbers/*.py": (*SHOWING, *HEAVY, "analysis.experiments"),
    "analysis/claims/*.py": (*HEAVY, "plotly"),
    "analysis/drawing/*.py": HEAVY,
    "analysis/**/*.py": ("report", "space", "gradio"),
    "report/**/*.py": ("space", "gradio", *HEAVY),
    "space/**/*.py": ("report",),
}


@cache
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
    paths = list(ROOT.glob(room))
    assert paths
    for path in paths:
        for name in imports(path):
            for wall in FORBIDDEN[room]:
                assert not f"{name}.".startswith(f"{wall}."), f"{path} imports {name}"


@pytest.mark.parametrize("name", NAMES)
def test_what_makes_a_result_out_of_date_neither_draws_nor_tells(name):
    shows = re.compile(rf"({'|'.join(map(re.escape, SHOWING))}|analysis\.(sentences|wording))\b")
    for module in reached(f"analysis.experiments.{name}.compute"):
        assert not re.search(r"\.(figures\w*|facts|claims|tables|command)$", module)
        found = [other for other in imports(path_of(module)) if shows.match(other)]
        assert not found, f"{module} imports {found}"


def test_no_two_modules_import_each_other():
    def module(path):
        return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")

    graph = {module(path): imported(module(path)) - {module(path)} for path in SOURCES}
    graphlib.TopologicalSorter(graph).prepare()


def test_nothing_is_made_double_before_it_has_left_the_device():
    """Apple's GPUs (mps) know no double precision and refuse it."""
    early = re.compile(r"(?<!\.cpu\(\))\.double\(\)\.(?!numpy\b)\w+")
    found = {str(path): early.findall(path.read_text(encoding="utf-8")) for path in SOURCES}
    assert not any(found.values()), found


def test_files_stay_small_enough_to_read():
    long = [str(path) for path in SOURCES if path.read_text().count("\n") > 330]
    assert not long


def test_every_experiment_is_a_folder_and_a_line():
    folders = {path.parent.name for path in ROOT.glob(f"{HOME}/__init__.py")}
    assert sorted(folders) == sorted(NAMES)
    assert [each.name for each in EXPERIMENTS] == list(NAMES)
    for name in NAMES:
        assert (ROOT / "analysis" / "experiments" / name / "compute.py").is_file()


def test_no_list_outside_names_the_experiments_again():
    """Three names side by side in one display are a second list, which would have to be kept."""
    names = {*NAMES, *(each.verb for each in EXPERIMENTS)}
    listing = ast.List | ast.Tuple | ast.Set | ast.Dict
    for path in SOURCES:
        if path == ROOT / "analysis" / "experiments" / "__init__.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, listing):
                parts = node.keys if isinstance(node, ast.Dict) else node.elts
                found = [part.value for part in parts if isinstance(part, ast.Constant)]
                assert len(names & {*map(str, found)}) < 3, f"{path}:{node.lineno} {found}"


def documents() -> str:
    papers = [ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")]
    papers += ROOT.glob("docs/**/*.md")
    return "\n".join(path.read_text(encoding="utf-8") for path in papers)


def test_documents_name_every_verb_and_every_make_target():
    found = documents()
    named = [name for name, _ in verbs()]
    assert {each.verb for each in EXPERIMENTS} < {*named}
    assert [verb for verb in named if not re.search(rf"`(an-neuron )?{verb}\b", found)] == []
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M)
    assert [t for t in targets if t != "help" and f"make {t}" not in found] == []


def test_the_readme_is_short():
    assert (ROOT / "README.md").read_text(encoding="utf-8").count("\n") < 150


def test_committed_text_speaks_of_the_project_alone():
    files = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    endings = {".py", ".md", ".txt", ".toml", ".json", ".html", ".css", ".js", ".yml", ".yaml"}
    for name in filter(None, files):
        path = ROOT / name
        if path.is_file() and path.suffix in endings:
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"(?<![\w.])/(?:tmp|home|root|work)/\w", text), name
