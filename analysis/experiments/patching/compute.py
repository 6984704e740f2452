"""Experiment 3: which component, at which position, carries the difference?"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from einops import einsum, rearrange
from jaxtyping import Float
from torch import Tensor

from analysis.engines.tail import Tail
from analysis.errors import UserError
from analysis.inputs import Inputs
from analysis.progress import Progress, part_of, silent
from analysis.prompts import Prompt, PromptPair, check_gap
from analysis.result import Result
from analysis.subject import Subject

COMPONENTS = ("resid_pre", "attn_out", "mlp_out")
LONGEST_SUFFIX = 200
"""Positions that are patched at most: their number squared bounds memory and time."""

HOOKS = (*(f"hook_{name}" for name in COMPONENTS), "hook_resid_post", "attn.hook_z")


@dataclass(frozen=True)
class Patching(Result):
    """Recovery when one component's output is taken from the other prompt.

    Attributes:
        clean: the clean prompt.
        corrupted: the corrupted prompt.
        target: the token asked for.
        foil: the token it competes with.
        clean_tokens: tokens of the clean prompt.
        corrupted_tokens: tokens of the corrupted prompt.
        start: first differing position; before it a patch changes nothing and recovery is 0.
        components: names along the first axis of ``restored`` and ``broken``.
        clean_diff: logit difference of the clean prompt.
        corrupted_diff: logit difference of the corrupted prompt.
        restored: clean output into the corrupted run (denoising):
            (patched - corrupted) / (clean - corrupted).
        broken: corrupted output into the clean run (noising):
            (clean - patched) / (clean - corrupted).
        heads_restored: the same for one attention head's ``z`` at all positions, denoising.
        heads_broken: the same, noising.
    """

    clean: str
    corrupted: str
    target: str
    foil: str
    clean_tokens: tuple[str, ...]
    corrupted_tokens: tuple[str, ...]
    start: int
    components: tuple[str, ...]
    clean_diff: float
    corrupted_diff: float
    restored: Float[np.ndarray, "component layer pos"]
    broken: Float[np.ndarray, "component layer pos"]
    heads_restored: Float[np.ndarray, "layer head"]
    heads_broken: Float[np.ndarray, "layer head"]


def run(subject: Subject, inputs: Inputs, progress: Progress) -> Patching:
    """Patching between the question's prompts."""
    return patching(subject, inputs.question.pair(subject), progress)


def summary(result: Patching, component: str = "mlp_out") -> dict[str, Any]:
    """What patching one component (``z`` for single heads), or each, recovers, in plain values."""
    if component == "all":
        return {name: summary(result, name) for name in (*result.components, "z")}
    if component == "z":
        restored, broken = result.heads_restored, result.heads_broken
    else:
        index = result.components.index(component)
        restored, broken = result.restored[index], result.broken[index]
    return {
        "component": component,
        "tokens": result.clean_tokens,
        "recovery": restored.tolist(),
        "broken": broken.tolist(),
        "clean_diff": result.clean_diff,
        "corrupted_diff": result.corrupted_diff,
    }


def patching(subject: Subject, pair: PromptPair, progress: Progress = silent) -> Patching:
    """Patch every (layer, position) of three components and every head, in both directions.

    Exact, by resuming the pass behind each patch (Heimersheim and Nanda, "How to use and interpret
    activation patching", 2024, for denoising against noising).

    Raises:
        UserError: the prompts do not differ in their logit difference, or differ too early.
    """
    _check_suffix(pair)
    clean, corrupted = (
        _Side(subject, prompt, pair.start) for prompt in (pair.clean, pair.corrupted)
    )
    clean_diff, corrupted_diff = (float(_diff(subject, pair, s.final)) for s in (clean, corrupted))
    gap = check_gap(clean_diff, corrupted_diff)
    maps = []
    for source, base, sign, begin in ((clean, corrupted, 1, 0.0), (corrupted, clean, -1, 0.5)):
        finals = _patched_finals(source, base, part_of(progress, begin, begin + 0.5))
        effect = _diff(subject, pair, finals) - _diff(subject, pair, base.final)
        maps.append((sign * effect / gap).cpu().numpy())
    restored, broken = (_split(subject, pair, rows) for rows in maps)
    return Patching(
        clean=pair.clean.text,
        corrupted=pair.corrupted.text,
        target=pair.contrast.target,
        foil=pair.contrast.foil,
        clean_tokens=pair.clean.strings,
        corrupted_tokens=pair.corrupted.strings,
        start=pair.start,
        components=COMPONENTS,
        clean_diff=clean_diff,
        corrupted_diff=corrupted_diff,
        restored=restored[0],
        broken=broken[0],
        heads_restored=restored[1],
        heads_broken=broken[1],
    )


