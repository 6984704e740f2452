"""Whether the neuron tells other words apart, in the sentence of the pair and in others."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analysis.experiments.generality.compute import Generality, sign_of, unsigned_auc
from analysis.grounds import Ground, Unit
from analysis.intervals import (
    SURE,
    Auc,
    Interval,
    Span,
    area_span,
    auc,
    enough_to_tell,
    signed_area,
)
from analysis.numbers.separation import RESAMPLES


@dataclass(frozen=True)
class HeldOut:
    """Sentences that took no part in choosing the neuron."""

    sentences: int  # how many
    enough: bool  # whether there are words enough to show anything in so many
    separates: int  # in how many the neuron separates the words, the right way round
    reversed: int  # in how many it separates them the wrong way round
    reversed_auc: float  # its lowest AUC in those
    reversed_chance: float  # how often shuffled labels do so as far in that one
    reversed_gap: float  # the largest difference of the means in those
    model_separates: int  # in how many the model's own answer does, by the same test
    model_reversed: int  # in how many that does the wrong way round
    both: int  # in how many neuron and model do, the right way round
    model_only: int  # in how many the model does and the neuron does not
    neuron_only: int  # in how many the neuron does and the model does not
    both_reversed: int  # in how many both have the words the wrong way round
    lowest_auc: float  # of the neuron
    highest_auc: float
    auc: Auc  # of the neuron, averaged over the sentences
    model_auc: Auc  # the same for the model's answer
    shuffled: Span  # the middle 95 % of the neuron's with labels shuffled
    gap: float  # the largest difference of the means in any of them, either way
    gap_reversed: bool  # whether that is the other way round than in the first sentence
    share: int  # of draws by chance at which one sentence counts, one in so many


@dataclass(frozen=True)
class Facts:
    """What the words and sentences show; activations are read with the neuron's own sign."""

    positive: bool  # whether the neuron works by activation above zero
    words: int  # of both kinds together
    phrases: bool  # whether they are of several words each
    target_mean: Interval  # of the neuron after words of either kind
    foil_mean: Interval
    enough: bool  # whether there are words enough to show that in one sentence
    separates: bool  # whether the neuron separates the words in the sentence of the pair
    auc: Auc  # of the neuron there
    shuffled: Span  # the middle 95 % of its AUC with labels shuffled
    model_auc: Auc  # of the model's own answer there
    target_preferred: int  # words of the target's kind after which the model puts it above the foil
    mostly_preferred: bool  # whether those are more than half
    gap: float  # difference of the means there
    held_out: HeldOut | None  # the other sentences; None where there are none
    matched_better: int  # how many matched neurons separate the words better, beyond doubt
    matched_worse: int  # how many worse, beyond doubt; the intervals hold for all at once
    matched_open: int  # how many neither
    matched_best: float  # the best AUC among them, from 0.5
    # whether the difference in every other sentence is less than half of this
    weaker_elsewhere: bool
    draws: int = RESAMPLES  # shuffles of the labels


def facts(result: Generality, sign: int | None = None) -> Facts:
    """Read them off, with the sign with which the neuron is used: by default ``sign_of``."""
    sign = sign or sign_of(result)
    areas = signed_area(result.auc, sign)
    size = len(result.target_words)
    preferred = int((result.logit_diff[0, :size] > 0).sum())
    gaps = sign * (result.means[:, 0] - result.means[:, 1])
    matched = unsigned_auc(result.matched_auc[0])
    better, worse = result.lead_interval[:, 1] < 0, result.lead_interval[:, 0] > 0
    return Facts(
        positive=sign > 0,
        words=result.activation.shape[1],
        phrases=any(" " in each.strip() for each in result.target_words),
        target_mean=_mean(result, 0),
        foil_mean=_mean(result, 1),
        enough=enough_to_tell(size, len(result.foil_words)) or bool(result.chance[0] <= SURE),
        separates=bool(areas[0] > 0.5 and result.chance[0] <= SURE),
        auc=auc(result.auc[0], result.auc_interval[0], sign),
        shuffled=area_span(result.shuffled_interval[0], sign),
        model_auc=auc(result.diff_auc[0], result.diff_auc_interval[0]),
        target_preferred=preferred,
        mostly_preferred=2 * preferred > size,
        gap=float(gaps[0]),
        held_out=_held_out(result, sign, areas, gaps),
        matched_better=int(better.sum()),
        matched_worse=int(worse.sum()),
        matched_open=int((~better & ~worse).sum()),
        matched_best=float(matched.max(initial=0.5)),
        weaker_elsewhere=bool(len(gaps) > 1 and gaps[1:].max() < gaps[0] / 2),
    )


def grounds(found: Facts, result: Generality) -> Iterator[Ground]:
    """Words are the sample, within their kind; sentences are as given."""
    words: dict[Unit, int] = {"word": found.words}
    yield Ground("words", words, "bootstrap")
    yield Ground("separates", words, "shuffles")
    if found.held_out:
        yield Ground("separates_held_out", words, "shuffles", found.held_out.sentences)
        yield Ground("held_out", words, "bootstrap")
    if result.matched:
        yield Ground("matched", words, "bootstrap", len(result.matched), "largest")


def _mean(result: Generality, group: int) -> Interval:
    return Interval.of((result.means[0, group], *result.mean_intervals[0, group]))


def _held_out(result: Generality, sign: int, areas: np.ndarray, gaps: np.ndarray) -> HeldOut | None:
    """The sentences but the first; None where there are none."""
    if len(areas) < 2:
        return None
    sentences = len(areas) - 1
    sure = result.chance[1:] <= SURE / sentences
    ours, reverse = (areas > 0.5)[1:] & sure, (areas < 0.5)[1:] & sure
    answer, clear = result.diff_auc[1:], result.diff_chance[1:] <= SURE / sentences
    model, model_reverse = (answer > 0.5) & clear, (answer < 0.5) & clear
    lowest = int(np.where(reverse, areas[1:], 1).argmin())
    return HeldOut(
        sentences=sentences,
        enough=bool(sure.any() or clear.any())
        or enough_to_tell(len(result.target_words), len(result.foil_words), sentences),
        separates=int(ours.sum()),
        reversed=int(reverse.sum()),
        reversed_auc=float(areas[1:][lowest]),
        reversed_chance=float(result.chance[1:][lowest]),
        reversed_gap=float(np.abs(gaps[1:])[reverse].max(initial=0.0)),
        model_separates=int(model.sum()),
        model_reversed=int(model_reverse.sum()),
        both=int((ours & model).sum()),
        model_only=int((model & ~ours).sum()),
        neuron_only=int((ours & ~model).sum()),
        both_reversed=int((reverse & model_reverse).sum()),
        lowest_auc=float(areas[1:].min()),
        highest_auc=float(areas[1:].max()),
        auc=auc(result.held_out_auc[0], result.held_out_interval[0], sign),
        model_auc=auc(result.held_out_auc[1], result.held_out_interval[1]),
        shuffled=area_span(result.held_out_shuffled, sign),
        gap=float(np.abs(gaps[1:]).max()),
        gap_reversed=bool(-gaps[1:].min() > gaps[1:].max()),
        share=round(sentences / SURE),
    )
