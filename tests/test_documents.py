"""The documents are true: commands can be typed, links lead somewhere, numbers are the study's."""

import ast
import inspect
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import analysis as an
from analysis import command_line, questions, results
from analysis.engines.replacement import METHODS
from analysis.experiments import named
from analysis.experiments.crossed.facts import facts as crossed_facts
from analysis.experiments.generality.facts import facts as generality_facts
from analysis.experiments.upstream.facts import facts as upstream_facts

ROOT = Path(__file__).resolve().parent.parent
PAPERS = [
    *(ROOT / name for name in ("README.md", "ARCHITECTURE.md", "TERMS.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
HANDED_OVER = {"report", "app"}
"""Verbs whose options are another program's."""


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def fenced(path: Path, language: str) -> list[str]:
    """Blocks of code in a document; those that are read from a file are left out."""
    blocks = re.findall(
        rf"^```{language}\n(.*?)^```", path.read_text(encoding="utf-8"), re.S | re.M
    )
    return [block for block in blocks if "--8<--" not in block]


def commands(path: Path) -> Iterator[list[str]]:
    """Every command line of the tool, as words."""
    for block in fenced(path, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if "an-neuron" in words:
                own = words[words.index("an-neuron") + 1 :]
                yield own[: own.index("|")] if "|" in own else own


def verbs() -> dict[str, set[str]]:
    """Every verb with its options."""
    known = {}
    for name, command in command_line.verbs():
        names = inspect.signature(command.callback).parameters
        plain = [each.replace("_", "-") for each in names]
        known[name] = {f"--{each}" for each in plain} | {"--json", "--help"}
        known[name] |= {
            f"--no-{each}"
            for each, each_text in zip(plain, names.values(), strict=True)
            if each_text.default is True
        }
        known[name] |= {
            other
            for each in names.values()
            for info in getattr(each.annotation, "__metadata__", ())
            for other in (getattr(info, "default", None), *(getattr(info, "param_decls", ()) or ()))
            if isinstance(other, str)
        }
    return known


@pytest.mark.parametrize("path", PAPERS, ids=name_of)
def test_every_command_in_a_document_can_be_typed(path):
    known = verbs()
    for words in commands(path):
        verb = " ".join(words[:2]) if words[0] not in known else words[0]
        assert verb in known, words
        options = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert verb in HANDED_OVER or options <= known[verb], words


@pytest.mark.parametrize("path", PAPERS, ids=name_of)
def test_python_in_a_document_is_python_and_names_what_there_is(path):
    for block in fenced(path, "python"):
        ast.parse(block)
        for name in re.findall(r"\ban\.(\w+)", block):
            assert hasattr(an, name), name


@pytest.mark.parametrize("path", PAPERS, ids=name_of)
def test_every_link_between_documents_leads_to_a_file(path):
    made = set(re.findall(r'"([\w-]+\.md)"', read("docs/made_pages.py")))  # pages of the site alone
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        if "://" not in link:
            assert (path.parent / link).exists() or Path(link).name in made, link


def test_every_room_of_the_house_stands_where_the_architecture_says():
    rows = re.findall(r"^\| (`[^|]+`) \|", read("ARCHITECTURE.md"), re.M)
    for row in rows:
        first, *others = re.findall(r"`([^`]+)`", row)
        beside = "" if first.count("/") == 0 else f"{first.rpartition('/')[0]}/"
        for room in (first, *(beside + other for other in others)):
            path = ROOT / room.replace("NAME", "neuron_sweep")
            assert path.is_dir() or path.with_suffix(".py").is_file(), room


def test_the_readme_is_short_and_names_every_verb():
    readme = read("README.md")
    assert readme.count("\n") < 150
    shown = {name for name, _ in command_line.verbs()}
    assert {verb for verb in shown if f"`{verb}`" not in readme} == set()


def test_the_documents_name_every_make_target():
    text = "\n".join(path.read_text(encoding="utf-8") for path in PAPERS)
    targets = re.findall(r"^([a-z-]+):", read("Makefile"), re.M)
    assert {name for name in targets if name != "help" and f"make {name}" not in text} == set()


def test_the_documents_name_every_key_of_a_question_and_the_example_has_them_all():
    keys = set(questions.Question.model_fields) - {"name", "source"}
    page, example = read("docs/question-file.md"), read("docs/examples/pronoun.toml")
    assert keys == set(re.findall(r"^\| `(\w+)` \|", page, re.M))
    plain, *tables = re.split(r"^\[(\w+)\]$", example, flags=re.M)
    assert keys == {*re.findall(r"^(\w+) = ", plain, re.M), *tables[::2]}
    assert questions.load(str(ROOT / "docs/examples/pronoun.toml")).has_words


def found(name: str) -> Any:
    """A result of the committed study."""
    experiment = named(name)
    return results.load(results.COMMITTED / an.EMBEDDED / "an", name, experiment.kind)


@pytest.mark.slow
def test_the_readmes_findings_are_the_studys():
    words = " ".join(read("README.md").split())
    direct = found("direct_effect")
    assert direct.target_rank == 1
    assert f'weights raise " an" most, {direct.target_z:.1f} standard deviations' in words
    rows = found("ablation").summary()["set"]
    mean = next(row for row in rows if (row["calls_for"], row["method"]) == (" an", "mean"))
    most, least = mean["logit_diff_change_interval"]
    assert mean["matched_as_large"] == 0
    assert f"mean ablation takes {-mean['logit_diff_change']:.2f} off the logit" in words
    assert f"(95 % interval {-least:.2f} to {-most:.2f})" in words
    calls = found("ablation").calls_for_target & ~found("ablation").in_question
    before = (found("ablation").baseline[calls, 0] > 0).sum()
    after = (found("ablation").ablated[calls, METHODS.index("mean"), 0] > 0).sum()
    assert f'prefers " an" after {before} of {calls.sum()} such prompts with' in words
    assert after == 0
    driven = upstream_facts(found("upstream"))
    chain = driven.chain
    name = driven.head.name
    assert f"{name}, patched alone, brings its activation to {chain.reached:.2f}" in words
    assert f"the clean prompt has {chain.clean:.2f}" in words
    sweep = found("neuron_sweep")
    assert f"and {sweep.noising[0]:.2f} is lost when it alone is corrupted" in words
    seen = sweep.held_out_recovery[0].mean, sweep.held_out_noising_recovery[0].mean
    assert "{:.2f} and {:.2f}.*".format(*seen) in words
    crossed = crossed_facts(found("crossed"))
    assert f"(AUC {crossed.rule.neuron.mean:.2f}, where" in words
    assert f"its letter ({crossed.cue.neuron.mean:.2f})" in words
    without = next(each for each in crossed.bare if not each.text)
    assert f"than without one ({without.neuron.mean:.2f})" in words
    scan, other = found("corpus_scan"), found("generality").auc[1:]
    place = scan.labels.index("next")
    seen = f"(AUC {scan.auc[0, place, 0]:.2f}; the model's own probability, "
    rival = scan.auc[1:, place, 0]
    best = max(rival, key=lambda area: abs(area - 0.5))
    assert f"{seen}{scan.model_auc[place, 0]:.2f}; another neuron, {best:.2f})" in words
    assert f"AUC from {other.min():.2f} to {other.max():.2f}" in words
    told = generality_facts(found("generality")).held_out
    assert (told.separates, told.sentences, told.reversed) == (3, 6, 1)
    assert "of six other sentences it tells the two kinds of words apart in three" in words


def hundredths(value):
    """Two digits, and a third where they would hide that a number lies below zero."""
    short = f"{value:.2f}"
    return f"{value:.3f}" if short == "-0.00" else short


def test_the_numbers_of_the_transplant_are_the_studys():
    page = " ".join(read("docs/howto/transplant.md").split())
    told = found("transplant").summary()
    gains = {row["variant"]: row["gains"] for row in told["grafts"] + told["controls"]}
    controls = ("constant bias", "own neuron amplified", "edit fitted to the outcome")
    for ground, known in told["held_out"]["grounds"].items():
        rows = [known["in_donor"], {"value": known["gain"], "interval": known["interval"]}]
        rows += [gains[name][ground]["margin"] for name in controls]
        cells = [
            "{} ({} to {})".format(*map(hundredths, (row["value"], *row["interval"])))
            for row in rows
        ]
        assert " | ".join(cells) in page, ground
    words, texts = told["held_out"]["grounds"]["words"], sum(told["held_out"]["texts"].values())
    right = gains["graft"]["words"]["right"]
    assert f"{words['copied']['value']:.0%}".replace("%", " %") + " of what the neuron does" in page
    assert f"{right['value'] * texts:.0f} of {texts} words the choice" in page
    assert "({:.2f} more, {:.2f} to {:.2f})".format(right["value"], *right["interval"]) in page
    assert f"{told['fit']['tokens']:,} tokens" in page
    costs = told["corpus_loss_change"], *told["corpus_loss_interval"]
    assert "{:.4f} nats a token ({:.4f} to {:.4f})".format(*costs) in page


def test_the_same_ruff_formats_before_a_commit_and_in_the_checks():
    hooks = yaml.safe_load(read(".pre-commit-config.yaml"))["repos"][0]["hooks"]
    pinned = {name for hook in hooks for name in hook["additional_dependencies"] if "ruff" in name}
    assert pinned <= set(read("requirements-dev.txt").split())
