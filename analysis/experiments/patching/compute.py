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
from analysis.prompts import Prompt, PromptPair, check_gap, going_on
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
    activation patching", 2024, for denoising against noising). Where target or foil is several
    tokens long, positions of the prompt are patched, and what it has to go on with is computed
    again, once for each text.

    Raises:
        UserError: the prompts do not differ in their logit difference, or differ too early.
    """
    _check_suffix(pair)
    clean, corrupted = (_sides(subject, pair, prompt) for prompt in (pair.clean, pair.corrupted))
    clean_diff, corrupted_diff = (
        float(_diff(subject, pair, [side.final for side in sides])) for sides in (clean, corrupted)
    )
    gap = check_gap(clean_diff, corrupted_diff)
    restored = _effects(clean, corrupted, pair, part_of(progress, 0.0, 0.5)) / gap
    broken = -_effects(corrupted, clean, pair, part_of(progress, 0.5, 1.0)) / gap
    return _sorted(subject, pair, (clean_diff, corrupted_diff), (restored, broken))


def _effects(
    sources: "list[_Side]", bases: "list[_Side]", pair: PromptPair, progress: Progress
) -> Float[Tensor, "layer patch"]:
    """What all patches change, in logits."""
    subject, many = bases[0].subject, len(bases)
    finals = [
        _patched_finals(source, base, part_of(progress, i / many, (i + 1) / many))
        for i, (source, base) in enumerate(zip(sources, bases, strict=True))
    ]
    return _diff(subject, pair, finals) - _diff(subject, pair, [base.final for base in bases])


def _sorted(
    subject: Subject,
    pair: PromptPair,
    diffs: tuple[float, float],
    maps: tuple[Float[Tensor, "layer patch"], Float[Tensor, "layer patch"]],
) -> Patching:
    """The result of the maps of both directions."""
    restored, broken = (_split(subject, pair, rows.cpu().numpy()) for rows in maps)
    return Patching(
        clean=pair.clean.text,
        corrupted=pair.corrupted.text,
        target=pair.contrast.target,
        foil=pair.contrast.foil,
        clean_tokens=pair.clean.strings,
        corrupted_tokens=pair.corrupted.strings,
        start=pair.start,
        components=COMPONENTS,
        clean_diff=diffs[0],
        corrupted_diff=diffs[1],
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
    """One prompt with a text behind it: its tail, and its cache from the first changed position on.

    Attributes:
        forced: how many tokens the text has, at which nothing is patched.
        final: final residual at the places that are read.
    """

    def __init__(self, subject: Subject, tokens: tuple[int, ...], start: int, places: int) -> None:
        self.subject, self.forced = subject, places - 1
        cache = subject.cache(tokens, *HOOKS)
        self.cache = {name: values[:, start:] for name, values in cache.items()}
        self.final = self.cache["hook_resid_post"][-1, -places:]
        self.tail = Tail(subject, tokens, start, places)

    def changes(self, source: "_Side", name: str, layer: int) -> Float[Tensor, "pos _"]:
        """What the other prompt has more at the prompt's own positions."""
        delta = source.cache[name][layer] - self.cache[name][layer]
        delta[len(delta) - self.forced :] = 0
        return delta

    def one_position(self, delta: Float[Tensor, "pos d_model"]) -> Float[Tensor, "own pos d_model"]:
        """Row p holds the change at position p and nothing elsewhere."""
        rows = torch.eye(len(delta), device=delta.device, dtype=delta.dtype)
        return rows[: len(delta) - self.forced, :, None] * delta


def _sides(subject: Subject, pair: PromptPair, prompt: Prompt) -> list[_Side]:
    """The prompt with each text that it has to go on with."""
    texts = going_on(subject, prompt, pair.contrast)
    return [
        _Side(subject, tokens, pair.start, each.places)
        for tokens, each in zip(texts, pair.contrast.passes, strict=True)
    ]


def _diff(
    subject: Subject, pair: PromptPair, finals: list[Float[Tensor, "*patch _place d_model"]]
) -> Float[Tensor, "*patch"]:
    return pair.contrast.read_forced(subject, finals)


def _patched_finals(
    source: _Side, base: _Side, progress: Progress
) -> Float[Tensor, "layer patch place d_model"]:
    """Final residuals of all patches: per layer the three components by position, then heads."""
    n_layers = base.subject.n_layers

    def entering(layer: int) -> Tensor:
        patches = []
        if layer > 0:
            patches.append(_patched_leaving(source, base, layer - 1))
        if layer < n_layers:
            delta = base.changes(source, "hook_resid_pre", layer)
            patches.append(base.cache["hook_resid_pre"][layer] + base.one_position(delta))
        return torch.cat(patches)

    finals = base.tail.ends(entering, progress)
    return rearrange(finals, "(layer patch) place d -> layer patch place d", layer=n_layers)


def _patched_leaving(source: _Side, base: _Side, layer: int) -> Float[Tensor, "patch pos d_model"]:
    """Residuals that leave a layer with attn_out or mlp_out patched by position, then heads."""
    delta = {name: base.changes(source, name, layer) for name in HOOKS}
    family, scale = base.subject.family, base.subject.residual_scale
    attention = base.one_position(delta["hook_attn_out"] / scale)
    entering = base.cache["hook_resid_pre"][layer]
    by_position = base.tail.attention_changed(layer, entering, attention, family.attn_written)
    after_mlp = base.cache["hook_resid_post"][layer] + base.one_position(delta["hook_mlp_out"])
    heads = _head_writes(base.subject, delta, layer)
    by_head = base.tail.attention_changed(layer, entering, heads, family.attn_out)
    return torch.cat([by_position, after_mlp, by_head])


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
