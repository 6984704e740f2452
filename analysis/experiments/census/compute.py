"""Experiment 9: which neuron for which word, among all neurons and tokens; and does it matter?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from analysis import corpus
from analysis.contrast import Contrast, make_contrast
from analysis.engines.reading import Window
from analysis.inputs import Inputs
from analysis.linearity import comparable
from analysis.neuron import Neuron
from analysis.progress import Progress, part_of, silent
from analysis.result import Result
from analysis.subject import Subject
from analysis.weights.agreement import Agreement, agreement, draw_windows
from analysis.weights.congruence import MEASURES, Block, Survey, Surveyor, unit_name
from analysis.weights.hubs import hubs
from analysis.weights.orders import ORDERS, orders
from analysis.weights.pairs import all_pairs, pair_table, unit_gaps
from analysis.weights.words import words

FOLLOWED = 1000
"""Pairs by each measure, best score first, whose behaviour is read on text."""


WINDOW = 128
"""Tokens of an article that are read, at most."""


@dataclass(frozen=True)
class Census(Agreement, Result):
    """Congruence of all neurons with all tokens, and whether it goes with what the model predicts.

    A gated neuron counts in both directions, and is written ``L1N2−`` where it is read with
    negative activation; then it writes the opposite of its output weights. Measures, in the order
    of ``measures``: ``raw`` is ``W_out[n] @ W_U`` with the final norm folded; ``centred`` is that
    less the neuron's mean over the vocabulary; ``standardised`` that in the neuron's standard
    deviations over the vocabulary, which takes a hub's advantages away. Unless said otherwise the
    spellings of a word (case, surrounding space) are merged. Fields beginning with ``pair_`` and
    ``hub_`` are tables, one row a pair or hub. What ``Agreement`` holds stands beside them.

    Attributes:
        target: the token asked for.
        foil: the token it competes with.
        neuron: the neuron asked about, read in the direction that writes the target.
        directions: 2 where neurons count in both directions, else 1.
        neurons: how many the model has.
        vocabulary: tokens in the vocabulary.
        words: the same, spellings merged.
        measures: names of the measures.
        orders: by what neurons are ordered for the target's own token: the measures, target minus
            foil, and the original's product with the token embeddings.
        order_units: the first neurons by each order.
        order_values: their values.
        order_rank: rank of the asked neuron by each order, 1 for the largest.
        order_value: its value.
        mutual: how many mutual best pairs there are, spellings merged and each token by itself.
        pair_measure: place of the pair's measure in ``measures``.
        pair_units: neurons of the best pairs by each measure, highest score first.
        pair_tokens: their words, in the spelling that the neuron writes most.
        pair_token_gap: how far the neuron is ahead of the next one on the word; logits per unit of
            activation, or standard deviations.
        pair_neuron_gap: how far the word is ahead of the neuron's next one, in the same unit.
        pair_single_score: the score with every spelling a rival.
        own_gaps: token gap and neuron gap of the asked neuron and the target's word, spellings
            merged and each by itself; negative where another is ahead.
        own_rank: rank of their score among the mutual pairs, 0 where they are none.
        hub_measure: place of the hub's measure in ``measures``; after the last stands the
            original's product with the token embeddings.
        hub_units: the neurons that are first for most tokens, by each measure.
        hub_counts: for how many tokens each is first.
        hub_tokens: of how many tokens, by measure: all, or for the embeddings a random sample.
        leaders: by measure, how many neurons are first for any token at all.
        frozen_at: the prompt at whose end norms behind the MLPs are frozen, if there are any.
    """

    target: str
    foil: str
    neuron: str
    directions: int
    neurons: int
    vocabulary: int
    words: int
    measures: tuple[str, ...]
    orders: tuple[str, ...]
    order_units: tuple[tuple[str, ...], ...]
    order_values: Float[np.ndarray, "order top"]
    order_rank: Int[np.ndarray, " order"]
    order_value: Float[np.ndarray, " order"]
    mutual: Int[np.ndarray, "measure merging"]
    pair_measure: Int[np.ndarray, " pair"]
    pair_units: tuple[str, ...]
    pair_tokens: tuple[str, ...]
    pair_token_gap: Float[np.ndarray, " pair"]
    pair_neuron_gap: Float[np.ndarray, " pair"]
    pair_single_score: Float[np.ndarray, " pair"]
    own_gaps: Float[np.ndarray, "measure merging gap"]
    own_rank: Int[np.ndarray, " measure"]
    hub_measure: Int[np.ndarray, " hub"]
    hub_units: tuple[str, ...]
    hub_counts: Int[np.ndarray, " hub"]
    hub_tokens: Int[np.ndarray, " kind"]
    leaders: Int[np.ndarray, " measure"]
    frozen_at: str = ""

    @property
    def pair_score(self) -> Float[np.ndarray, " pair"]:
        """Token gap times neuron gap."""
        return self.pair_token_gap * self.pair_neuron_gap


def census(
    subject: Subject,
    contrast: Contrast,
    texts: Sequence[Window] = (),
    neuron: Neuron | None = None,
    seed: int = 0,
    progress: Progress = silent,
    block: Block | None = None,
) -> Census:
    """Multiply every neuron's output weights with every token's unembedding, in blocks.

    "Cleanly associated" pairs and their score are the original study's (Miller and Neo, 2023);
    standardised logits and merged spellings are the corrections for hubs and for near ties.

    Args:
        subject: the model.
        contrast: the target, whose neurons are listed, and its foil.
        texts: on which activations are compared with predictions; may be none.
        neuron: the neuron asked about; by default the one that writes the target most.
        seed: of random draws and of the bootstrap.
        progress: told how far it is.
        block: how much is multiplied at once.
    """
    survey = _survey(subject, block or Block(), part_of(progress, 0, 0.6))
    word = words(subject)
    placed = orders(subject, survey.scales, contrast, neuron)
    pairs, counts = all_pairs(subject, survey, word, part_of(progress, 0.6, 0.7))
    asked = [
        list(unit_gaps(subject, survey, placed.unit, contrast.target_id, word, measure))
        for measure in MEASURES
    ]
    agreed = agreement(
        subject,
        [p.best(FOLLOWED) for p in pairs],
        (placed.unit, contrast.target_id),
        texts,
        seed,
        part_of(progress, 0.7, 1),
    )
    return Census(
        target=contrast.target,
        foil=contrast.foil,
        neuron=unit_name(subject, placed.unit),
        directions=1 + subject.family.gated,
        frozen_at=subject.frozen_at,
        neurons=subject.n_layers * subject.d_mlp,
        vocabulary=subject.d_vocab,
        words=int(word.max()) + 1,
        measures=MEASURES,
        orders=ORDERS,
        order_units=placed.names,
        order_values=placed.values,
        order_rank=placed.rank,
        order_value=placed.value,
        mutual=counts,
        own_gaps=np.array(asked),
        own_rank=np.array([p.place(placed.unit, word, contrast.target_id) for p in pairs]),
        **pair_table(subject, pairs),
        **hubs(subject, survey, seed),
        **vars(agreed),
    )


def _survey(subject: Subject, block: Block, progress: Progress) -> Survey:
    surveyor = Surveyor(subject, block)
    starts = surveyor.starts()
    for done, start in enumerate(starts, start=1):
        surveyor.read(start)
        progress(done / len(starts))
    return surveyor.survey()


def run(subject: Subject, inputs: Inputs, progress: Progress) -> Census:
    """Every neuron against every token, and whether that matters on random news."""
    question, seed, token = inputs.question, inputs["seed"], inputs["token"]
    contrast = question.contrast(subject)
    if token is not None:
        contrast = make_contrast(subject, token, question.foil)
    windows: list[Window] = []
    if inputs["behaviour"]:
        size = min(inputs["tokens"], WINDOW)
        articles = corpus.sample(max(1, inputs["tokens"] // WINDOW), seed)
        windows = draw_windows(subject, articles, size, seed)
    asked = inputs.neuron if inputs.neurons else None
    return census(comparable(subject, question), contrast, windows, asked, seed, progress)


def summary(result: Census, top: int = 20) -> dict[str, Any]:
    """The result in plain values; neurons in the order of each measure, pairs of each measure."""
    return {
        "target": result.target,
        "neuron": result.neuron,
        "pairs": pair_rows(result, "raw")[:top],
        "for_token": _order_rows(result, "raw"),
        "hubs": hub_rows(result),
        "hub_corrected": {
            "pairs": pair_rows(result, "standardised")[:top],
            "for_token": _order_rows(result, "standardised"),
        },
        "orders": {name: _order_rows(result, name) for name in result.orders},
        "mutual_pairs": dict(zip(result.measures, result.mutual[:, 0], strict=True)),
        "mutual_pairs_unmerged": dict(zip(result.measures, result.mutual[:, 1], strict=True)),
        "asked": _own(result),
        "behaviour": _behaviour(result),
        "frozen_at": result.frozen_at or None,
    }


def pair_rows(result: Census, measure: str) -> list[dict[str, Any]]:
    """The best pairs by one measure."""
    place = result.measures.index(measure)
    return [
        {
            "token": result.pair_tokens[i],
            "neuron": result.pair_units[i],
            "score": result.pair_score[i],
            "token_gap": result.pair_token_gap[i],
            "neuron_gap": result.pair_neuron_gap[i],
            "score_unmerged": result.pair_single_score[i],
        }
        for i in np.flatnonzero(result.pair_measure == place)
    ]


def hub_rows(result: Census) -> list[dict[str, Any]]:
    """The neurons that are first for most tokens, by every measure."""
    kinds = (*result.measures, "embedding")
    return [
        {
            "neuron": unit,
            "measure": kinds[kind],
            "tokens": int(count),
            "of": int(result.hub_tokens[kind]),
        }
        for unit, kind, count in zip(
            result.hub_units, result.hub_measure, result.hub_counts, strict=True
        )
    ]


def _order_rows(result: Census, order: str) -> list[dict[str, Any]]:
    place = result.orders.index(order)
    rows = zip(result.order_units[place], result.order_values[place], strict=True)
    return [{"neuron": unit, "value": value} for unit, value in rows]


def _own(result: Census) -> list[dict[str, Any]]:
    """The asked neuron and the target's word: rank, gaps and score by every measure."""
    return [
        {
            "measure": measure,
            "value": result.order_value[i],
            "rank": result.order_rank[i],
            "token_gap": result.own_gaps[i, 0, 0],
            "neuron_gap": result.own_gaps[i, 0, 1],
            "token_gap_unmerged": result.own_gaps[i, 1, 0],
            "neuron_gap_unmerged": result.own_gaps[i, 1, 1],
            "rank_among_pairs": result.own_rank[i],
        }
        for i, measure in enumerate(result.measures)
    ]


def _behaviour(result: Census) -> dict[str, Any] | None:
    """Correlations of activation and prediction, by measure: pairs, controls, and differences."""
    if not result.agreement_tokens:
        return None
    return {
        "tokens": result.agreement_tokens,
        "windows": result.windows,
        "asked": dict(zip(result.outcomes, result.own_correlation, strict=True)),
        "measures": [
            {
                "measure": measure,
                "outcome": outcome,
                "pairs": result.pairs_read[i, j],
                "correlation": result.correlation[i, j, 0],
                "permuted": result.correlation[i, j, 1],
                "permuted_within_layer": result.correlation[i, j, 2],
                "difference": result.advantage[i, j, 0],
                "difference_within_layer": result.advantage[i, j, 1],
                "size": result.size[i, j],
                "size_difference": result.size_advantage[i, j, 0],
                "own_token_first": result.first[i, j, 0],
                "own_token_last": result.first[i, j, 1],
                "rank_correlation_with_score": result.score_correlation[i, j],
            }
            for i, measure in enumerate(result.measures)
            for j, outcome in enumerate(result.outcomes)
        ],
    }
