"""The Result of experiment 5, and the statistics that are read off it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from analysis.engines.replacement import METHODS
from analysis.numbers.association import slope_and_correlation
from analysis.numbers.estimates import Estimate, mean_of_groups
from analysis.numbers.separation import auc, group_means, word_interval
from analysis.result import Result

UNTOUCHED = -1
"""In place of a method's number: the model as it is."""

MEAN = METHODS.index("mean")
"""The ablation that verdicts hang on."""


@dataclass(frozen=True)
class Ablation(Result):
    """A neuron's activation replaced by several methods, in prompts and in a corpus.

    In prompts it is replaced at the last position, or at all; in the corpus at all positions of
    every window. Prompts: the first is the one asked about; of the others those that were not
    asked about make up the set, over which estimates are taken, and all of them, together, choose
    the matched neurons. Measures are
    the logit difference (target minus foil), p(target), and the KL divergence from the untouched
    model's next-token distribution, in nats.

    Attributes:
        neuron: its name.
        target: the token asked for.
        foil: the token it competes with.
        positions: ``last`` or ``all``: where prompts are changed.
        methods: of replacing it in prompts: ``METHODS`` in that order, then ``in_template`` where
            there are prompts to draw from. In the corpus they are ``METHODS``.
        prompts: the texts.
        calls_for_target: which prompts call for the target; the others call for the foil.
        in_question: which prompts belong to the question, whose neuron they may have chosen.
        activation: the neuron's at the last position of each prompt.
        mean_activation: over the corpus windows, first positions left out.
        mean_first: the mean at first positions.
        baseline: the measures of the untouched model (its KL is 0).
        ablated: the measures after ablation; ``resample`` is the mean over draws.
        resampled: the measures after each draw.
        drawn: activation that each draw put at the last position.
        template_resampled: the measures after each in-template draw: the neuron's activation at the
            end of another of the set's prompts that call for the foil. No draws where there are
            none, or where all positions are changed.
        template_drawn: activation that each of these draws put there.
        matched: neurons of the same layer with the nearest activation norm, nearest first.
        matched_activation: theirs at the last position of each prompt.
        matched_ablated: the measures after ablating each of them, over fewer draws.
        matched_draws: how many.
        window_tokens: tokens per corpus window.
        position_document: number of the document of each evaluation position in the corpus.
        position_target: whether the text's own next token there is the target.
        position_activation: the neuron's own activation there.
        position_loss: -log p(next token) of the untouched model, in nats.
        position_change: change of that loss by each method, in nats.
        position_kl: KL divergence by each method, in nats.
        position_compared: whether the matched neurons were ablated there too, all by the mean.
        matched_change: their change of loss there, in nats.
        matched_kl: their KL divergence there, in nats.
    """

    rounded = (
        "resampled",
        "template_resampled",
        "matched_ablated",
        "position_change",
        "position_kl",
        "matched_change",
        "matched_kl",
    )

    neuron: str
    target: str
    foil: str
    positions: str
    methods: tuple[str, ...]
    prompts: tuple[str, ...]
    calls_for_target: Bool[np.ndarray, " prompt"]
    in_question: Bool[np.ndarray, " prompt"]
    activation: Float[np.ndarray, " prompt"]
    mean_activation: float
    mean_first: float
    baseline: Float[np.ndarray, "prompt measure"]
    ablated: Float[np.ndarray, "prompt method measure"]
    resampled: Float[np.ndarray, "prompt draw measure"]
    drawn: Float[np.ndarray, "prompt draw"]
    template_resampled: Float[np.ndarray, "prompt template_draw measure"]
    template_drawn: Float[np.ndarray, "prompt template_draw"]
    matched: tuple[str, ...]
    matched_activation: Float[np.ndarray, "matched prompt"]
    matched_ablated: Float[np.ndarray, "matched prompt method measure"]
    matched_draws: int
    window_tokens: int
    position_document: Int[np.ndarray, " position"]
    position_target: Bool[np.ndarray, " position"]
    position_activation: Float[np.ndarray, " position"]
    position_loss: Float[np.ndarray, " position"]
    position_change: Float[np.ndarray, "corpus_method position"]
    position_kl: Float[np.ndarray, "corpus_method position"]
    position_compared: Bool[np.ndarray, " position"]
    matched_change: Float[np.ndarray, "matched compared"]
    matched_kl: Float[np.ndarray, "matched compared"]


def answers(result: Ablation, method: int) -> Float[np.ndarray, " prompt"]:
    """The logit difference at the end of every prompt, by one method or untouched."""
    return result.baseline[:, 0] if method == UNTOUCHED else result.ablated[:, method, 0]


def changes(result: Ablation, method: int) -> Float[np.ndarray, " prompt"]:
    """What a method changes about the logit difference of every prompt."""
    return answers(result, method) - answers(result, UNTOUCHED)


def in_set(result: Ablation, calls_for_target: bool) -> Bool[np.ndarray, " prompt"]:
    """Marks the prompts that call for target or foil, those asked about aside."""
    return (result.calls_for_target == calls_for_target) & ~result.in_question


