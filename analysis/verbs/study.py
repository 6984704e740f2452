"""The verb that computes all of the paper."""

from pathlib import Path
from typing import Annotated

import typer

from analysis import console
from analysis.asked import Chosen, takes
from analysis.verbs.app import Seed, app


@app.command()
@takes(Chosen)
def study(
    chosen: Chosen,
    out: Annotated[Path | None, typer.Option(help="Folder that holds a folder per model.")] = None,
    seed: Seed = 0,
) -> None:
    """Run every experiment of the paper whose result is missing or out of date."""
    from analysis import results
    from analysis.question import default_pair
    from analysis.study import run_study

    root = results.writable(out or results.ROOT)
    subject = chosen.load()
    folder = root / subject.origin.name
    steps = []
    for done in run_study(subject, default_pair(subject), folder, seed, console.watched):
        console.note(f"{done.step.name:>14}  {'kept' if done.kept else f'{done.seconds:.1f} s'}")
        steps.append({"name": done.step.name, "seconds": done.seconds, "kept": done.kept})
    console.emit({"folder": str(folder), "steps": steps}, chosen.as_json)
