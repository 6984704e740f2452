"""Do neurons that write a word fire where the model predicts it? Pairs against permuted pairs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int

from analysis.cross import CrossMoments, advantages, rank_correlation
from analysis.pairs import Pairs
from analysis.progress import Progress, silent
from analysis.reading import Window, batches, read, windows
from analysis.statistics import ratio_interval
from analysis.subject import Subject

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
        edges: edges of the histograms of correlations.
        own_counts: by measure, pairs by the correlation of the neuron's activation with the
            log-probability of its word's token.
        other_counts: the same for the neurons with the other pairs' tokens.
        layer_counts: the same, tokens of pairs of the same layer only.
        pairs_read: how many pairs that was, best score first.
        correlation: mean correlation of the pairs, of the permuted pairs, and of those permuted
            within their layer.
        advantage: own less permuted, with its 95 % interval over pairs; then within layers.
        first: share of pairs whose own token goes with the neuron best of all pairs' tokens.
        score_correlation: rank correlation of score and correlation, with its 95 % interval.
        followed_pairs: pairs whose token comes next often enough to be counted.
        followed: mean activation before the pair's own token, in standard deviations from the
            neuron's mean; the same for permuted pairs.
        followed_advantage: own less permuted, with its 95 % interval over pairs.
        asked_correlation: that of the asked neuron and the target; one value.
    """

    windows: int
    agreement_tokens: int
    edges: Float[np.ndarray, " edge"]
    own_counts: Int[np.ndarray, "measure bin"]
    other_counts: Int[np.ndarray, "measure bin"]
    layer_counts: Int[np.ndarray, "measure bin"]
    pairs_read: Int[np.ndarray, " measure"]
    correlation: Float[np.ndarray, "measure 3"]
    advantage: Float[np.ndarray, "measure control estimate"]
    first: Float[np.ndarray, " measure"]
    score_correlation: Float[np.ndarray, "measure estimate"]
    followed_pairs: Int[np.ndarray, " measure"]
    followed: Float[np.ndarray, "measure 2"]
    followed_advantage: Float[np.ndarray, "measure estimate"]
    asked_correlation: Float[np.ndarray, " 1"]


def draw_windows(
    subject: Subject, documents: Iterable[tuple[int, str]], length: int, seed: int
) -> list[Window]:
    """One stretch of each document, drawn at random among its windows of so many tokens."""
    generator = np.random.default_rng(seed)
    drawn = []
    for document in documents:
        pieces = list(windows(subject, [document], min(length, subject.context - 1)))
        if pieces:
            drawn.append(pieces[int(generator.integers(len(pieces)))])
    return drawn


def agreement(
    subject: Subject,
    pairs: Sequence[Pairs],
    asked: tuple[int, int],
    texts: Sequence[Window],
    seed: int = 0,
    progress: Progress = silent,
) -> Agreement:
    """Correlate each pair's signed activation with its token's log-probability over texts.

    The first token of every window is left out: there many models have activations of a size that
    they have nowhere else, which would decide every correlation.

    Args:
        subject: the model.
        pairs: best score first, one set for each measure.
        asked: one more unit and token.
        texts: what is read; none leaves every answer undefined.
        seed: of the bootstrap.
        progress: told how far it is.
    """
    moments = [_moments(subject, p.units.tolist(), p.tokens.tolist()) for p in pairs]
    single = _moments(subject, [asked[0]], [asked[1]])
    _read(subject, [*moments, single], texts, progress)
    parts = [_compare(m, p.score, seed) for m, p in zip(moments, pairs, strict=True)]
    told = single.correlations()[0] if single.count else np.full(1, np.nan)
    return Agreement(
        windows=len(texts),
        agreement_tokens=single.count,
        edges=EDGES,
        asked_correlation=told,
        **{name: np.stack([part[name] for part in parts]) for name in parts[0]},
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
    """Pairs against the permuted ones, of one measure."""
    values, layers = moments.correlations(), moments.layers
    same = layers[:, None] == layers
    off = ~np.eye(len(values), dtype=bool)
    own = np.diag(values)
    anywhere, within = _advantage(values, off, seed), _advantage(values, off & same, seed)
    return {
        "own_counts": np.histogram(own, EDGES)[0],
        "other_counts": np.histogram(values[off], EDGES)[0],
        "layer_counts": np.histogram(values[off & same], EDGES)[0],
        "pairs_read": np.array(len(values) if moments.count else 0),
        "correlation": np.array([_mean(own), _mean(values[off]), _mean(values[off & same])]),
        "advantage": np.stack([anywhere, within]),
        "first": np.array(_mean((own >= values.max(1)).astype(float)) if len(own) else np.nan),
        "score_correlation": np.array(rank_correlation(score, own, seed)),
        **_followed(moments, seed),
    }


def _advantage(
    values: Float[np.ndarray, "pair pair"], allowed: np.ndarray, seed: int
) -> Float[np.ndarray, " 3"]:
    own, controls, _ = advantages(values, allowed)
    gained = own - controls
    return np.array([_mean(gained), *ratio_interval(gained, np.ones_like(gained), seed)])


def _followed(moments: CrossMoments, seed: int) -> dict[str, np.ndarray]:
    """The same question of the text itself, where the token really comes next."""
    often = np.flatnonzero(moments.follows.numpy() >= LEAST_FOLLOWED)
    shifts = moments.shifts()[np.ix_(often, often)]
    off = ~np.eye(len(often), dtype=bool)
    return {
        "followed_pairs": np.array(len(often)),
        "followed": np.array([_mean(np.diag(shifts)), _mean(shifts[off])]),
        "followed_advantage": _advantage(shifts, off, seed),
    }


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else float("nan")
