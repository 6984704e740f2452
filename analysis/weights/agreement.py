"""Do neurons that write a word fire where the model predicts it? Pairs against permuted pairs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int

from analysis.engines.reading import Window, batches, read, windows
from analysis.numbers.statistics import ratio_interval
from analysis.progress import Progress, silent
from analysis.subject import Subject
from analysis.weights.cross import OUTCOMES, CrossMoments, advantages, rank_correlation
from analysis.weights.pairs import Pairs

BATCH_TOKENS = 512
"""Tokens read at once: every layer's activations are kept for so many."""

LEAST_FOLLOWED = 5
"""A token that really comes next less often than this in the sample tells nothing."""

EDGES = np.linspace(-1, 1, 101)


@dataclass(frozen=True)
class Agreement:
    """Whether pairs of a neuron and a word agree on text, by the measure that chose the pairs.

    Attributes:
        windows: stretches of text read, drawn at random.
        agreement_tokens: tokens read in them, the first of each left out.
        outcomes: with what activations are compared: log-probability and probability that the
            model gives the pair's token as the next one, and whether it really comes next.
        pairs_read: how many pairs, best score first, whose neuron's activation changes at all; for
            the last outcome only those whose token comes next often enough.
        edges: edges of the histograms of correlations.
        own_counts: pairs by the correlation of the neuron's activation (with its sign) and the
            outcome of its token.
        other_counts: controls: the same neurons with the other pairs' tokens; then only with those
            of pairs of the same layer.
        correlation: mean correlation of the pairs, then of each control.
        advantage: pairs less each control, with its 95 % interval over pairs.
        size: mean size of the correlation, its sign aside: of the pairs, then of each control.
        size_advantage: the same differences for sizes.
        first: share of pairs whose own token, of all pairs' tokens, goes with the neuron best; then
            share of those whose own token goes against it most.
        score_correlation: rank correlation of score and correlation, with its 95 % interval.
        own_correlation: correlation of the asked neuron and the target.
    """

    windows: int
    agreement_tokens: int
    outcomes: tuple[str, ...]
    pairs_read: Int[np.ndarray, "measure outcome"]
    edges: Float[np.ndarray, " edge"]
    own_counts: Int[np.ndarray, "measure outcome bin"]
    other_counts: Int[np.ndarray, "measure outcome control bin"]
    correlation: Float[np.ndarray, "measure outcome 3"]
    advantage: Float[np.ndarray, "measure outcome control estimate"]
    size: Float[np.ndarray, "measure outcome 3"]
    size_advantage: Float[np.ndarray, "measure outcome control estimate"]
    first: Float[np.ndarray, "measure outcome 2"]
    score_correlation: Float[np.ndarray, "measure outcome estimate"]
    own_correlation: Float[np.ndarray, " outcome"]


def draw_windows(
    subject: Subject, documents: Iterable[tuple[int, str]], length: int, seed: int
) -> list[Window]:
    """One stretch of each document, drawn at random among its windows of so many tokens."""
    generator = np.random.default_rng(seed)
    drawn = []
    for document in documents:
        pieces = list(windows(subject, [document], length))
        if pieces:
            drawn.append(pieces[int(generator.integers(len(pieces)))])
    return drawn


def agreement(
    subject: Subject,
    pairs: Sequence[Pairs],
    own: tuple[int, int],
    texts: Sequence[Window],
    seed: int = 0,
    progress: Progress = silent,
) -> Agreement:
    """Correlate each pair's signed activation with the prediction of its token over texts.

    The first token of every window is left out: there many models have activations of a size that
    they have nowhere else, which would decide every correlation.

    Args:
        subject: the model.
        pairs: best score first, one set for each measure.
        own: one more unit and token.
        texts: what is read; none leaves every answer undefined.
        seed: of the bootstrap.
        progress: told how far it is.
    """
    moments = [_moments(subject, p.units.tolist(), p.tokens.tolist()) for p in pairs]
    single = _moments(subject, [own[0]], [own[1]])
    _read(subject, [*moments, single], texts, progress)
    compared = [_compare(m, p.score, seed) for m, p in zip(moments, pairs, strict=True)]
    correlations = [
        single.correlations(name)[0, 0] if single.count else np.nan for name in OUTCOMES
    ]
    return Agreement(
        windows=len(texts),
        agreement_tokens=single.count,
        outcomes=OUTCOMES,
        edges=EDGES,
        own_correlation=np.array(correlations),
        **{name: np.stack([part[name] for part in compared]) for name in compared[0]},
    )


