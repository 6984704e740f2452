"""Pages that are made while the site is built: of the declarations, and of the papers at the root.

Nothing that the code says of itself is written down a second time, so none of it can go stale.
"""

import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from analysis import api, command_line
from analysis.calls import Asking, takes_a_model
from analysis.declaration import SEEDS, Experiment, Option
from analysis.experiments import EXPERIMENTS
from bench.page import page as benchmarks
from space.endpoints import endpoints

Row = tuple[str, str, str, str]

ROOT = Path(__file__).resolve().parent.parent

PAPERS = {
    "ARCHITECTURE.md": "architecture.md",
    "TERMS.md": "terms.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "bench/README.md": "app-times.md",
}
"""Papers that stand elsewhere in the repository, and their pages here."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that have no file in this folder."""
    pages = {
        **{page: paper(name) for name, page in PAPERS.items()},
        "command-line.md": "\n".join(verbs()),
        "experiments.md": "\n".join(experiments()),
        "endpoints.md": "\n".join(tools()),
        "benchmarks.md": benchmarks(),
    }
    for path, text in pages.items():
        files.append(File.generated(config, path, content=text))
    return files


def paper(name: str) -> str:
    """A paper of the repository, with its links as they are on the site."""
    text = (ROOT / name).read_text(encoding="utf-8")
    for path, page in PAPERS.items():
        text = text.replace(f"]({path}", f"]({page}")
    return text.replace("](docs/", "](")


def verbs() -> Iterator[str]:
    """The page of the command line: every verb with its options."""
    yield "# Command line\n"
    yield "`an-neuron VERB`, or `python -m analysis VERB` in a checkout. With `--json` a verb"
    yield "prints one JSON object on standard output, and nothing else there. Progress and notes go"
    yield "to standard error. What you got wrong is told in one sentence, with exit code 2.\n"
    yield "## Options of every question\n"
    yield "A model, and what is asked of it.\n"
    shared = list(map(_typed, _parameters(_nothing)))
    yield from _table(shared)
    also = {e.verb: e.also for e in EXPERIMENTS if e.also}
    for name, command in command_line.verbs():
        assert command.callback is not None
        yield f"\n## `{name}`\n"
        yield f"{_sentence(command.help or command.callback.__doc__)}\n"
        if name in also:
            yield f"Its older name, `{also[name]}`, works too.\n"
        rows = list(map(_typed, _parameters(command.callback)))
        if any(row[0] == "`--question`" for row in rows):
            yield "Takes a model and a question, by the options above.\n"
        own = [row for row in rows if row not in shared]
        if own:
            yield from _table(own)
        if command.context_settings:
            yield f"```text\n{_help_of(name)}\n```\n"


_nothing = takes_a_model(lambda _asked: None, Asking)
"""A verb that has no option but those of every question."""


def _help_of(package: str) -> str:
    """What a program that takes its own options says of them."""
    asked = [sys.executable, "-m", package, "--help"]
    narrow = {**os.environ, "COLUMNS": "88"}
    told = subprocess.run(asked, cwd=ROOT, env=narrow, capture_output=True, text=True, check=True)
    return told.stdout.strip()


def _sentence(text: str | None) -> str:
    """Help without the older name, which stands by itself."""
    return re.sub(r" \(Also: .*\)$", "", " ".join((text or "").split()))


def _parameters(verb: Any) -> list[inspect.Parameter]:
    """Parameters of a verb, with annotations that are no strings."""
    hints = get_type_hints(verb, include_extras=True)
    given = inspect.signature(verb).parameters.values()
    typed = [parameter.replace(annotation=hints[parameter.name]) for parameter in given]
    return [parameter for parameter in typed if get_args(parameter.annotation)]


def _typed(parameter: inspect.Parameter) -> Row:
    """An option: how it is typed, what it takes, its default and its help."""
    kind, told = get_args(parameter.annotation)
    name = f"--{parameter.name.replace('_', '-')}"
    own = [each for each in (told.default, *(told.param_decls or ())) if isinstance(each, str)]
    names = own or ([name, f"--no-{name[2:]}"] if parameter.default is True else [name])
    if isinstance(told, typer.models.ArgumentInfo):
        names = [f"{parameter.name.upper()}..."]
    bounds = (told.min, told.max)
    typed = ", ".join(f"`{each}`" for each in names)
    default = "" if isinstance(parameter.default, bool) else parameter.default
    shown = "" if default in (None, "") else f"`{default}`"
    return typed, _takes(kind, get_args(kind), *bounds), shown, _cell(told.help or "")


