"""Experiment 19: which words have a neuron?"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import fields, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from analysis import corpus
from analysis.contrast import Contrast
from analysis.criteria import GAP, MOST
from analysis.engines.attribution import attribute_neurons
from analysis.engines.patcher import NeuronPatcher
from analysis.errors import UnsuitedError, UserError
from analysis.experiments.library.chance import Order, alone, chance
from analysis.experiments.library.in_news import in_news
from analysis.experiments.library.measured import BEST, SECOND, SIZES, Library, counted, one
from analysis.inputs import Inputs
from analysis.linearity import check_comparable, frozen
from analysis.neuron import Neuron
from analysis.progress import Progress, part_of, silent
from analysis.prompts import PromptPair
from analysis.questions import Question
from analysis.subject import Subject

CHOOSING = 12
"""Pairs that choose together where there are twice as many: half of them where there are fewer."""

FEWEST = 6
"""Pairs told apart without which there is no question: three choose and three confirm."""


def run(subject: Subject, inputs: Inputs, progress: Progress = silent) -> Library:
    """The row of one question."""
    question, share = inputs.question, 0.5 if inputs["documents"] else 1.0
    pairs = (question.pair(subject), *question.other_pairs(subject))
    screen, held_out, seed = (inputs[name] for name in ("screen", "held_out", "seed"))
    part = part_of(progress, 0.0, share)
    found = library_row(subject, pairs, screen, held_out, seed, part)
    row = replace(found, questions=(question.key,), titles=(question.label,))
    return read_in_news(subject, [(row, inputs)], part_of(progress, share, 1.0))[0]


def read_in_news(
    subject: Subject, rows: Sequence[tuple[Library, Inputs]], progress: Progress = silent
) -> list[Library]:
    """The rows with precision and recall on news, each with what it was asked.

    They are the same whichever rows are read together; articles and seed are those of the first.
    """
    _, first = rows[0]
    if not first["documents"]:
        return [row for row, _ in rows]
    contrasts = [_contrasts(subject, given.question) for _, given in rows]
    texts = corpus.sample(first["documents"], first["seed"])
    return in_news(subject, [row for row, _ in rows], contrasts, texts, progress)


def _contrasts(subject: Subject, question: Question) -> tuple[Contrast, ...]:
    """Those of all pairs."""
    pairs = (question.pair(subject), *question.other_pairs(subject))
    return tuple(dict.fromkeys(pair.contrast for pair in pairs))


def library_row(
    subject: Subject,
    pairs: Sequence[PromptPair],
    screen: int = 64,
    confirming: int = 20,
    seed: int = 0,
    progress: Progress = silent,
) -> Library:
    """The best single neuron for many pairs of prompts, and how many neurons take half.

    Only pairs that the model tells apart are used: the first half of them chooses, at most
    ``CHOOSING``, and the others confirm.

    Args:
        subject: the model.
        pairs: of prompts, the question's own first.
        screen: how many neurons are patched, those that attribution, averaged over the pairs that
            choose, ranks highest.
        confirming: how many pairs confirm, at most.
        seed: of the controls.
        progress: told the finished fraction.

    Raises:
        UserError: there are too few pairs to choose on some and confirm on others.
    """
    if len(pairs) < FEWEST:
        raise UserError(
            f"It has {len(pairs)} pairs that {subject.origin.name} can read, and {FEWEST} are"
            " needed: some choose a neuron, and the others confirm it."
        )
    gaps, patchers = _told_apart(subject, pairs, part_of(progress, 0.0, 0.3))
    row = counted(subject, pairs[0].contrast, screen, gaps, len(patchers))
    if len(patchers) < max(FEWEST, MOST * len(pairs)):
        return row
    many = min(CHOOSING, (len(patchers) + 1) // 2)
    choosing, others = patchers[:many], patchers[many : many + confirming]
    estimates = _attributions(choosing)
    order, found = _ordered(choosing, estimates, screen, part_of(progress, 0.3, 0.5))
    measured = _confirmed(others, order, part_of(progress, 0.5, 0.9))
    best, second = (Neuron(*divmod(int(n), subject.d_mlp)) for n in order[:2])
    sign = 1 if sum(float(each.delta[best.layer, 0, best.number]) for each in choosing) >= 0 else -1
    progress(1.0)
    return replace(
        row,
        chosen_on=one(many),
        best=(str(best),),
        second=(str(second),),
        chosen=found[:2][None],
        sign=one(sign),
        target_rank=one(_target_rank(subject, best, sign, patchers)),
        **measured,
        **chance(estimates, int(order[0]), others, screen, seed),
    )


def _told_apart(
    subject: Subject, pairs: Sequence[PromptPair], progress: Progress
) -> tuple[Float[np.ndarray, " pair"], list[NeuronPatcher]]:
    """The gaps of all pairs, and patchers of those that the model tells apart, the right way."""
    gaps, patchers = np.zeros(len(pairs), np.float32), []
    for place, pair in enumerate(pairs):
        with suppress(UserError):  # the very same answer: a gap of nothing
            patcher = NeuronPatcher(subject, pair)
            gaps[place] = patcher.gap
            if patcher.gap >= GAP:
                patchers.append(patcher)
        progress((place + 1) / len(pairs))
    return gaps, patchers


def _attributions(choosing: Sequence[NeuronPatcher]) -> Float[Tensor, "pair neuron"]:
    """The first-order estimate of every neuron's effect on every pair, in logits."""
    return torch.stack(
        [
            attribute_neurons(each.subject, each.pair, each.delta, each.start).flatten()
            for each in choosing
        ]
    )


