"""What a neuron writes with the sign that it has on the clean prompt."""

from dataclasses import replace

import numpy as np

from analysis.experiments.direct_effect import DirectEffect


def turned(result: DirectEffect, neurons: int) -> DirectEffect:
    """The direct effect of one unit of negative activation: every logit changes its sign.

    Lists that the result does not hold for that sign (the tokens of least congruence, the neurons
    of least effect) are empty, and the products of the former undefined.

    Args:
        result: the direct effect of one unit of positive activation.
        neurons: how many neurons the model has, to count ranks from the other end.
    """
    vocabulary = int(result.bin_counts.sum())
    other, logit = _lowest_other(result)
    none, nothing = (), np.zeros(0, dtype=np.float32)
    return replace(
        result,
        top_tokens=result.bottom_tokens, top_logits=-result.bottom_logits,
        bottom_tokens=result.top_tokens, bottom_logits=-result.top_logits,
        mean_logit=-result.mean_logit,
        target_logit=-result.target_logit, target_rank=vocabulary + 1 - result.target_rank,
        foil_logit=-result.foil_logit, foil_rank=vocabulary + 1 - result.foil_rank,
        bin_edges=-result.bin_edges[::-1], bin_counts=result.bin_counts[::-1],
        variant_logits=-result.variant_logits,
        best_other=other, best_other_logit=-logit,
        embedding_tokens=none, embedding_products=np.full_like(result.embedding_products, np.nan),
        embedding_rank=vocabulary + 1 - result.embedding_rank,
        neurons_by_target=none, neurons_target=nothing,
        neurons_by_difference=none, neurons_difference=nothing,
        rank_by_target=neurons + 1 - result.rank_by_target,
        rank_by_difference=neurons + 1 - result.rank_by_difference,
    )  # fmt: skip


def _lowest_other(result: DirectEffect) -> tuple[str, float]:
    """The most lowered token that is no variant of the target, and its logit."""
    rows = list(zip(result.bottom_tokens, result.bottom_logits.tolist(), strict=True))
    others = [row for row in rows if row[0] not in (*result.variants, result.target)]
    return (others or rows[-1:])[0]
