"""Experiment 8: what does a neuron do on a corpus, and does it tell where the target comes?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from einops import rearrange
from jaxtyping import Float, Int

from analysis import corpus
from analysis.engines.reading import windows
from analysis.inputs import Inputs
from analysis.neuron import Neuron
from analysis.numbers.discrimination import auc, auc_interval, detector
from analysis.numbers.statistics import share_interval
from analysis.progress import Progress, silent
from analysis.prompts import Contrast
from analysis.result import Result
from analysis.scanning.examples import Example, examples
from analysis.scanning.scan import WINDOW_TOKENS, Scan, scan
from analysis.scanning.tallies import Records
from analysis.subject import Subject

BIN = 0.2
"""Width of the curve's activation bins."""

LABELS = ("top", "next", "which")
"""Positive tokens: the model's first choice is the target; the text goes on with the target; and
that again, but only among tokens that target or foil follows: which of the two is it?"""


@dataclass(frozen=True)
class CorpusScan(Result):
    """Every neuron on a corpus, and for some of them what comes next by how active they are.

    The first token of every window is left out: models park their attention there.

    Attributes:
        neurons: the neurons looked at closely, the asked one first, then its rivals.
        target: the token asked for.
        foil: the token it competes with.
        documents: how many documents were read.
        tokens: how many tokens counted.
        known: of how many of them the text's next token is known.
        window: tokens that the model saw at once.
        mean: mean activation of every neuron.
        deviation: standard deviation of every neuron.
        highest: highest activation of every neuron.
        lowest: lowest activation of every neuron.
        top_count: tokens after which the target is the model's first choice.
        next_count: tokens that the target really follows.
        foil_count: tokens that the foil really follows.
        bin_start: lower edges of the bins of activation that hold any token, in steps of ``BIN``.
        bin_tokens: tokens per bin, for each neuron.
        bin_known: of those, tokens with a known next one.
        bin_top: of the tokens, those after which the model's first choice is the target.
        bin_next: of the known ones, those that the target really follows.
        bin_foil: of the known ones, those that the foil really follows.
        bin_p_target: mean probability of the target in each bin, 0 in an empty one.
        labels: names along the ``label`` axis, see ``LABELS``.
        auc: how well the activation tells positives from the rest, and the interval's two ends.
        direction: 1 if high activations were chosen to count as a detection, -1 if low ones.
        threshold: activation from which on the target is expected, chosen on half the documents.
        counts: on the other half: detected tokens, positives, and hits.
        precision: hits among the detected there, and the interval's two ends.
        recall: hits among the positives there, and the interval's two ends.
        kinds: for each example of the asked neuron ``highest``, ``lowest``, or its quantile.
        values: activation of each example.
        before: text before it.
        token: the token itself.
        after: the token that follows it, empty at the end of its document.
        articles: number of the document that each example is from.
    """

    neurons: tuple[str, ...]
    target: str
    foil: str
    documents: int
    tokens: int
    known: int
    window: int
    mean: Float[np.ndarray, "layer d_mlp"]
    deviation: Float[np.ndarray, "layer d_mlp"]
    highest: Float[np.ndarray, "layer d_mlp"]
    lowest: Float[np.ndarray, "layer d_mlp"]
    top_count: int
    next_count: int
    foil_count: int
    bin_start: Float[np.ndarray, " bin"]
    bin_tokens: Int[np.ndarray, "chosen bin"]
    bin_known: Int[np.ndarray, "chosen bin"]
    bin_top: Int[np.ndarray, "chosen bin"]
    bin_next: Int[np.ndarray, "chosen bin"]
    bin_foil: Int[np.ndarray, "chosen bin"]
    bin_p_target: Float[np.ndarray, "chosen bin"]
    labels: tuple[str, ...]
    auc: Float[np.ndarray, "chosen label 3"]
    direction: Int[np.ndarray, "chosen label"]
    threshold: Float[np.ndarray, "chosen label"]
    counts: Int[np.ndarray, "chosen label 3"]
    precision: Float[np.ndarray, "chosen label 3"]
    recall: Float[np.ndarray, "chosen label 3"]
    kinds: tuple[str, ...]
    values: Float[np.ndarray, " example"]
    before: tuple[str, ...]
    token: tuple[str, ...]
    after: tuple[str, ...]
    articles: tuple[int, ...]