def _ordered(
    choosing: Sequence[NeuronPatcher],
    estimates: Float[Tensor, "pair neuron"],
    screen: int,
    progress: Progress,
) -> tuple[Order, Float[np.ndarray, " measured"]]:
    """Neurons by what they recover: those of the screen as measured, then by the estimate.

    Returns:
        So many as the largest set has, and the recoveries of those that were measured.
    """
    likely = estimates.sum(0).argsort(descending=True, stable=True)
    screened = likely[:screen]
    effects = torch.stack(
        [
            alone(each, screened, part_of(progress, i / len(choosing), (i + 1) / len(choosing)))
            for i, each in enumerate(choosing)
        ]
    )
    found = effects.sum(0) / sum(each.gap for each in choosing)
    best = found.argsort(descending=True, stable=True)
    order = torch.cat([screened[best], likely[screen:]])
    return order[: max(SIZES)], found[best].float().cpu().numpy()


def _confirmed(others: Sequence[NeuronPatcher], order: Order, progress: Progress) -> dict[str, Any]:
    """The first two neurons alone, and sets of the first, on pairs that chose none of them."""
    singles, sets = [], []
    for done, patcher in enumerate(others, 1):
        singles.append(alone(patcher, order[[BEST, SECOND]]))
        sets.append(patcher.set_effects(_firsts(order, patcher)))
        progress(done / len(others))
    return {
        "gaps": np.array([[each.gap for each in others]], np.float32),
        "effects": torch.stack(singles, 1).float().cpu().numpy()[None],
        "sets": torch.stack(sets, 1).float().cpu().numpy()[None],
    }


def _firsts(order: Order, patcher: NeuronPatcher) -> Bool[Tensor, "size layer d_mlp"]:
    """Sets of the first so many neurons."""
    shape = patcher.subject.n_layers, patcher.subject.d_mlp
    sizes = [size for size in SIZES if size <= shape[0] * shape[1]]
    sets = torch.zeros(len(sizes), shape[0] * shape[1], dtype=torch.bool, device=order.device)
    for row, size in zip(sets, sizes, strict=True):
        row[order[:size]] = True
    return sets.view(-1, *shape)


