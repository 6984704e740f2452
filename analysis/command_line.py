"""The verbs: one for each experiment, made of its declaration, and a few that are none."""

import runpy
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.models import CommandInfo

from analysis import console, question_verbs
from analysis.calls import AsJson, Asking, Call, takes_a_model, verb_of
from analysis.declaration import SEEDS, Experiment
from analysis.experiments import EXPERIMENTS
from analysis.experiments import steps as studied

ANYTHING = {"allow_extra_args": True, "ignore_unknown_options": True}
"""Settings of a verb that hands all it is given to another program."""


def make() -> typer.Typer:
    """The command line with a verb for every experiment that is registered."""
    app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
    app.command()(models)
    for experiment in EXPERIMENTS:
        _add(app, experiment)
    app.command()(neuron)
    app.command()(takes_a_model(study, Asking))
    app.add_typer(question_verbs.make(), name="question")
    app.command("questions", hidden=True)(question_verbs.list_questions)
    app.command("app")(open_app)
    app.command(context_settings=ANYTHING, add_help_option=False)(report)
    return app


def verbs() -> Iterator[tuple[str, CommandInfo]]:
    """Every verb that is shown, by its name; ``question list`` is one of a group."""
    app = make()
    groups = [("", app), *((f"{g.name} ", g.typer_instance) for g in app.registered_groups)]
    for prefix, group in groups:
        for command in group.registered_commands if group else ():
            if not command.hidden and command.callback is not None:
                name = command.name or command.callback.__name__.replace("_", "-")
                yield prefix + name, command


def _add(app: typer.Typer, experiment: Experiment) -> None:
    """Add an experiment's verb; its older name still works."""
    verb = verb_of(experiment, experiment.part("command", "answer") or _answer)
    also = f" (Also: {experiment.also}.)" if experiment.also else ""
    app.command(experiment.verb, help=experiment.asks + also)(verb)
    if experiment.also:
        app.command(experiment.also, help=experiment.asks, hidden=True)(verb)


def _answer(call: Call) -> dict[str, Any]:
    """What an experiment's verb prints."""
    call.check()
    return call.summary(call.compute(call.load()))


def models(
    as_json: AsJson = False,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Download the embedded model and corpus first.")
    ] = False,
) -> None:
    """List the models, and which of them can be loaded right now."""
    from analysis.loading.models import describe, fetch_embedded

    if fetch:
        fetch_embedded()
    console.emit({"models": describe()}, as_json)


def neuron(
    name: Annotated[str, typer.Argument(help="Such as L25N1527.")],
    table: Annotated[Path, typer.Option(help="Parquet that `corpus-scan --table` wrote.")],
    as_json: AsJson = False,
) -> None:
    """Show one neuron of a scan that was kept, without its model."""
    from analysis.scanning.scanned import read_neuron

    row, scan = read_neuron(table, name)
    console.emit({**row, "model": scan["model"], "revision": scan["revision"]}, as_json)


def study(
    asking: Asking,
    out: Annotated[
        Path | None, typer.Option(help="Folder of results, a folder per model and question there.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=SEEDS, help="Of all random draws.")] = 0,
    jobs: Annotated[
        int,
        typer.Option(
            min=1,
            max=16,
            help="Processes that compute steps at once, each with the model in memory; they share "
            "the processors out.",
        ),
    ] = 1,
) -> None:
    """Run every experiment of the study whose result is missing or out of date."""
    from analysis import results
    from analysis.processes import processes
    from analysis.study import folder_of, run_study, unwatched

    asking.ask()  # what is wrong with it is told before a model is loaded
    root = results.writable(out or results.out())
    subject = asking.load()
    question = asking.put(subject)
    folder = folder_of(root, subject, question)
    steps = []
    alone = jobs == 1
    with (
        nullcontext() if alone else processes(asking.load, jobs) as others,
        unwatched("") if alone else console.watched("all steps") as progress,
    ):
        watch = console.watched if alone else unwatched
        for done in run_study(subject, question, folder, seed, watch, others):
            what = done.refused or ("kept" if done.kept else f"{done.seconds:.1f} s")
            console.note(f"{done.name:>17}  {what}")
            steps.append(asdict(done))
            progress(len(steps) / len(studied()))
    console.emit({"folder": str(folder), "steps": steps}, asking.as_json)


def open_app() -> None:
    """Start the app on this machine; it says where it answers."""
    _hand_over("space", [])


def report(given: typer.Context) -> None:
    """Write the pages of all studies and their index; `an-neuron report --help` for more."""
    _hand_over("report", given.args)


def _hand_over(package: str, arguments: list[str]) -> None:
    """Run another package of this project as a program: nothing here imports it."""
    sys.argv = [f"an-neuron {package}", *arguments]
    runpy.run_module(package, run_name="__main__", alter_sys=True)
