"""Verbs that ask about prompts: what comes next, where the answer appears, what carries it."""

from typing import Annotated, Literal

import typer

from analysis import console
from analysis.asked import Asked, takes
from analysis.verbs.app import app

Component = Literal["resid_pre", "attn_out", "mlp_out", "z"]


@app.command()
@takes(Asked)
def prompt(asked: Asked) -> None:
    """What does the model say next?"""
    from analysis.experiments.next_token import next_token, summary

    subject = asked.load()
    prompts, contrast = asked.prompts(subject)
    console.emit(summary(next_token(subject, prompts, contrast)), asked.as_json)


@app.command()
@takes(Asked)
def lens(asked: Asked) -> None:
    """After which half layer does the answer appear in the residual stream?"""
    from analysis.experiments.logit_lens import logit_lens, summary

    subject = asked.load()
    prompts, contrast = asked.prompts(subject)
    console.emit(summary(logit_lens(subject, prompts, contrast)), asked.as_json)


@app.command()
@takes(Asked)
def patch(
    asked: Asked,
    component: Annotated[
        Component, typer.Option(help="What to patch; z is one attention head, all positions.")
    ] = "mlp_out",
) -> None:
    """Which component, at which position, carries the difference between the prompts?"""
    from analysis.experiments.patching import patching, summary

    subject = asked.load()
    with console.watched("patching") as progress:
        result = patching(subject, asked.pair(subject), progress)
    console.emit(summary(result, component), asked.as_json)
