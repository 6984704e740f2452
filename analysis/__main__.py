"""The command line, one verb per experiment: ``python -m analysis VERB``.

Every verb answers on standard output, with ``--json`` as one JSON object; progress and notes go to
standard error. What the user got wrong is told in one sentence, with exit code 2.
"""

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from analysis import console
from analysis.asked import AsJson, Asked, Chosen, takes
from analysis.errors import UserError

app = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__
)

NeuronName = Annotated[
    str | None, typer.Option("--neuron", help="Such as L25N1527; else the model's own best.")
]
Seed = Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Of all random draws.")]
Component = Literal["resid_pre", "attn_out", "mlp_out", "z"]


@app.command()
def models(
    as_json: AsJson = False,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Download the embedded model and corpus first.")
    ] = False,
) -> None:
    """List the models, and which of them can be loaded right now."""
    from analysis.models import describe, fetch_embedded

    if fetch:
        fetch_embedded()
    console.emit({"models": describe()}, as_json)


@app.command()
@takes(Asked)
def prompt(asked: Asked) -> None:
    """What does the model say next?"""
    from analysis.experiments.next_token import next_token

    subject = asked.load()
    prompts, contrast = asked.prompts(subject)
    result = next_token(subject, prompts, contrast)
    likely = zip(result.top_tokens, result.top_probabilities[0], strict=True)
    document: dict[str, Any] = {
        "prompt": result.prompts[0],
        "tokens": result.tokens[0],
        "top": [{"token": token, "probability": p} for token, p in likely],
        **_answer(result, 0),
    }
    if len(prompts) > 1:
        document["corrupted"] = {"prompt": result.prompts[1], **_answer(result, 1)}
    console.emit(document, asked.as_json)


def _answer(result: Any, index: int) -> dict[str, Any]:
    names = ("p_target", "p_foil", "rank_target", "rank_foil", "logit_diff")
    return {name: getattr(result, name)[index] for name in names}


@app.command()
@takes(Asked)
def lens(asked: Asked) -> None:
    """After which half layer does the answer appear in the residual stream?"""
    from analysis.experiments.logit_lens import logit_lens

    subject = asked.load()
    prompts, contrast = asked.prompts(subject)
    result = logit_lens(subject, prompts, contrast)
    document: dict[str, Any] = {
        "labels": result.labels,
        "logit_diff": result.logit_diff[0],
        "model_logit_diff": result.model_logit_diff[0],
    }
    if len(prompts) > 1:
        document["corrupted"] = {
            "logit_diff": result.logit_diff[1],
            "model_logit_diff": result.model_logit_diff[1],
        }
    console.emit(document, asked.as_json)


@app.command()
@takes(Asked)
def patch(
    asked: Asked,
    component: Annotated[
        Component, typer.Option(help="What to patch; z is one attention head, all positions.")
    ] = "mlp_out",
) -> None:
    """Which component, at which position, carries the difference between the prompts?"""
    from analysis.experiments.patching import patching

    subject = asked.load()
    with console.watched("patching") as progress:
        result = patching(subject, asked.pair(subject), progress)
    if component == "z":
        restored, broken = result.heads_restored, result.heads_broken
    else:
        index = result.components.index(component)
        restored, broken = result.restored[index], result.broken[index]
    console.emit(
        {
            "component": component,
            "tokens": result.clean_tokens,
            "recovery": restored,
            "broken": broken,
            "clean_diff": result.clean_diff,
            "corrupted_diff": result.corrupted_diff,
        },
        asked.as_json,
    )


@app.command()
@takes(Asked)
def sweep(
    asked: Asked,
    top: Annotated[int, typer.Option(min=1, help="How many neurons to print.")] = 20,
    positions: Annotated[
        Literal["last", "all"], typer.Option(help="Patch the last position, or all.")
    ] = "last",
    screen: Annotated[
        int, typer.Option(min=0, help="Measure only the K best by attribution; 0 measures all.")
    ] = 0,
    seed: Seed = 0,
) -> None:
    """How much of the difference does each neuron alone recover?"""
    from analysis.experiments.neuron_sweep import neuron_sweep, summary
    from analysis.question import held_out_pairs

    subject = asked.load()
    pair = asked.pair(subject)
    with console.watched("sweep") as progress:
        result = neuron_sweep(
            subject, pair, held_out_pairs(subject, pair), positions, screen, seed, progress
        )
    console.emit(summary(result, top), asked.as_json)


@app.command()
@takes(Asked)
def direct_effect(
    asked: Asked,
    neuron: NeuronName = None,
    seed: Seed = 0,
) -> None:
    """Which tokens does a neuron write, whatever the prompt?"""
    from analysis.experiments.direct_effect import direct_effect, summary

    subject = asked.load()
    chosen, contrast = asked.neuron(subject, neuron)
    console.emit(summary(direct_effect(subject, chosen, contrast, seed)), asked.as_json)


@app.command()
@takes(Asked)
def activations(
    asked: Asked,
    neuron: NeuronName = None,
    text: Annotated[str | None, typer.Option(help="Any text; else the clean prompt.")] = None,
) -> None:
    """On which tokens of a text is a neuron active?"""
    from analysis.experiments.activations import activations
    from analysis.question import CLEAN, make_prompt

    subject = asked.load()
    read = make_prompt(
        subject, next(t for t in (text, asked.clean, CLEAN) if t is not None), "text"
    )
    chosen, contrast = asked.neuron(subject, neuron)
    result = activations(subject, chosen, contrast, [read])
    console.emit(
        {
            "neuron": result.neuron,
            "tokens": result.tokens,
            "activations": result.activations,
            "p_target": result.p_target,
        },
        asked.as_json,
    )


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


def main() -> int:
    """Run the command line and return its exit code."""
    usage_error = typer.BadParameter.__mro__[1]
    return console.run(app, usage_error, UserError)


if __name__ == "__main__":
    sys.exit(main())
