"""Which neuron for which word: standing, mutual pairs, hubs, and whether congruence matters."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from analysis.criteria import CLOSE, HUB, SAME_SIGN
from analysis.experiments.census.compute import FOLLOWED, Census
from analysis.grounds import Ground
from analysis.intervals import Interval

LOG, PROBABILITY, NEXT = range(3)
RAW, STANDARDISED = 0, 2


@dataclass(frozen=True)
class Standing:
    """Where the neuron stands for the target's token by one order: rank, value, and the first."""

    rank: int
    value: float
    first: str
    first_value: float


@dataclass(frozen=True)
class MutualPair:
    """The neuron and the target, each the other's best."""

    rank: int  # of their score among the mutual pairs
    token_gap: float  # how far they are ahead of the next neuron, and of the next word
    neuron_gap: float
    score: float  # both multiplied
    # the same with every spelling a rival; None where they are then no pair
    single_score: float | None
    rivalled: bool  # whether that takes most of the score


@dataclass(frozen=True)
class Hub:
    """The neuron that is first for most tokens by one measure: for which share, of how many."""

    neuron: str
    share: float
    tokens: int


@dataclass(frozen=True)
class Behaviour:
    """Activation against the model's prediction on text, of the pairs by the product itself."""

    pairs: int  # how many were followed
    still: int  # how many have a neuron whose activation never changes, so that they cannot be
    known: bool  # whether there are enough pairs for a verdict
    # whether activations go with the probability of their pair's word, in whichever direction,
    # more than with that of other pairs' words
    about: bool
    towards: bool  # whether they mostly go the way that the weights tell
    # mean size of the correlation: of the pairs, of the same neurons with permuted tokens, and
    # with tokens permuted within a layer
    sizes: tuple[float, ...]
    # by how much the pairs' size exceeds the permuted ones', by each measure
    larger: tuple[Interval, ...]
    correlations: tuple[float, ...]  # means of the same as ``sizes``, with their sign
    # by how much the pairs' correlation exceeds the permuted ones'; then the same by log-
    # probability, in standard deviations by log-probability, and by probability
    higher: tuple[Interval, ...]
    # share of pairs whose own word, of all these words, goes with the neuron best, and goes
    # against it most
    best: float
    worst: float
    chance: float  # what either share would be
    next_pairs: int  # pairs whose word really comes next often enough
    next: Interval | None  # as ``larger``, for whether it does; None where those are too few
    score: Interval | None  # rank correlation of score and correlation; None where there is none
    # correlation of the neuron asked about with the target's log-probability, and with its
    # probability
    neuron: tuple[float, ...]


@dataclass(frozen=True)
class Facts:
    """What the tables of all neurons and all tokens show."""

    by: Mapping[str, Standing]  # the neuron's standing by each order; ``raw`` is the product itself
    first_by_all: bool  # whether it is first by each of the measures
    # the next neuron by the product itself and its value; None where there is none
    second: tuple[str, float] | None
    robust: bool  # whether it is first, too, with hubs corrected in either way
    pairs: int  # mutual pairs, spellings merged and each token by itself
    pairs_single: int
    pair: MutualPair | None  # neuron and target; None where they are none
    # the words and neurons that lead the pairs by the first and the last measure
    cleanest: tuple[tuple[str, str], ...]
    hubs: Mapping[str, Hub]  # by each measure, and by the product with the embeddings
    is_hub: bool  # whether one neuron is first for most tokens
    behaviour: Behaviour | None  # None where no text was read