def over_prompts(
    result: Ablation, values: Float[np.ndarray, " prompt"], calls_for_target: bool
) -> Estimate:
    """Mean of a value over the set's prompts of one kind; the prompts are resampled."""
    mine = values[in_set(result, calls_for_target)].astype(float)
    return mean_of_groups(mine, np.arange(len(mine)))


POSSIBLE = {"p_target": (0.0, 1.0), "kl": (0.0, np.inf), "size": (0.0, np.inf)}
"""Between which values some means lie; an interval of few samples would reach beyond."""


def possible(name: str, found: Estimate) -> Estimate:
    """The same with the interval's ends where such a mean can lie."""
    low, high = np.clip(found[1:], *POSSIBLE.get(name, (-np.inf, np.inf)))
    return Estimate(found.mean, float(low), float(high))


def preferred(result: Ablation, method: int, kind: bool) -> int:
    """After how many of the set's prompts of one kind the target is preferred to the foil."""
    return int((answers(result, method)[in_set(result, kind)] > 0).sum())


def no_longer_preferred(result: Ablation, method: int, kind: bool) -> int:
    """After how many the target is preferred untouched, and not with the neuron ablated."""
    both = (answers(result, UNTOUCHED) > 0) & (answers(result, method) <= 0)
    return int((both & in_set(result, kind)).sum())


class Separation(NamedTuple):
    """How the model's answer tells the set's two kinds of prompts apart.

    Attributes:
        auc: chance that the logit difference is the larger one in the prompt that calls for the
            target, of one of either kind.
        gap: difference of the kinds' mean logit differences.
    """

    auc: Estimate
    gap: Estimate


def separation(result: Ablation, method: int) -> Separation | None:
    """By one method or untouched; prompts are resampled within their kind. None without a kind."""
    return _separated(result, answers(result, method)[None], lambda rows: rows[..., 0])


def separation_change(result: Ablation, method: int) -> Separation | None:
    """What a method changes about it; the same prompts are resampled with the neuron and without.

    None where a kind has no prompts.
    """
    both = np.stack([answers(result, UNTOUCHED), answers(result, method)])
    return _separated(result, both, lambda rows: rows[..., 1] - rows[..., 0])


def _separated(
    result: Ablation,
    rows: Float[np.ndarray, "row prompt"],
    reading: Callable[[np.ndarray], np.ndarray],
) -> Separation | None:
    kinds = rows[:, in_set(result, True)], rows[:, in_set(result, False)]
    if not all(kind.size for kind in kinds):
        return None

    def area(target: np.ndarray, foil: np.ndarray) -> np.ndarray:
        return np.asarray(reading(auc(target, foil)))

    def gap(target: np.ndarray, foil: np.ndarray) -> np.ndarray:
        return np.asarray(reading(-np.diff(group_means(target, foil))[..., 0]))

    first, second = (
        Estimate(float(statistic(*kinds)), *word_interval(*kinds, statistic, 0).tolist())
        for statistic in (area, gap)
    )
    return Separation(first, second)


class ByActivation(NamedTuple):
    """How an ablation's change hangs on the activation that it takes away.

    A mean over prompts with activations of both signs may be near zero though each of them changes.

    Attributes:
        size: mean absolute change of the logit difference.
        slope: of the change on the activation, logits for each unit.
        correlation: of the two.
    """

    size: Estimate
    slope: Estimate
    correlation: Estimate


def by_activation(result: Ablation, method: int, kind: bool) -> ByActivation:
    """Over the set's prompts of one kind; the prompts are resampled."""
    change, mine = changes(result, method), in_set(result, kind)
    size = possible("size", over_prompts(result, np.abs(change), kind))
    return ByActivation(size, *slope_and_correlation(result.activation[mine], change[mine]))


def activation_norms(result: Ablation) -> Float[np.ndarray, " neuron"]:
    """Root mean square activation at the ends of the prompts that matched the neurons.

    The neuron's own first, then those of the matched ones.
    """
    values = np.vstack([result.activation, result.matched_activation])[:, 1:].astype(float)
    norms: np.ndarray = np.sqrt((values**2).mean(1))
    return norms


def matched_changes(
    result: Ablation, method: int, kind: bool, measure: int = 0
) -> Float[np.ndarray, " matched"]:
    """Mean change of a measure by ablating each matched neuron, over the prompts of a kind."""
    mine = in_set(result, kind)
    change = result.matched_ablated[:, mine, method, measure] - result.baseline[mine, measure]
    return change.mean(1)


def matched_preferred(result: Ablation, method: int, kind: bool) -> Int[np.ndarray, " matched"]:
    """``preferred``, with each matched neuron ablated in place of the neuron."""
    mine = result.matched_ablated[:, in_set(result, kind), method, 0]
    counts: np.ndarray = (mine > 0).sum(1)
    return counts


def matched_as_large(result: Ablation, method: int, kind: bool) -> int:
    """How many matched neurons change the logit difference as much, in either direction."""
    own = over_prompts(result, changes(result, method), kind).mean
    return int((np.abs(matched_changes(result, method, kind)) >= abs(own)).sum())


def over_positions(
    result: Ablation, values: Float[np.ndarray, " position"], target: bool
) -> Estimate:
    """Mean of a value over corpus places of one kind; documents are resampled, not tokens."""
    mine = result.position_target == target
    return mean_of_groups(values[mine].astype(float), result.position_document[mine])