def _takes(kind: Any, choices: tuple[Any, ...], low: float | None, high: float | None) -> str:
    """What an option takes, in words."""
    if get_origin(kind) is Literal:
        return ", ".join(f"`{choice}`" for choice in choices)
    kinds = [each for each in choices if each is not type(None)] or [kind]
    words = {str: "text", int: "whole number", float: "number", bool: "flag", Path: "path"}
    word = words.get(kinds[0], "texts")
    if low is not None and high is not None and high < SEEDS:
        return f"{word}, {low:,} to {high:,}"
    return word if low is None else f"{word}, at least {low:,}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _table(rows: Iterable[Row]) -> Iterator[str]:
    yield "| option | takes | default | |"
    yield "| --- | --- | --- | --- |"
    yield from ("| " + " | ".join(row) + " |" for row in rows)


def experiments() -> Iterator[str]:
    """The page of the experiments as Python functions, with what each returns."""
    yield "# Experiments in Python\n"
    yield "Every experiment is a function of `import analysis as an`: of a model, a question, and"
    yield "options by name. It returns a frozen Result with `figure()`, `summary()` and"
    yield "`save(folder)`; its fields are numpy arrays and plain values. [How to use"
    yield "them](howto/python.md) comes first.\n"
    for experiment in EXPERIMENTS:
        yield from _experiment(experiment)


def _experiment(experiment: Experiment) -> Iterator[str]:
    function = api.function_of(experiment)
    yield f"## `{experiment.name}` {{ #{experiment.name} }}\n"
    yield f"{experiment.title}. {experiment.asks}\n"
    yield f"```python\nan.{experiment.name}({_signature(function)})\n```\n"
    rows = [
        (f"`{o.name}`", _option(o), "" if o.default is None else f"`{o.default!r}`", _cell(o.help))
        for o in experiment.options
        if not o.shows
    ]
    if rows:
        yield from _table(rows)
        yield ""
    if experiment.figures:
        yield f"- Figures: {', '.join(f'`{figure.name}`' for figure in experiment.figures)}"
    shown = "".join(f", {o.name}={o.default!r}" for o in experiment.options if o.shows)
    yield f"- `summary({shown[2:]})`: {experiment.returns.removeprefix('JSON: ')}"
    yield f"\n::: {experiment.home}.compute.{experiment.kind.__name__}\n"


def _signature(function: Any) -> str:
    """The parameters by name, with their defaults."""
    told = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name != "progress":
            empty = parameter.default is inspect.Parameter.empty
            told.append(parameter.name if empty else f"{parameter.name}={parameter.default!r}")
    return ", ".join(told)


def _option(option: Option) -> str:
    """What an option of an experiment takes."""
    kind = Literal[option.choices] if option.choices else option.kind
    bounded = option.kind in (int, float)
    return _takes(kind, option.choices, *((option.low, option.high) if bounded else (None, None)))


def tools() -> Iterator[str]:
    """The page of the app's endpoints, which are tools of the Model Context Protocol, too."""
    yield "# Endpoints of the app\n"
    yield "The app answers programs under these names, and offers them as MCP tools at"
    yield "`/gradio_api/mcp/`. Each returns the JSON that the command line prints with `--json`."
    yield "[How to ask them](howto/app.md#from-a-program).\n"
    for endpoint in endpoints():
        told = inspect.getdoc(endpoint) or ""
        helps = dict(re.findall(r"^    (\w+): (.+)$", told, re.M))
        yield f"## `/{endpoint.__name__}`\n"
        yield f"{told.partition(chr(10))[0]}\n"
        yield from _table(
            [
                (f"`{p.name}`", _takes(p.annotation, (), None, None), f"`{p.default!r}`", h)
                for p in inspect.signature(endpoint).parameters.values()
                if (h := _cell(helps[p.name]))
            ]
        )
        yield f"\nReturns {told.partition('Returns:')[2].strip()}\n"
