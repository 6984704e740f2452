"""Experiment 11: how much of a neuron's effect is direct, and what later components make of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from analysis.contrast import Contrast
from analysis.engines.controls import matched_neurons
from analysis.engines.pushes import PUSHES
from analysis.engines.splitting import Later, Side, side
from analysis.experiments.composition.held_out import confirm
from analysis.experiments.composition.words import WordSplit, split_words
from analysis.inputs import Inputs
from analysis.neuron import Neuron
from analysis.numbers.estimates import Estimate, ratio
from analysis.progress import Progress, part_of, silent
from analysis.prompts import PromptPair, check_gap
from analysis.result import Result
from analysis.subject import Subject

CONTROLS = 20
"""Neurons of the same layer, the nearest in activation, that are split beside the neuron."""

FOLLOWED = 10
"""How many of the largest later heads and neurons are followed on held-out pairs."""


def _nothing() -> Float[np.ndarray, " direction"]:
    return np.zeros(2, np.float32)


@dataclass(frozen=True)
class Composition(Result):
    """What patching one neuron at the last position does, split by the ways it takes to the logits.

    All effects are in logits of target minus foil. Arrays with an axis ``direction`` hold denoising
    (the clean activation in the corrupted run) and noising (the corrupted activation in the clean
    run, with the opposite sign, so that both say what the neuron does for the clean answer).
    Axis ``later`` counts the layers behind the neuron's; it is empty for the last layer. What a
    component writes is read with every norm that it comes through frozen at the unpatched run's
    scale, so that ``total = direct + heads_full + neurons_full + post_norms + norm + cap + behind``
    (sums), exactly. Of words of several tokens all but the totals and ``behind`` are of the choice
    between their first tokens.

    Attributes:
        neuron: its name.
        clean, corrupted: the prompts.
        target, foil: the token asked for, and the one it competes with.
        clean_diff, corrupted_diff: logit differences of the prompts.
        delta: patched minus unpatched activation of the neuron at the last position.
        total: change of the logit difference with everything downstream recomputed.
        direct: the change that the neuron's own write makes in the final residual, norm frozen;
            where a norm stands behind its MLP, that norm is computed anew.
        direct_unfrozen: the same with the final norm recomputed.
        norm: what the change of the final norm's scale does in the full patched run.
        post_norms: what the changed scales of later norms behind attention and MLPs do (Gemma).
        cap: what the cap on the logits makes of the whole (Gemma 2).
        behind: what patching changes of the tokens behind the first, in the full patched run.
        heads_alone: of each later head, if it alone reads the change, and writes to the end alone.
        heads_full: what each later head writes differently in the full patched run.
        neurons_alone, neurons_full: both of each later neuron; alone, its whole MLP reads it.
        controls: neurons of the same layer, the nearest in activation on the two prompts.
        norms: root mean square of the activation at the prompts' ends: the neuron's, then theirs.
        control_delta, control_total, control_direct: the same of them as of the neuron.
        components: the later heads and neurons with the largest ``full`` in size, denoising.
        held_out: prompt pairs that took no part in choosing the neuron, as "clean / corrupted".
        held_out_total: total of the neuron there, denoising.
        held_out_direct: its direct effect there, norm frozen.
        held_out_direct_unfrozen: the same with the norm recomputed.
        held_out_noising_total, held_out_noising_direct: both by noising.
        pushed_total: total of the pushes in the neuron's place there, ``PUSHES``: its write, its
            unembedding part, and the rest; of words the change of the first tokens' difference.
        pushed_components: what each of ``components`` then writes differently in the full run.
        random_total: those of random directions as long, with no part along the difference.
        random_components: what each of ``components`` then writes differently.
        first_tokens: those of target and foil, as text, where one has several; else empty.
    """

    rounded = ("neurons_alone", "neurons_full", "random_components")

    neuron: str
    clean: str
    corrupted: str
    target: str
    foil: str
    clean_diff: float
    corrupted_diff: float
    delta: Float[np.ndarray, " direction"]
    total: Float[np.ndarray, " direction"]
    direct: Float[np.ndarray, " direction"]
    direct_unfrozen: Float[np.ndarray, " direction"]
    norm: Float[np.ndarray, " direction"]
    heads_alone: Float[np.ndarray, "direction later head"]
    heads_full: Float[np.ndarray, "direction later head"]
    neurons_alone: Float[np.ndarray, "direction later d_mlp"]
    neurons_full: Float[np.ndarray, "direction later d_mlp"]
    controls: tuple[str, ...]
    norms: Float[np.ndarray, " neuron"]
    control_delta: Float[np.ndarray, "direction control"]
    control_total: Float[np.ndarray, "direction control"]
    control_direct: Float[np.ndarray, "direction control"]
    components: tuple[str, ...]
    held_out: tuple[str, ...]
    held_out_total: Float[np.ndarray, " pair"]
    held_out_direct: Float[np.ndarray, " pair"]
    held_out_direct_unfrozen: Float[np.ndarray, " pair"]
    held_out_noising_total: Float[np.ndarray, " pair"]
    held_out_noising_direct: Float[np.ndarray, " pair"]
    pushed_total: Float[np.ndarray, "direction pair push"]
    pushed_components: Float[np.ndarray, "direction pair push part"]
    random_total: Float[np.ndarray, "direction pair draw"]
    random_components: Float[np.ndarray, "direction pair draw part"]
    post_norms: Float[np.ndarray, " direction"] = field(default_factory=_nothing)
    cap: Float[np.ndarray, " direction"] = field(default_factory=_nothing)
    behind: Float[np.ndarray, " direction"] = field(default_factory=_nothing)
    first_tokens: tuple[str, ...] = ()

    @property
    def held_out_components(self) -> Float[np.ndarray, "pair part"]:
        """What each of ``components`` writes differently on held-out pairs, denoising."""
        return self.pushed_components[0, :, PUSHES.index("write")]

    @property
    def held_out_noising_share(self) -> Estimate:
        """Of the total that is direct, by noising, over all held-out pairs, sums over sums."""
        return ratio(self.held_out_noising_direct, self.held_out_noising_total)

    @property
    def first_later(self) -> int:
        """Number of the first layer behind the neuron's."""
        return int(self.neuron[1:].split("N")[0]) + 1

    def alone(self, direction: int = 0) -> Later:
        """The single path through each later head and neuron."""
        return Later(self.first_later, self.heads_alone[direction], self.neurons_alone[direction])

    def full(self, direction: int = 0) -> Later:
        """What each later head and neuron writes differently in the full patched run."""
        return Later(self.first_later, self.heads_full[direction], self.neurons_full[direction])

    @property
    def indirect(self) -> Float[np.ndarray, " direction"]:
        """Total minus the direct effect with the norm frozen."""
        return self.total - self.direct

    @property
    def single_paths(self) -> Float[np.ndarray, " direction"]:
        """Sum of the single paths through every later head and MLP."""
        return self.heads_alone.sum((1, 2)) + self.neurons_alone.sum((1, 2))

    @property
    def remainder(self) -> Float[np.ndarray, " direction"]:
        """Total less direct effect, single paths and ``behind``: longer paths, norms and a cap."""
        return self.indirect - self.single_paths - self.behind

    @property
    def longer(self) -> Float[np.ndarray, " direction"]:
        """What later components write differently because other later components changed too."""
        return self.remainder - self.norm - self.post_norms - self.cap


