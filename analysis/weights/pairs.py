"""Cleanly associated pairs: a neuron and a word, each the other's best (Miller and Neo, 2023)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from analysis.progress import Progress, silent
from analysis.subject import Subject
from analysis.weights.congruence import MEASURES, Survey, unit_logits, unit_name
from analysis.weights.words import Leaders, leaders

PAIRS = 200
"""Pairs listed by each measure."""


@dataclass(frozen=True)
class Pairs:
    """Mutual best pairs by one measure, highest score first.

    Attributes:
        units: the neuron of each pair, with its direction.
        tokens: the word's spelling that the neuron writes most.
        token_gap: how far the neuron is ahead of the next one on this word.
        neuron_gap: how far the word is ahead of the next one for this neuron.
        single_token_gap: the same among tokens, each spelling by itself.
        single_neuron_gap: the same among tokens, each spelling by itself.
    """

    units: Int[np.ndarray, " pair"]
    tokens: Int[np.ndarray, " pair"]
    token_gap: Float[np.ndarray, " pair"]
    neuron_gap: Float[np.ndarray, " pair"]
    single_token_gap: Float[np.ndarray, " pair"]
    single_neuron_gap: Float[np.ndarray, " pair"]

    @property
    def score(self) -> Float[np.ndarray, " pair"]:
        """Token gap times neuron gap, the original's measure of a clean association."""
        return self.token_gap * self.neuron_gap

    def best(self, most: int) -> "Pairs":
        """The first so many."""
        return Pairs(**{name: values[:most] for name, values in vars(self).items()})

    def place(self, unit: int, word: Int[np.ndarray, " token"], token: int) -> int:
        """Rank of a unit and a token's word among the pairs, 0 where they are none."""
        places = np.flatnonzero((self.units == unit) & (word[self.tokens] == word[token]))
        return int(places[0]) + 1 if len(places) else 0


@dataclass(frozen=True)
class Rows:
    """What some units' own rows of logits say, centred.

    Attributes:
        units: which units, in ascending order.
        single: best token less second-best.
        merged: best word less second-best word.
    """

    units: Int[np.ndarray, " row"]
    single: Float[np.ndarray, " row"]
    merged: Float[np.ndarray, " row"]


def by_token(survey: Survey, measure: str) -> Leaders:
    """The leaders where every token counts as a word by itself."""
    best, units = (part[measure].cpu().numpy() for part in (survey.best, survey.units))
    return Leaders(best[:, 0], units[:, 0], np.arange(len(best)), best[:, 1])


def by_word(survey: Survey, word: Int[np.ndarray, " token"], measure: str) -> Leaders:
    """The leaders where spellings of one word are merged."""
    best, units = (part[measure].cpu().numpy() for part in (survey.best, survey.units))
    return leaders(word, best, units)


def mutual(survey: Survey, found: Leaders, measure: str) -> Int[np.ndarray, " pair"]:
    """Words whose best unit has no better word; each unit once."""
    units = torch.as_tensor(found.unit, device=survey.peak.device)
    peaks = survey.scales.peaks(survey.peak[units], units, measure).cpu().numpy()
    places = np.flatnonzero(found.value >= peaks)
    _, first = np.unique(found.unit[places], return_index=True)
    return places[np.sort(first)]


def row_gaps(
    subject: Subject,
    units: Int[np.ndarray, " row"],
    word: Int[np.ndarray, " token"],
    progress: Progress = silent,
) -> Rows:
    """Multiply chosen units with the whole vocabulary once more and read how clear each one is.

    A word has no more spellings than the largest, so one token more than that always holds another.
    """
    units = np.unique(units)
    size = min(int(np.bincount(word).max()) + 1, subject.d_vocab)
    single, merged = [np.zeros(0)], [np.zeros(0)]
    for where, logits in unit_logits(subject, units.tolist()):
        top = logits.topk(size, dim=1)
        values, spelled = top.values.cpu().numpy(), word[top.indices.cpu().numpy()]
        other = (spelled != spelled[:, :1]).argmax(1)
        single.append(values[:, 0] - values[:, 1])
        merged.append(values[:, 0] - np.take_along_axis(values, other[:, None], 1)[:, 0])
        progress(where.stop / len(units))
    return Rows(units, np.concatenate(single), np.concatenate(merged))


