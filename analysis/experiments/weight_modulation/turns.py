"""The clean prompt under each factor of the output weights: what is likely, what is written."""

from dataclasses import dataclass

from analysis.experiments.weight_modulation.compute import WeightModulation


@dataclass(frozen=True)
class Turn:
    """The model's answer to the clean prompt with the neuron turned to one factor.

    Attributes:
        factor: of the output weights.
        shares: probability of each of the words that are shown, in their order.
        word: the likeliest next token of them.
        share: its probability.
        rest: what is written on greedily after it.
        logit_diff: logit(target) - logit(foil).
        p_target: probability of the target.
    """

    factor: float
    shares: tuple[float, ...]
    word: str
    share: float
    rest: str
    logit_diff: float
    p_target: float


def words(result: WeightModulation) -> tuple[str, ...]:
    """The tokens that are likely under some factor, and the target in any case."""
    missing = () if result.target in result.likely else (result.target,)
    return (*result.likely, *missing)


def turns(result: WeightModulation) -> tuple[Turn, ...]:
    """One for every factor, in their order."""
    out = result.weights.index("out")
    rows = zip(
        result.factors,
        result.likely_p.tolist(),
        result.p_target[out, :, 0].tolist(),
        result.logit_diff[out, :, 0].tolist(),
        result.greedy,
        strict=True,
    )
    absent = result.target not in result.likely
    return tuple(
        _turn(result, factor, (*likely, *([target] if absent else [])), text, (diff, target))
        for factor, likely, target, diff, text in rows
    )


def _turn(
    result: WeightModulation,
    factor: float,
    shares: tuple[float, ...],
    text: str,
    answer: tuple[float, float],
) -> Turn:
    single = zip(result.likely, shares, strict=False)  # a set is no token that may come first
    word, share = max(single, key=lambda each: each[1])
    return Turn(factor, shares, word, share, text.removeprefix(word), *answer)