def facts(result: Census, _sign: int | None = None) -> Facts:
    """Read them off. A neuron is read in the direction that writes the target."""
    by = {name: _standing(result, place) for place, name in enumerate(result.orders)}
    names, values = result.order_units[RAW], result.order_values[RAW].tolist()
    hubs = {name: _hub(result, kind) for kind, name in enumerate((*result.measures, "embedding"))}
    return Facts(
        by=by,
        first_by_all=all(by[name].rank == 1 for name in result.measures),
        second=(names[1], values[1]) if len(names) > 1 else None,
        robust=by["centred"].rank == by["standardised"].rank == 1,
        pairs=int(result.mutual[RAW, 0]),
        pairs_single=int(result.mutual[RAW, 1]),
        pair=_pair(result),
        cleanest=_cleanest(result),
        hubs=hubs,
        is_hub=hubs["raw"].share > HUB,
        behaviour=_behaviour(result) if result.agreement_tokens else None,
    )


def grounds(found: Facts, _result: Census) -> Iterator[Ground]:
    """Pairs of a neuron and its word are the sample; the tokens of news are as drawn."""
    behaviour = found.behaviour
    if behaviour and behaviour.known:
        yield Ground("behaviour", {"neuron_and_word": behaviour.pairs}, "bootstrap")
    if behaviour and behaviour.next:
        yield Ground("next", {"neuron_and_word": behaviour.next_pairs}, "bootstrap")


def _standing(result: Census, place: int) -> Standing:
    return Standing(
        int(result.order_rank[place]),
        float(result.order_value[place]),
        result.order_units[place][0],
        float(result.order_values[place][0]),
    )


def _pair(result: Census) -> MutualPair | None:
    (gaps, single), rank = result.own_gaps[RAW], int(result.own_rank[RAW])
    if not rank:
        return None
    score, alone = float(gaps.prod()), float(single.prod())
    return MutualPair(
        rank=rank,
        token_gap=float(gaps[0]),
        neuron_gap=float(gaps[1]),
        score=score,
        single_score=None if (single <= 0).any() else alone,
        rivalled=alone < CLOSE * score,
    )


def _cleanest(result: Census) -> tuple[tuple[str, str], ...]:
    kinds = result.pair_measure.tolist()
    best = {kinds.index(kind): None for kind in (RAW, STANDARDISED) if kind in kinds}
    return tuple((result.pair_tokens[i], result.pair_units[i]) for i in best)


def _hub(result: Census, kind: int) -> Hub:
    row, tokens = result.hub_measure.tolist().index(kind), int(result.hub_tokens[kind])
    return Hub(result.hub_units[row], float(result.hub_counts[row] / tokens), tokens)


def _behaviour(result: Census) -> Behaviour:
    larger = tuple(map(Interval.of, result.size_advantage[:, PROBABILITY, 0]))
    asked = (RAW, PROBABILITY), (RAW, LOG), (STANDARDISED, LOG), (STANDARDISED, PROBABILITY)
    higher = tuple(Interval.of(result.advantage[measure, outcome, 0]) for measure, outcome in asked)
    sizes, correlations = (v[RAW, PROBABILITY].tolist() for v in (result.size, result.correlation))
    pairs, next_pairs = (int(result.pairs_read[RAW, outcome]) for outcome in (PROBABILITY, NEXT))
    following = Interval.of(result.size_advantage[RAW, NEXT, 0])
    score = Interval.of(result.score_correlation[RAW, PROBABILITY])
    best, worst = result.first[RAW, PROBABILITY].tolist()
    return Behaviour(
        pairs=pairs,
        still=max(0, min(FOLLOWED, int(result.mutual[RAW, 0])) - pairs),
        known=bool(np.isfinite(result.size_advantage[RAW, PROBABILITY, 0]).all()),
        about=larger[RAW].positive,
        towards=higher[0].positive and correlations[0] > SAME_SIGN * sizes[0],
        sizes=tuple(sizes),
        larger=larger,
        correlations=tuple(correlations),
        higher=higher,
        best=best,
        worst=worst,
        chance=1 / max(1, pairs),
        next_pairs=next_pairs,
        next=following if next_pairs > 1 and np.isfinite(following.mean) else None,
        score=score if np.isfinite(score.mean) else None,
        neuron=tuple(result.own_correlation[[LOG, PROBABILITY]].tolist()),
    )
