"""Chains of components: some patched, others held, and what reaches a neuron and the answer.

What is lost when a component is held at the value of its own run had run through it (Vig et al.,
"Investigating Gender Bias in Language Models Using Causal Mediation Analysis", 2020).
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from analysis.contrast import Contrast
from analysis.family import Family
from analysis.prompts import Prompt, PromptPair, check_gap
from analysis.subject import Subject


@dataclass(frozen=True)
class Patch:
    """A run in which one component has the other prompt's value, and some keep their own."""

    patched: str
    held: tuple[str, ...]


def patches(chain: Sequence[str]) -> tuple[Patch, ...]:
    """Each member of a chain patched: alone, with each later one held, and with all of them."""
    found: list[Patch] = []
    for place, name in enumerate(chain):
        later = chain[place + 1 :]
        held = [(), *((each,) for each in later), *([tuple(later)] if len(later) > 1 else [])]
        found += [Patch(name, each) for each in held]
    return tuple(found)


@dataclass(frozen=True)
class _Slot:
    """Where a head's ``z`` or a neuron's activation enters the weights that write it."""

    block: nn.Module
    kind: str
    columns: slice


def _slot(subject: Subject, name: str) -> _Slot:
    layer, kind, number = re.fullmatch(r"L(\d+)([HN])(\d+)", name).groups()  # type: ignore[union-attr]
    block = subject.blocks[int(layer)]
    if kind == "N":
        return _Slot(block, kind, slice(int(number), int(number) + 1))
    width = subject.bridge.blocks[int(layer)].attn.W_O[0].shape[0]
    columns = slice(int(number) * width, (int(number) + 1) * width)
    return _Slot(block, kind, columns)


@contextmanager
def _watched(
    family: Family, slot: _Slot, change: Callable[[Tensor], None], places: int | slice
) -> Iterator[None]:
    """Inside, the slot's columns at some positions can be read and overwritten."""

    def changed(entering: Tensor) -> Tensor:
        entering = entering.clone()
        change(entering[:, places, slot.columns])
        return entering

    watched = family.activations if slot.kind == "N" else family.heads
    with watched(slot.block, changed):
        yield


@torch.inference_mode()
def _run(
    subject: Subject,
    tokens: Sequence[int],
    rows: int,
    changes: Mapping[str, Callable[[Tensor], None]],
    places: int | slice = -1,
) -> Float[Tensor, "row d_vocab"]:
    """Logits at the last position of so many copies of a prompt, changed on their way."""
    with ExitStack() as stack:
        for name, change in changes.items():
            stack.enter_context(_watched(subject.family, _slot(subject, name), change, places))
        batch = subject.batch(tokens).expand(rows, -1)
        logits: Tensor = subject.model(batch, use_cache=False).logits[:, -1]
    return subject.finite(logits, "logits").float()


def _values(
    subject: Subject, prompt: Prompt, names: Sequence[str], places: int | slice = -1
) -> dict[str, Tensor]:
    """Each component's value at the last position, or at some."""
    values: dict[str, Tensor] = {}

    def reader(name: str) -> Callable[[Tensor], None]:
        return lambda seen: values.update({name: seen[0].clone()})

    _run(subject, prompt.tokens, 1, {name: reader(name) for name in names}, places)
    return values


def recovered_together(
    subject: Subject, pair: PromptPair, sets: Sequence[Sequence[str]]
) -> Float[Tensor, " set"]:
    """Recovery of heads and neurons patched together at all positions, clean into corrupted.

    Each keeps its clean value, whatever the earlier ones of its set would have made of it.

    Args:
        subject: the model.
        pair: the question.
        sets: components, named as in ``L23H0`` and ``L25N1527``.

    Raises:
        UserError: the prompts do not differ in their logit difference.
    """
    names = list(dict.fromkeys(name for each in sets for name in each))
    clean = _values(subject, pair.clean, names, slice(None))

    def writer(name: str) -> Callable[[Tensor], None]:
        rows = [row for row, each in enumerate(sets, 1) if name in each]

        def write(entering: Tensor) -> None:
            entering[rows] = clean[name]

        return write

    writers, rows = {name: writer(name) for name in names}, 1 + len(sets)
    patched = _run(subject, pair.corrupted.tokens, rows, writers, slice(None))
    logits = torch.cat([_run(subject, pair.clean.tokens, 1, {}), patched])
    clean_diff, corrupted_diff, *_ = diffs = pair.contrast.of(logits)
    return (diffs[2:] - corrupted_diff) / check_gap(float(clean_diff), float(corrupted_diff))


@dataclass(frozen=True)
class Mediation:
    """What patching along a chain does to one prompt, at its last position.

    Attributes:
        base: activation of the chain's last member, and logit difference, of the untouched run.
        activation: the same activation for each of ``patches(chain)``.
        answer: the same logit difference.
    """

    base: tuple[float, float]
    activation: Float[Tensor, " patch"]
    answer: Float[Tensor, " patch"]


def mediate(subject: Subject, pair: PromptPair, chain: Sequence[str]) -> tuple[Mediation, ...]:
    """Patch the members of a chain, others held: denoising (corrupted run) and noising (clean run).

    Args:
        subject: the model.
        pair: two prompts; what is patched has the other prompt's value, what is held its own.
        chain: heads and neurons, named as in ``L23H0`` and ``L25N1527``; the last is a neuron.
    """
    clean, corrupted = (_values(subject, prompt, chain) for prompt in (pair.clean, pair.corrupted))
    return (
        _patched(subject, pair.corrupted, chain, (corrupted, clean), pair.contrast),
        _patched(subject, pair.clean, chain, (clean, corrupted), pair.contrast),
    )


def _patched(
    subject: Subject,
    base: Prompt,
    chain: Sequence[str],
    values: tuple[Mapping[str, Tensor], Mapping[str, Tensor]],
    contrast: Contrast,
) -> Mediation:
    """All patches of one prompt in one batch, whose first row is untouched."""
    (own, others), wanted = values, patches(chain)
    seen: list[Tensor] = []

    def writer(name: str) -> Callable[[Tensor], None]:
        def write(entering: Tensor) -> None:
            for row, patch in enumerate(wanted, 1):
                if name == patch.patched:
                    entering[row] = others[name]
                elif name in patch.held:
                    entering[row] = own[name]
            if name == chain[-1]:
                seen.append(entering[:, 0].float())

        return write

    rows = 1 + len(wanted)
    logits = _run(subject, base.tokens, rows, {name: writer(name) for name in chain})
    answer = contrast.of(logits)
    activation = seen[0].clone()
    return Mediation((float(activation[0]), float(answer[0])), activation[1:], answer[1:])