def run(subject: Subject, inputs: Inputs, progress: Progress) -> CorpusScan:
    """The neuron and its rivals on random articles, or on all."""
    return corpus_scan(
        subject,
        inputs.neurons,
        inputs.question.contrast(subject),
        texts(inputs),
        inputs["seed"],
        progress=progress,
    )


def texts(inputs: Inputs) -> list[tuple[int, str]]:
    """The numbered articles that are read."""
    return corpus.sample(inputs["documents"] or len(corpus.articles()), inputs["seed"])


def summary(result: CorpusScan) -> dict[str, Any]:
    """The asked neuron in plain values: examples, curve, precision and recall."""
    return {
        "neuron": result.neurons[0],
        "target": result.target,
        "documents": result.documents,
        "tokens": result.tokens,
        "target_is_first_choice": result.top_count,
        "target_follows": result.next_count,
        "foil_follows": result.foil_count,
        "top": _examples(result, "highest"),
        "bottom": _examples(result, "lowest"),
        "quantiles": _examples(result, None),
        "curve": [_bin(result, i) for i in np.flatnonzero(result.bin_tokens[0])],
        **{name: _by_label(result, name) for name in ("auc", "precision", "recall")},
        "rivals": [
            {"neuron": name, **{f"auc_{k}": row[0] for k, row in zip(LABELS, rows, strict=True)}}
            for name, rows in zip(result.neurons[1:], result.auc[1:], strict=True)
        ],
    }


def _examples(result: CorpusScan, kind: str | None) -> list[dict[str, Any]]:
    rows = []
    for i, found in enumerate(result.kinds):
        if found == kind or (kind is None and found not in ("highest", "lowest")):
            quantile = {} if kind else {"quantile": float(found)}
            rows.append(
                {
                    **quantile,
                    "value": result.values[i],
                    "context": result.before[i],
                    "token": result.token[i],
                    "next": result.after[i],
                }
            )
    return rows


def _bin(result: CorpusScan, index: Any) -> dict[str, Any]:
    tokens, known = (int(a[0, index]) for a in (result.bin_tokens, result.bin_known))
    top, following = (int(a[0, index]) for a in (result.bin_top, result.bin_next))
    return {
        "from": result.bin_start[index],
        "tokens": tokens,
        "p_top": top / tokens,
        "p_top_interval": share_interval(top, tokens),
        "p_next": following / known if known else None,
        "p_foil": int(result.bin_foil[0, index]) / known if known else None,
        "p_next_interval": share_interval(following, known) if known else None,
    }


def _by_label(result: CorpusScan, name: str) -> dict[str, Any]:
    values = getattr(result, name)[0]
    return {
        label: {"value": values[i, 0], "interval": values[i, 1:]}
        for i, label in enumerate(result.labels)
    }


def corpus_scan(
    subject: Subject,
    neurons: Sequence[Neuron],
    contrast: Contrast,
    documents: Sequence[tuple[int, str]],
    seed: int = 0,
    so_far: Scan | None = None,
    keep: Callable[[Scan], None] = lambda _scan: None,
    progress: Progress = silent,
) -> CorpusScan:
    """Read documents once, tally every neuron, and look closely at a few.

    Args:
        subject: the model.
        neurons: those to look at closely, the asked one first.
        contrast: its target is the token whose coming is to be told.
        documents: numbered texts, in the order in which they are read.
        seed: of the random sample of tokens and of the bootstraps.
        so_far: an earlier scan of the same that was broken off.
        keep: given the scan after every shard, to save it.
        progress: told the finished fraction.
    """
    window = min(WINDOW_TOKENS, subject.context - int(subject.prepend_bos))
    pieces = list(windows(subject, documents, window))
    done = begun = so_far or Scan.empty(subject.n_layers * subject.d_mlp, len(neurons))
    for done in scan(subject, pieces, neurons, contrast, seed, begun):
        keep(done)
        progress(done.windows / len(pieces))
    found = examples(subject, done, neurons[0], dict(documents))
    records = done.records
    return CorpusScan(
        neurons=tuple(map(str, neurons)),
        target=contrast.target,
        foil=contrast.foil,
        documents=len(documents),
        tokens=len(records.document),
        known=int(records.next_is_known.sum()),
        window=window,
        **_every_neuron(subject, done),
        top_count=int(records.top_is_target.sum()),
        next_count=int(records.next_is_target.sum()),
        foil_count=int(records.next_is_foil.sum()),
        **_curves(records),
        labels=LABELS,
        **_separated(records, seed),
        **_columns(found),
    )


