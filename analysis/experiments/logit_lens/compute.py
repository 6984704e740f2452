"""Experiment 2: where in the network does the answer appear?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from analysis.contrast import Contrast
from analysis.inputs import Inputs
from analysis.progress import Progress
from analysis.prompts import Prompt
from analysis.result import Result
from analysis.subject import Subject


@dataclass(frozen=True)
class LogitLens(Result):
    """The logit difference read off the residual stream after every half layer.

    Attributes:
        prompts: the texts.
        target: the token asked for.
        foil: the token it competes with.
        labels: ``0_pre`` (embedding), ``0_mid`` (after attention 0), ``1_pre`` (after MLP 0), ...,
            ``final_post`` (after the last MLP).
        logit_diff: logit(target) - logit(foil) of each reading, in logits.
        model_logit_diff: the model's own difference, which the last reading must equal.
    """

    prompts: tuple[str, ...]
    target: str
    foil: str
    labels: tuple[str, ...]
    logit_diff: Float[np.ndarray, "prompt half_layer"]
    model_logit_diff: Float[np.ndarray, " prompt"]


def run(subject: Subject, inputs: Inputs, _progress: Progress) -> LogitLens:
    """The lens on the question's prompts."""
    question = inputs.question
    return logit_lens(subject, question.prompts(subject), question.contrast(subject))


def summary(result: LogitLens) -> dict[str, Any]:
    """The curve of the first prompt, and of the second where there is one, in plain values."""
    answer: dict[str, Any] = {"labels": result.labels, **_curve(result, 0)}
    return answer | ({"corrupted": _curve(result, 1)} if len(result.logit_diff) > 1 else {})


def _curve(result: LogitLens, index: int) -> dict[str, Any]:
    names = ("logit_diff", "model_logit_diff")
    return {name: getattr(result, name)[index].tolist() for name in names}


def half_layers(n_layers: int) -> tuple[str, ...]:
    """Names of the points between half layers, first to last."""
    names = [f"{layer}_{point}" for layer in range(n_layers) for point in ("pre", "mid")]
    return (*names, "final_post")


def logit_lens(subject: Subject, prompts: Sequence[Prompt], contrast: Contrast) -> LogitLens:
    """Send every half layer's residual through the final norm and the folded unembedding.

    The final norm's bias counts (``b_U``), so the last reading is the model's own difference
    (nostalgebraist, "interpreting GPT: the logit lens", 2020). Where attention and MLP work in
    parallel, the point between them is the residual plus the attention's write.
    """
    readings, own = [], []
    for prompt in prompts:
        resid = _half_layer_residuals(subject, prompt)
        readings.append(contrast.read(subject, resid))
        logits = subject.logits(prompt.tokens)[-1]
        own.append(contrast.of(logits))
    return LogitLens(
        prompts=tuple(prompt.text for prompt in prompts),
        target=contrast.target,
        foil=contrast.foil,
        labels=half_layers(subject.n_layers),
        logit_diff=torch.stack(readings).cpu().numpy(),
        model_logit_diff=torch.stack(own).cpu().numpy(),
    )


def _half_layer_residuals(subject: Subject, prompt: Prompt) -> Float[Tensor, "half_layer d_model"]:
    cache = subject.cache(prompt.tokens, "hook_resid_pre", "hook_attn_out", "hook_mlp_out")
    last = {name: values[:, -1] for name, values in cache.items()}
    writes = torch.stack([last["hook_attn_out"], last["hook_mlp_out"]], 1).flatten(0, 1)
    return torch.cat([last["hook_resid_pre"][:1], writes]).cumsum(0)
