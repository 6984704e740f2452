"""Which tokens the neuron writes, whatever the prompt, with the sign with which it is used."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

import numpy as np

from analysis.criteria import FAR, SPELLED, USUAL
from analysis.experiments.direct_effect.compute import DirectEffect
from analysis.grounds import Ground
from analysis.intervals import Share
from analysis.token_sets import members
from analysis.weights.congruence import MINUS

NAMED = 3
"""So many neurons ahead of the asked one are named."""


@dataclass(frozen=True)
class Peer:
    """Another neuron of the model and its effect in the direction in which it raises the target."""

    name: str  # with a minus where that is negative activation
    effect: float

    @property
    def neuron(self) -> str:
        """Its name, whichever the sign."""
        return self.name.removesuffix(MINUS)


@dataclass(frozen=True)
class Facts:
    """What the neuron writes: logits, ranks, deviations, with the sign that it is used with."""

    positive: bool  # whether that is activation above zero
    raised: tuple[str, ...]  # the tokens that it raises and lowers most, with that sign
    lowered: tuple[str, ...]
    vocabulary: int  # how many tokens there are
    target_logit: float  # of the target
    writes: bool  # whether the target is first, but for its own variants of case and space
    begins: bool  # whether a mark is not first, and what is begins with it
    every_spelling: bool  # whether those are written too
    far: bool  # whether the target lies far from the mean
    target_rank: int  # of the target; in standard deviations
    target_z: float
    best_other: str  # the strongest token that is no variant of the target
    best_other_logit: float
    spellings: tuple[str, ...]  # variants of the target that lead the list
    foil_logit: float  # of the foil
    foil_rank: int
    foil_amid: bool  # whether that lies in the middle half of the vocabulary
    both_sides: bool  # whether the target is written and the foil lowered
    by_target: int  # rank among all neurons, as they are used, by direct effect on the target
    by_difference: int  # and by that on target minus foil
    difference: float  # its own effect on that
    ahead: tuple[Peer, ...]  # ranked before it by the target; none where they are not listed
    next: Peer | None  # the neuron with the largest effect on the difference, but for itself
    rotations: Share  # of random rotations that write some token as strongly as it the target
    rotated: tuple[float, float]  # logit of the token that one writes most: the median, the largest
    as_far: float  # share of the layer's other neurons with a favourite as far out as the target
    rare: bool  # whether that is small enough for chance to be no explanation
    by_chance: bool  # whether most rotations write one as strongly, and that others do is not rare
    embedding_rank: int  # of the target by the product with the embedding
    shared: int | None  # tokens that both lists hold; None where there is no list for that sign
    agree: bool  # whether those are more than half


def raising(result: DirectEffect) -> int:
    """The sign of the activation with which the neuron raises the target."""
    return 1 if result.target_logit >= 0 else -1


def facts(result: DirectEffect, sign: int | None = None) -> Facts:
    """Read them off, with the sign with which the neuron is used: by default ``raising``."""
    sign = sign or raising(result)
    vocabulary = int(result.bin_counts.sum())
    target, variants = sign * result.target_logit, sign * result.variant_logits
    rotated, as_far = result.rotated_best, result.as_far / max(1, len(result.layer_best))
    top, bottom = (result.top_tokens, result.bottom_tokens)[::sign]
    other, logit = _best_other(result, sign)
    spelled = len(variants) > 1 and variants.min() > SPELLED * result.spread
    begins = target <= logit and _begins(other, result.target)
    shared = len({*result.embedding_tokens} & {*top}) if sign > 0 else None
    by_target, by_difference = result.ranks(sign)
    amid = 1 / 4 < result.foil_rank / vocabulary < 3 / 4
    listed = result.gated or sign > 0
    writers = _peers(result.neurons_by_target, result.neurons_target) if listed else ()
    choosers = _peers(result.neurons_by_difference, result.neurons_difference) if listed else ()
    return Facts(
        positive=sign > 0,
        raised=top,
        lowered=bottom,
        vocabulary=vocabulary,
        target_logit=target,
        writes=target > logit,
        begins=begins,
        every_spelling=bool(spelled),
        far=abs(result.target_z) > FAR,
        target_rank=_rank(result.target_rank, vocabulary, sign, len(members(result.target))),
        target_z=sign * result.target_z,
        best_other=other,
        best_other_logit=logit,
        spellings=tuple(takewhile(lambda text: text in result.variants, top)),
        foil_logit=sign * result.foil_logit,
        foil_rank=_rank(result.foil_rank, vocabulary, sign, len(members(result.foil))),
        foil_amid=amid,
        both_sides=(begins or target > logit) and sign * result.foil_logit < 0 and not amid,
        by_target=by_target,
        by_difference=by_difference,
        difference=sign * (result.target_logit - result.foil_logit),
        ahead=writers[: by_target - 1] if by_target <= NAMED + 1 else (),
        next=next((peer for peer in choosers if peer.neuron != result.neuron), None),
        rotations=Share.counted(int((rotated >= target).sum()), len(rotated)),
        rotated=(float(np.median(rotated)), float(rotated.max())),
        as_far=as_far,
        rare=as_far <= USUAL,
        by_chance=target > logit and as_far > USUAL and bool(np.median(rotated) >= target),
        embedding_rank=_rank(result.embedding_rank, vocabulary, sign, len(members(result.target))),
        shared=shared if result.embedding_tokens else None,
        agree=shared is not None and shared > len(top) // 2,
    )


def grounds(_found: Facts, result: DirectEffect) -> Iterator[Ground]:
    """Rotations are drawn at random."""
    yield Ground("rotations", {"rotation": len(result.rotated_best)}, "wilson")


def _rank(rank: int, among: int, sign: int, own: int) -> int:
    """A rank, from the other end for negative activation; so many tokens share it, as one."""
    return rank if sign > 0 else among - own + 2 - rank


def _begins(text: str, target: str) -> bool:
    """Whether a token begins with a mark, as ``).`` does."""
    mark = target.strip()
    letters = any(map(str.isalnum, mark))
    return bool(mark) and not letters and text.strip().startswith(mark)


def _best_other(result: DirectEffect, sign: int) -> tuple[str, float]:
    """The token that is raised most and is no variant of the target, and its logit."""
    if sign > 0:
        return result.best_other, result.best_other_logit
    rows = list(zip(result.bottom_tokens, (-result.bottom_logits).tolist(), strict=True))
    others = [row for row in rows if row[0] not in (*result.variants, result.target)]
    return (others or rows[-1:])[0]


def _peers(names: tuple[str, ...], effects: np.ndarray) -> tuple[Peer, ...]:
    return tuple(Peer(*row) for row in zip(names, np.abs(effects).tolist(), strict=True))