def _check_suffix(pair: PromptPair) -> None:
    suffix = len(pair.clean.tokens) - pair.start
    if suffix > LONGEST_SUFFIX:
        raise UserError(
            f"From the first difference to the end there are {suffix} tokens, and every one would "
            f"be patched: bring the difference within {LONGEST_SUFFIX} tokens of the end."
        )


class _Side:
    """One prompt: its cached activations from the first changed position on, and its tail."""

    def __init__(self, subject: Subject, prompt: Prompt, start: int) -> None:
        self.subject = subject
        cache = subject.cache(prompt.tokens, *HOOKS)
        self.cache = {name: values[:, start:] for name, values in cache.items()}
        self.final = self.cache["hook_resid_post"][-1, -1]
        self.tail = Tail(subject, prompt.tokens, start)


def _diff(subject: Subject, pair: PromptPair, final: Tensor) -> Tensor:
    return pair.contrast.read(subject, final)


def _patched_finals(
    source: _Side, base: _Side, progress: Progress
) -> Float[Tensor, "layer patch d_model"]:
    """Final residuals of all patches: per layer the three components by position, then heads."""
    n_layers = base.subject.n_layers

    def entering(layer: int) -> Tensor:
        patches = []
        if layer > 0:
            patches.append(_patched_leaving(source, base, layer - 1))
        if layer < n_layers:
            delta = source.cache["hook_resid_pre"][layer] - base.cache["hook_resid_pre"][layer]
            patches.append(base.cache["hook_resid_pre"][layer] + _one_position(delta))
        return torch.cat(patches)

    finals = base.tail.finals(entering, progress)
    return rearrange(finals, "(layer patch) d_model -> layer patch d_model", layer=n_layers)


def _patched_leaving(
    source: _Side, base: _Side, layer: int
) -> Float[Tensor, "patch suffix d_model"]:
    """Residuals that leave a layer with attn_out or mlp_out patched by position, then heads."""
    delta = {name: source.cache[name][layer] - base.cache[name][layer] for name in HOOKS}
    family, scale = base.subject.family, base.subject.residual_scale
    attention = _one_position(delta["hook_attn_out"] / scale)
    entering = base.cache["hook_resid_pre"][layer]
    by_position = base.tail.attention_changed(layer, entering, attention, family.attn_written)
    after_mlp = base.cache["hook_resid_post"][layer] + _one_position(delta["hook_mlp_out"])
    heads = _head_writes(base.subject, delta, layer)
    by_head = base.tail.attention_changed(layer, entering, heads, family.attn_out)
    return torch.cat([by_position, after_mlp, by_head])


def _one_position(delta: Float[Tensor, "suffix d_model"]) -> Float[Tensor, "suffix suffix d_model"]:
    """Row p holds the change at position p and nothing elsewhere."""
    return torch.eye(len(delta), device=delta.device, dtype=delta.dtype)[..., None] * delta


def _head_writes(
    subject: Subject, delta: dict[str, Tensor], layer: int
) -> Float[Tensor, "head suffix d_model"]:
    """Change of each head's write when its ``z`` is exchanged."""
    W_O = subject.bridge.blocks[layer].attn.W_O.detach()  # noqa: N806
    z = rearrange(delta["attn.hook_z"], "pos (head d_head) -> pos head d_head", head=len(W_O))
    return einsum(z, W_O, "pos head d_head, head d_head d_model -> head pos d_model")


def _split(
    subject: Subject, pair: PromptPair, rows: Float[np.ndarray, "layer patch"]
) -> tuple[Float[np.ndarray, "component layer pos"], Float[np.ndarray, "layer head"]]:
    """Sort the patches of every layer into the maps, zeros before the first difference."""
    positions = len(pair.clean.tokens)
    suffix = positions - pair.start
    maps = np.zeros((len(COMPONENTS), subject.n_layers, positions), dtype=np.float32)
    cut = len(COMPONENTS) * suffix
    maps[:, :, pair.start :] = rearrange(
        rows[:, :cut], "layer (component pos) -> component layer pos", component=len(COMPONENTS)
    )
    return maps, rows[:, cut:]