@torch.inference_mode()
def _target_rank(
    subject: Subject, neuron: Neuron, sign: int, patchers: Sequence[NeuronPatcher]
) -> int:
    """Rank of the target among the tokens that the neuron writes; the median of several targets."""
    subject = frozen(subject, patchers[0].pair.clean)
    with suppress(UnsuitedError):
        check_comparable(subject)
        logits = sign * (subject.write(neuron) @ subject.W_U).float()
        targets = {each.pair.contrast.target_id for each in patchers}
        ranks = sorted(1 + int((logits > logits[target]).sum()) for target in targets)
        return ranks[(len(ranks) - 1) // 2]
    return 0


def together(rows: Sequence[Library], missing: Mapping[str, str]) -> Library:
    """Rows of several questions to one model under each other, and those that it cannot be asked.

    Args:
        rows: at least one, all with the same options.
        missing: names of questions, each with the reason.
    """
    width = max(row.gaps.shape[1] for row in rows)
    joined: dict[str, Any] = {}
    for field in fields(Library):
        values = [getattr(row, field.name) for row in rows]
        if field.name in ("gaps", "effects", "sets"):
            values = [_widened(value, width) for value in values]
        if isinstance(values[0], np.ndarray) and field.name != "sizes":
            joined[field.name] = np.concatenate(values)
        elif isinstance(values[0], tuple):
            joined[field.name] = tuple(item for value in values for item in value)
    joined |= {"missing": tuple(missing), "reasons": tuple(missing.values())}
    return replace(rows[0], **joined)


def _widened(values: np.ndarray, width: int) -> np.ndarray:
    """With NaN for the pairs that another question has more."""
    spare = [(0, 0)] * (values.ndim - 1) + [(0, width - values.shape[-1])]
    return np.pad(values, spare, constant_values=np.nan)


def summary(result: Library) -> dict[str, Any]:
    """A row of plain values a question, and the questions that cannot be asked."""
    missing = zip(result.missing, result.reasons, strict=True)
    return {
        "model": result.model,
        "n_neurons": result.neurons,
        "screen": result.screen,
        "documents": result.documents,
        "questions": [_row(result, i) for i in range(len(result.questions))],
        "missing": [{"name": name, "reason": reason} for name, reason in missing],
    }


def _row(result: Library, i: int) -> dict[str, Any]:
    """One question; a number that it does not have is left out."""
    row = {
        "name": result.questions[i],
        "title": result.titles[i],
        "target": result.targets[i],
        "foil": result.foils[i],
        "pairs": int(result.pairs[i]),
        "told_apart": int(result.told_apart[i]),
        "gap": float(result.gap[i]),
    }
    if not result.measured[i]:
        return row
    recovery, lead, needed = result.recovery(i), result.lead(i), result.needed(i)
    return row | {
        "chosen_on": int(result.chosen_on[i]),
        "confirmed_on": int(result.confirmed_on[i]),
        "neuron": result.best[i],
        "recovery_where_chosen": float(result.chosen[i, BEST]),
        "recovery": recovery.mean,
        "recovery_interval": recovery[1:],
        "second": result.second[i],
        "second_recovery": result.recovery(i, SECOND).mean,
        "lead": lead.mean,
        "lead_interval": lead[1:],
        "target_rank": int(result.target_rank[i]) or None,
        "neurons_for_half": needed.size or None,
        "neurons_for_half_interval": (needed.low or None, needed.high or None),
        "shuffled_largest": float(result.shuffled[i].max()),
        "random_largest": float(result.random[i].max()),
        **_news(result, i),
    }


def _news(result: Library, i: int) -> dict[str, Any]:
    """What is known of one question on news; of a target that comes too seldom nothing but that."""
    if not result.documents:
        return {}
    found = {"occurrences": int(result.occurrences[i, 1]), "rate": result.rate(i)}
    if not result.often[i]:
        return found
    precision, recall = result.on_news(i)
    return found | {
        "threshold": float(result.threshold[i]),
        "marked": int(result.marked[i]),
        "precision": precision.mean,
        "precision_interval": precision[1:],
        "recall": recall.mean,
        "recall_interval": recall[1:],
    }