def make_pairs(
    survey: Survey, found: Leaders, chosen: Int[np.ndarray, " pair"], rows: Rows, measure: str
) -> Pairs:
    """Gaps of chosen pairs by one measure, highest score first."""
    units, tokens = found.unit[chosen], found.token[chosen]
    at = np.searchsorted(rows.units, units)
    factor = _factors(survey, units, measure)
    single = by_token(survey, measure)
    pairs = Pairs(
        units=units,
        tokens=tokens,
        token_gap=found.value[chosen] - found.second[chosen],
        neuron_gap=rows.merged[at] * factor,
        single_token_gap=single.value[tokens] - single.second[tokens],
        single_neuron_gap=rows.single[at] * factor,
    )
    order = np.argsort(-pairs.score, kind="stable")
    return Pairs(**{name: values[order] for name, values in vars(pairs).items()})


def _factors(
    survey: Survey, units: Int[np.ndarray, " row"], measure: str
) -> Float[np.ndarray, " row"]:
    neurons = torch.as_tensor(units % len(survey.scales.mean), device=survey.peak.device)
    return survey.scales.factor(measure, neurons).cpu().numpy()


def unit_gaps(
    subject: Subject,
    survey: Survey,
    unit: int,
    token: int,
    word: Int[np.ndarray, " token"],
    measure: str,
) -> Iterator[tuple[float, float]]:
    """(token gap, neuron gap) of any unit and word, spellings merged, then each by itself.

    A gap is negative where another neuron, or another word, is ahead: mutual pairs are those with
    both gaps above zero.
    """
    ((_, logits),) = unit_logits(subject, [unit])
    neuron = torch.tensor([unit % len(survey.scales.mean)], device=logits.device)
    factor = float(survey.scales.factor(measure, neuron)[0])
    chosen = torch.tensor([unit], device=logits.device)
    offset = float(survey.scales.peaks(torch.zeros(1).to(logits), chosen, measure)[0])
    row = logits[0].cpu().numpy()
    for spelled, found in (
        (word, by_word(survey, word, measure)),
        (np.arange(len(word)), by_token(survey, measure)),
    ):
        yield _gaps(row, factor, offset, spelled, int(spelled[token]), found, unit)


def _gaps(
    row: Float[np.ndarray, " token"],
    factor: float,
    offset: float,
    spelled: Int[np.ndarray, " token"],
    spelling: int,
    found: Leaders,
    unit: int,
) -> tuple[float, float]:
    own: Bool[np.ndarray, " token"] = spelled == spelling
    value = float(row[own].max())
    rival = float(found.second[spelling] if found.unit[spelling] == unit else found.value[spelling])
    other = float(row[~own].max(initial=-np.inf))
    return value * factor + offset - rival, (value - other) * factor


def all_pairs(
    subject: Subject, survey: Survey, word: Int[np.ndarray, " token"], progress: Progress
) -> tuple[list[Pairs], Int[np.ndarray, "measure merging"]]:
    """Mutual pairs by every measure, and how many, spellings merged and each by itself."""
    merged = [by_word(survey, word, measure) for measure in MEASURES]
    chosen = [mutual(survey, found, m) for found, m in zip(merged, MEASURES, strict=True)]
    alone = [len(mutual(survey, by_token(survey, m), m)) for m in MEASURES]
    units = np.concatenate([f.unit[c] for f, c in zip(merged, chosen, strict=True)])
    rows = row_gaps(subject, units, word, progress)
    pairs = [
        make_pairs(survey, found, here, rows, measure)
        for found, here, measure in zip(merged, chosen, MEASURES, strict=True)
    ]
    return pairs, np.array([[len(c), n] for c, n in zip(chosen, alone, strict=True)])


def pair_table(subject: Subject, pairs: Sequence[Pairs]) -> dict[str, Any]:
    """The best pairs by every measure, one after the other."""
    best = [p.best(PAIRS) for p in pairs]
    single = [p.single_token_gap * p.single_neuron_gap for p in best]
    return {
        "pair_measure": np.repeat(np.arange(len(best)), [len(p.units) for p in best]),
        "pair_units": tuple(unit_name(subject, u) for p in best for u in p.units.tolist()),
        "pair_tokens": tuple(subject.string(t) for p in best for t in p.tokens.tolist()),
        "pair_token_gap": np.concatenate([p.token_gap for p in best]),
        "pair_neuron_gap": np.concatenate([p.neuron_gap for p in best]),
        "pair_single_score": np.concatenate(single),
    }