def composition(
    subject: Subject,
    neuron: Neuron,
    pair: PromptPair,
    held_out: Sequence[PromptPair] = (),
    controls: int = CONTROLS,
    progress: Progress = silent,
) -> Composition:
    """Split a neuron's effect into its direct part and what each later component adds or cancels.

    Two splits, both exact forward passes. *Alone*: path patching of one component at a time. *In
    the full run*: all downstream recomputed, and each component's changed write read off in the
    final residual (direct logit attribution of the change), which sums to the total.

    Raises:
        UserError: the prompts do not differ in their logit difference.
        UnsuitedError: target and foil are words that begin with the same token.
    """
    others = matched_neurons(subject, neuron, [pair.clean, pair.corrupted], controls)
    sides = [side(subject, prompt, neuron.layer) for prompt in (pair.clean, pair.corrupted)]
    splits = _both_directions(subject, sides, [neuron, *others], pair.contrast)
    check_gap(splits[1].base, splits[0].base)
    own = {name: _by_direction(splits, name)[:, 0] for name in _SPLIT}
    first = neuron.layer + 1
    components = Later(first, own["heads_full"][0], own["neurons_full"][0]).largest(FOLLOWED)
    names, confirmed = confirm(subject, neuron, held_out, components, part_of(progress, 0.2, 1.0))
    progress(1.0)
    return Composition(
        neuron=str(neuron),
        clean=pair.clean.text,
        corrupted=pair.corrupted.text,
        target=pair.contrast.target,
        foil=pair.contrast.foil,
        clean_diff=splits[1].base,
        corrupted_diff=splits[0].base,
        **own,
        controls=tuple(map(str, others)),
        norms=_norms(sides, [neuron, *others]),
        control_delta=_by_direction(splits, "delta")[:, 1:],
        control_total=_by_direction(splits, "total")[:, 1:],
        control_direct=_by_direction(splits, "direct")[:, 1:],
        components=components,
        held_out=names,
        first_tokens=_first_tokens(subject, pair),
        **confirmed,
    )


def _first_tokens(subject: Subject, pair: PromptPair) -> tuple[str, ...]:
    words = pair.contrast.words if pair.contrast.is_long else ()
    return tuple(subject.string(ids[0]) for ids in words)


