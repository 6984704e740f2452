"""The neuron's effect in pairs that did not choose it, and other pushes in its place."""

from collections.abc import Sequence
from contextlib import suppress

import numpy as np
import torch
from jaxtyping import Float

from analysis.engines.pushes import DRAWS, PUSHES, Answers, answers
from analysis.engines.splitting import Split, side
from analysis.errors import UserError
from analysis.experiments.composition.words import first_of, split_words
from analysis.neuron import Neuron
from analysis.progress import Progress
from analysis.prompts import PromptPair, check_gap
from analysis.subject import Subject


def confirm(
    subject: Subject,
    neuron: Neuron,
    held_out: Sequence[PromptPair],
    components: tuple[str, ...],
    progress: Progress,
) -> tuple[tuple[str, ...], dict[str, np.ndarray]]:
    """Names of the pairs, and the fields of the Result that are about them.

    Pairs whose two prompts the model does not tell apart are left out.
    """
    names: list[str] = []
    splits: tuple[list[Split], list[Split]] = ([], [])
    found: tuple[list[Answers], list[Answers]] = ([], [])
    for done, pair in enumerate(held_out):
        progress(done / len(held_out))
        clean, corrupted = (side(subject, p, neuron.layer) for p in (pair.clean, pair.corrupted))
        runs = (corrupted, clean), (clean, corrupted)
        with suppress(UserError):
            ours = [split_words(subject, *run, [neuron], pair.contrast) for run in runs]
            check_gap(ours[1].base, ours[0].base)
            first = first_of(pair.contrast)
            for direction, run in enumerate(runs):
                splits[direction].append(ours[direction])
                found[direction].append(answers(subject, *run, neuron, first))
            names.append(f"{pair.clean.text} / {pair.corrupted.text}")
    denoising, noising = splits
    return tuple(names), {
        "held_out_total": _column(denoising, "total"),
        "held_out_direct": _column(denoising, "direct"),
        "held_out_direct_unfrozen": _column(denoising, "direct_unfrozen"),
        "held_out_noising_total": -_column(noising, "total"),
        "held_out_noising_direct": -_column(noising, "direct"),
        **_pushed(found, neuron.layer + 1, components),
    }


def _column(splits: list[Split], name: str) -> Float[np.ndarray, " pair"]:
    return np.array([float(getattr(found, name)[0]) for found in splits], dtype=np.float32)


def _pushed(
    found: tuple[list[Answers], list[Answers]], first: int, components: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """Totals and components of all pushes, both ways; noising counts what the answer loses."""
    signed = [(sign, each) for sign, runs in zip((1, -1), found, strict=True) for each in runs]
    shape = 2, len(found[0]), len(PUSHES) + DRAWS
    totals = np.zeros(shape, np.float32)
    written = np.zeros((*shape, len(components)), np.float32)
    for place, (sign, each) in zip(np.ndindex(shape[:2]), signed, strict=True):
        totals[place] = sign * each.total.cpu().numpy()
        written[place] = sign * _of(each, first, components)
    cut = len(PUSHES)
    return {
        "pushed_total": totals[..., :cut],
        "random_total": totals[..., cut:],
        "pushed_components": written[..., :cut, :],
        "random_components": written[..., cut:, :],
    }


def _of(
    each: Answers, first: int, components: tuple[str, ...]
) -> Float[np.ndarray, "push component"]:
    """What the named heads and neurons write."""
    values: list[torch.Tensor] = []
    for name in components:
        kind, array = ("H", each.heads) if "H" in name else ("N", each.neurons)
        layer, number = map(int, name[1:].split(kind))
        values.append(array[:, layer - first, number])
    return torch.stack(values, -1).cpu().numpy() if values else np.zeros((len(each.total), 0))