def _every_neuron(subject: Subject, done: Scan) -> dict[str, Any]:
    flat = {
        "mean": done.moments.mean,
        "deviation": done.moments.variance.sqrt(),
        "highest": done.highest.values[0],
        "lowest": -done.lowest.values[0],
    }
    return {
        name: rearrange(
            values.float().numpy(), "(layer d_mlp) -> layer d_mlp", layer=subject.n_layers
        )
        for name, values in flat.items()
    }


def _curves(records: Records) -> dict[str, Any]:
    """Counts by bin of activation for every chosen neuron, over the bins that any of them needs."""
    values = records.activations.double().numpy()
    bins = np.floor(values / BIN).astype(np.int64)
    kept, index = np.unique(bins, return_inverse=True)
    index = index.reshape(bins.shape)

    def counted(weights: np.ndarray) -> np.ndarray:
        columns = [np.bincount(column, weights, len(kept)) for column in index.T]
        return np.stack(columns)

    known = records.next_is_known.numpy()
    tokens = counted(np.ones(len(values)))
    return {
        "bin_start": (kept * BIN).round(6),
        "bin_tokens": tokens.astype(np.int64),
        "bin_known": counted(known).astype(np.int64),
        "bin_top": counted(records.top_is_target.numpy()).astype(np.int64),
        "bin_next": counted(records.next_is_target.numpy()).astype(np.int64),
        "bin_foil": counted(records.next_is_foil.numpy()).astype(np.int64),
        "bin_p_target": counted(records.p_target.double().numpy()) / np.maximum(tokens, 1),
    }


def _separated(records: Records, seed: int) -> dict[str, Any]:
    """AUC, precision and recall of every chosen neuron for every label."""
    document = records.document.numpy()
    everything, known = np.ones(len(document), dtype=bool), records.next_is_known.numpy()
    follows, foil = records.next_is_target.numpy(), records.next_is_foil.numpy()
    labels = (
        (records.top_is_target.numpy(), everything),
        (follows, known),
        (follows, follows | foil),
    )
    areas, detectors = [], []
    for values in records.activations.double().numpy().T:
        for positive, among in labels:
            labelled = values[among], positive[among], document[among]
            areas.append((auc(*labelled[:2]), *auc_interval(*labelled, seed)))
            detectors.append(detector(*labelled, seed))

    def table(rows: list[Any]) -> np.ndarray:
        return rearrange(np.array(rows), "(n label) ... -> n label ...", label=len(LABELS))

    return {
        "auc": table(areas),
        "direction": table([found.direction for found in detectors]),
        "threshold": table([found.threshold for found in detectors]),
        "counts": table([(found.detected, found.positives, found.hits) for found in detectors]),
        "precision": table([found.precision for found in detectors]),
        "recall": table([found.recall for found in detectors]),
    }


def _columns(found: Sequence[Example]) -> dict[str, Any]:
    return {
        "kinds": tuple(example.kind for example in found),
        "values": np.array([example.value for example in found], dtype=np.float64),
        "before": tuple(example.before for example in found),
        "token": tuple(example.token for example in found),
        "after": tuple(example.after for example in found),
        "articles": tuple(example.document for example in found),
    }