_SPLIT = (
    "delta", "total", "direct", "direct_unfrozen", "norm", "post_norms", "cap", "behind",
    "heads_alone", "heads_full", "neurons_alone", "neurons_full",
)  # fmt: skip


def _norms(sides: Sequence[Side], neurons: list[Neuron]) -> Float[np.ndarray, " neuron"]:
    """Root mean square of each neuron's activation at the ends of the prompts."""
    ends = torch.stack([each.activations for each in sides])[:, [n.number for n in neurons]]
    return ends.float().square().mean(0).sqrt().cpu().numpy()


def _both_directions(
    subject: Subject, sides: Sequence[Side], neurons: list[Neuron], contrast: Contrast
) -> tuple[WordSplit, WordSplit]:
    """Denoising (clean into corrupted) and noising (corrupted into clean)."""
    clean, corrupted = sides
    return (
        split_words(subject, corrupted, clean, neurons, contrast),
        split_words(subject, clean, corrupted, neurons, contrast),
    )


def _by_direction(
    splits: tuple[WordSplit, WordSplit], name: str
) -> Float[np.ndarray, "direction neuron *rest"]:
    """One quantity of both ways; effects of noising count what the clean answer loses."""
    denoising, noising = (getattr(s, name).cpu().numpy() for s in splits)
    return np.stack([denoising, noising if name == "delta" else -noising])


def run(subject: Subject, inputs: Inputs, progress: Progress) -> Composition:
    """How the neuron's effect reaches the logits, in the pair and in the held-out pairs."""
    question = inputs.question
    held_out = question.held_out_pairs(subject, inputs["held_out"])
    pair = question.pair(subject)
    return composition(subject, inputs.neuron, pair, held_out, progress=progress)


def summary(composed: Composition, top: int = 20) -> dict[str, Any]:
    """The split in plain values, largest single path (``effect``) first; its rest is remainder."""
    alone, full = composed.alone(), composed.full()
    return {
        "neuron": composed.neuron,
        "target": composed.target,
        "foil": composed.foil,
        "clean_diff": composed.clean_diff,
        "corrupted_diff": composed.corrupted_diff,
        **_plain(composed, 0),
        "noising": _plain(composed, 1),
        "by_component": _rows(alone.component_names, alone.components, full.components),
        "neurons": _rows(alone.neuron_names, alone.neurons.ravel(), full.neurons.ravel(), top),
        "controls": _controls(composed),
        "held_out_pairs": len(composed.held_out),
        "held_out_noising": {
            "share": composed.held_out_noising_share.mean,
            "interval": composed.held_out_noising_share[1:],
        },
        "held_out": [
            {"name": name, "share": share, "interval": interval}
            for name, (share, interval) in held_out_shares(composed).items()
        ],
        "pushes": _pushes(composed),
    }


def _pushes(composed: Composition) -> list[dict[str, Any]]:
    """Mean answer of each component to each push, denoising, and its mean size to random ones."""
    if not composed.held_out:
        return []
    means = composed.pushed_components[0].mean(0)
    sizes = np.abs(composed.random_components[0]).mean((0, 1))
    return [
        {"name": name, **dict(zip(PUSHES, mean.tolist(), strict=True)), "random": float(size)}
        for name, mean, size in zip(composed.components, means.T, sizes, strict=True)
    ]


def _controls(composed: Composition) -> list[dict[str, Any]]:
    columns = (composed.control_delta, composed.control_total, composed.control_direct)
    rows = zip(composed.controls, *(column[0].tolist() for column in columns), strict=True)
    return [dict(zip(("neuron", "delta", "total", "direct"), row, strict=True)) for row in rows]


def _plain(composed: Composition, direction: int) -> dict[str, float]:
    names = ("delta", "total", "direct", "direct_unfrozen", "indirect", "single_paths")
    rest = ("remainder", "longer", "norm", "post_norms", "cap", "behind")
    return {name: float(getattr(composed, name)[direction]) for name in (*names, *rest)}


def _rows(
    names: list[str], alone: np.ndarray, full: np.ndarray, top: int | None = None
) -> list[dict[str, Any]]:
    order = np.argsort(-np.abs(alone), kind="stable")[:top]
    return [
        {"name": names[i], "effect": float(alone[i]), "in_full_run": float(full[i])} for i in order
    ]


def held_out_shares(
    composed: Composition, of: str = "total"
) -> dict[str, tuple[float, tuple[float, float]]]:
    """Shares over all held-out pairs, sums over sums, 95 % intervals; NaN where sums are zero."""
    totals = getattr(composed, f"held_out_{of}")
    columns = {
        "direct": composed.held_out_direct,
        "direct_unfrozen": composed.held_out_direct_unfrozen,
        **dict(zip(composed.components, composed.held_out_components.T, strict=True)),
    }
    found = {name: ratio(values, totals) for name, values in columns.items()}
    return {name: (each.mean, (each.low, each.high)) for name, each in found.items()}
