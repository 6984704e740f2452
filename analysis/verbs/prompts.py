"""Verbs that ask about prompts: what comes next, where the answer appears, what carries it."""

from typing import Annotated, Any, Literal

import typer

from analysis import console
from analysis.asked import Asked, takes
from analysis.verbs.app import app

Component = Literal["resid_pre", "attn_out", "mlp_out", "z"]


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