def _moments(subject: Subject, units: Sequence[int], tokens: Sequence[int]) -> CrossMoments:
    neurons = subject.n_layers * subject.d_mlp
    places = [divmod(unit % neurons, subject.d_mlp) for unit in units]
    signs = [1 if unit < neurons else -1 for unit in units]
    return CrossMoments([p[0] for p in places], [p[1] for p in places], signs, tokens)


def _read(
    subject: Subject, moments: Sequence[CrossMoments], texts: Sequence[Window], progress: Progress
) -> None:
    layers = sorted({int(layer) for m in moments for layer in m.layers})
    done = 0
    for batch in batches(texts, BATCH_TOKENS):
        reading = read(subject, batch, layers)
        own = reading.pos > 0
        lse = torch.logsumexp(reading.logits, -1)
        for m in moments:
            m.add(reading, lse, own)
        done += len(batch)
        progress(done / len(texts))


def _compare(
    moments: CrossMoments, score: Float[np.ndarray, " pair"], seed: int
) -> dict[str, np.ndarray]:
    """Pairs against the permuted ones, of one measure, by each outcome."""
    compared = [_by_outcome(moments, score, outcome, seed) for outcome in OUTCOMES]
    return {name: np.stack([part[name] for part in compared]) for name in compared[0]}


def _by_outcome(
    moments: CrossMoments, score: Float[np.ndarray, " pair"], outcome: str, seed: int
) -> dict[str, np.ndarray]:
    """By one outcome; the text's own next tokens tell only of tokens that come often enough.

    A neuron whose activation never changes goes with nothing, and is left out everywhere.
    """
    enough = moments.follows.numpy() >= LEAST_FOLLOWED * (outcome == OUTCOMES[-1])
    chosen = np.flatnonzero(enough & moments.alive(outcome))
    values = moments.correlations(outcome)[np.ix_(chosen, chosen)]
    layers = moments.layers[chosen]
    off = ~np.eye(len(values), dtype=bool)
    own, within = np.diag(values), off & (layers[:, None] == layers)
    controls = (off, within)
    return {
        "pairs_read": np.array(len(values)),
        "own_counts": np.histogram(own, EDGES)[0],
        "other_counts": np.stack([np.histogram(values[c], EDGES)[0] for c in controls]),
        "correlation": np.array([_mean(own), *(_mean(values[c]) for c in controls)]),
        "advantage": np.stack([_advantage(values, c, seed) for c in controls]),
        "size": np.array([_mean(np.abs(own)), *(_mean(np.abs(values[c])) for c in controls)]),
        "size_advantage": np.stack([_advantage(np.abs(values), c, seed) for c in controls]),
        "first": np.array([_first(values), _first(-values)]),
        "score_correlation": np.array(rank_correlation(score[chosen], own, seed)),
    }


def _advantage(
    values: Float[np.ndarray, "pair pair"], allowed: np.ndarray, seed: int
) -> Float[np.ndarray, " 3"]:
    gained = advantages(values, allowed)
    return np.array([_mean(gained), *ratio_interval(gained, np.ones_like(gained), seed)])


def _first(values: Float[np.ndarray, "pair pair"]) -> float:
    """Share of neurons that go with no other pair's token better than with their own."""
    return _mean((np.diag(values) >= values.max(1)).astype(float)) if len(values) else np.nan


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else float("nan")
