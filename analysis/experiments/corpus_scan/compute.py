"""Experiment 8: what does a neuron do on a corpus, and does it tell where the target comes?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from analysis import corpus
from analysis.contrast import Contrast
from analysis.engines.reading import windows
from analysis.experiments.corpus_scan.followed import LABELS, WORDS, bands, separated
from analysis.experiments.corpus_scan.quadrants import SIGNS, quadrants
from analysis.inputs import Inputs
from analysis.neuron import Neuron
from analysis.progress import Progress, silent
from analysis.result import Result
from analysis.scanning.examples import Example, examples
from analysis.scanning.scan import WINDOW_TOKENS, Engine, Scan, scan, started
from analysis.subject import Subject


@dataclass(frozen=True)
class CorpusScan(Result):
    """A neuron on a corpus, and for it and its rivals what comes next by how active they are.

    The first token of every window is left out: models park their attention there. Tokens of one
    document are not independent, so every interval is a 95 % one over documents.

    Attributes:
        neurons: the neurons looked at closely, the asked one first, then its rivals.
        target: the token asked for.
        foil: the token it competes with.
        documents: how many documents were read.
        tokens: how many tokens counted.
        known: of how many of them the text's next token is known.
        window: tokens that the model saw at once.
        top_count: tokens after which the target is the model's first choice.
        next_count: tokens that the target really follows.
        foil_count: tokens that the foil really follows.
        band_edges: activations of the asked neuron between which its bands lie: its lowest, those
            at the quantiles ``EDGES``, its highest.
        band_tokens: tokens per band, of those with a known next one.
        band_hits: of these, tokens that the target follows, and that the foil follows.
        band_documents: in how many documents those hits stand.
        band_share: hits among the tokens of the band, and the interval's two ends.
        end_excess: for the lowest band and the highest, that share less the share among all other
            tokens, and the two ends of an interval that holds for both ends and words at once.
        labels: names along the ``label`` axis, see ``LABELS``.
        label_documents: in how many documents positives stand; for ``which``, the fewer of those in
            which the target follows and in which the foil does.
        auc: how well the activation tells positives from the rest, and the interval's two ends.
        model_auc: how well the model itself does, by its probability of the target, and for
            ``which`` by its logit difference. For ``top`` that would be no question.
        rival_gain: how much farther from 0.5 each rival's AUC for ``next`` lies than the asked
            neuron's, and the two ends of an interval that holds for all rivals at once.
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
        quadrant_tokens: tokens with a known next one, by the signs of the asked neuron's gate and
            up: + +, + -, - +, - -. Where it is not gated there are no quadrants.
        quadrant_mean: mean activation there; NaN where there is no token.
        quadrant_ends: of the lowest band and of the highest, how many tokens lie there.
        quadrant_hits: tokens there that the target follows, and that the foil follows.
        quadrant_share: their share of the quadrant's tokens, and the interval's two ends.
        quadrant_of: number of the quadrant that each of its examples, the largest activations in
            size, is from.
        quadrant_factors: gate, up and activation of each.
        quadrant_before: text before it.
        quadrant_token: the token itself.
        quadrant_after: the token that follows.
    """

    neurons: tuple[str, ...]
    target: str
    foil: str
    documents: int
    tokens: int
    known: int
    window: int
    top_count: int
    next_count: int
    foil_count: int
    band_edges: Float[np.ndarray, " edge"]
    band_tokens: Int[np.ndarray, " band"]
    band_hits: Int[np.ndarray, "2 band"]
    band_documents: Int[np.ndarray, "2 band"]
    band_share: Float[np.ndarray, "2 band 3"]
    end_excess: Float[np.ndarray, "2 2 3"]
    labels: tuple[str, ...]
    label_documents: Int[np.ndarray, " label"]
    auc: Float[np.ndarray, "chosen label 3"]
    model_auc: Float[np.ndarray, "label 3"]
    rival_gain: Float[np.ndarray, "rival 3"]
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
    quadrant_tokens: Int[np.ndarray, " quadrant"]
    quadrant_mean: Float[np.ndarray, " quadrant"]
    quadrant_ends: Int[np.ndarray, "2 quadrant"]
    quadrant_hits: Int[np.ndarray, "2 quadrant"]
    quadrant_share: Float[np.ndarray, "2 quadrant 3"]
    quadrant_of: Int[np.ndarray, " shown"]
    quadrant_factors: Float[np.ndarray, "shown 3"]
    quadrant_before: tuple[str, ...]
    quadrant_token: tuple[str, ...]
    quadrant_after: tuple[str, ...]


def run(subject: Subject, inputs: Inputs, progress: Progress) -> CorpusScan:
    """The neuron and its rivals on random articles, or on all."""
    return corpus_scan(
        subject,
        inputs.neurons,
        inputs.question.contrast(subject),
        texts(inputs),
        inputs["seed"],
        progress=progress,
        engine=partial(scan, layers={neuron.layer for neuron in inputs.neurons}),
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
        "quadrants": [_quadrant(result, i) for i in range(len(result.quadrant_tokens))],
        "curve": [_band(result, i) for i in range(len(result.band_tokens))],
        **{
            name: _by_label(result, getattr(result, name)[0])
            for name in ("auc", "precision", "recall")
        },
        "model_auc": _by_label(result, result.model_auc),
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


def _band(result: CorpusScan, i: int) -> dict[str, Any]:
    row = {"from": result.band_edges[i], "to": result.band_edges[i + 1]}
    row["tokens"] = result.band_tokens[i]
    for word, name in enumerate(WORDS):
        row[f"{name}_follows"] = result.band_hits[word, i]
        row[f"{name}_documents"] = result.band_documents[word, i]
        row[f"{name}_share"] = result.band_share[word, i, 0]
        row[f"{name}_interval"] = result.band_share[word, i, 1:]
    return row


def _quadrant(result: CorpusScan, i: int) -> dict[str, Any]:
    gate, up = ("+" if above else "-" for above in SIGNS[i])
    row = {"gate": gate, "up": up, "tokens": result.quadrant_tokens[i]}
    row |= {"activation": result.quadrant_mean[i], "lowest": result.quadrant_ends[0, i]}
    row["highest"] = result.quadrant_ends[1, i]
    for word, name in enumerate(WORDS):
        row[f"{name}_follows"] = result.quadrant_hits[word, i]
        row[f"{name}_share"] = result.quadrant_share[word, i, 0]
        row[f"{name}_interval"] = result.quadrant_share[word, i, 1:]
    texts = zip(
        result.quadrant_factors, result.quadrant_before, result.quadrant_token,
        result.quadrant_after, strict=True,
    )  # fmt: skip
    names = ("gate", "up", "value", "context", "token", "next")
    row["examples"] = [
        dict(zip(names, (*factors, *text), strict=True))
        for quadrant, (factors, *text) in zip(result.quadrant_of, texts, strict=True)
        if quadrant == i
    ]
    return row


def _by_label(result: CorpusScan, values: Float[np.ndarray, "label 3"]) -> dict[str, Any]:
    rows = zip(result.labels, values, strict=True)
    return {label: {"value": row[0], "interval": row[1:]} for label, row in rows}


def corpus_scan(
    subject: Subject,
    neurons: Sequence[Neuron],
    contrast: Contrast,
    documents: Sequence[tuple[int, str]],
    seed: int = 0,
    so_far: Scan | None = None,
    keep: Callable[[Scan], None] = lambda _scan: None,
    progress: Progress = silent,
    engine: Engine = scan,
) -> CorpusScan:
    """Read documents once and look closely at a few neurons.

    Args:
        subject: the model.
        neurons: those to look at closely, the asked one first.
        contrast: its target is the token whose coming is to be told.
        documents: numbered texts, in the order in which they are read.
        seed: of the random sample of tokens and of the bootstraps.
        so_far: an earlier scan of the same that was broken off.
        keep: given the scan after every shard, to save it.
        progress: told the finished fraction.
        engine: what reads the shards.
    """
    pieces = list(windows(subject, documents, window_of(subject)))
    done = begun = so_far or started(subject, neurons)
    for done in engine(subject, pieces, neurons, contrast, seed, begun):
        keep(done)
        progress(done.windows / len(pieces))
    found = examples(subject, done, neurons[0], dict(documents), pieces)
    records = done.records
    progress(1.0)
    by_band = bands(records, seed)
    progress(1.0)  # whoever waits may leave between two bootstraps
    return CorpusScan(
        neurons=tuple(map(str, neurons)),
        target=contrast.target,
        foil=contrast.foil,
        documents=len(documents),
        tokens=len(records.document),
        known=int(records.next_is_known.sum()),
        window=window_of(subject),
        top_count=int(records.top_is_target.sum()),
        next_count=int(records.next_is_target.sum()),
        foil_count=int(records.next_is_foil.sum()),
        **by_band,
        labels=LABELS,
        **separated(records, seed),
        **_columns(found),
        **quadrants(subject, records, by_band["band_edges"], dict(documents)),
    )


def window_of(subject: Subject) -> int:
    """Tokens that the model sees at once, BOS not counted."""
    return min(WINDOW_TOKENS, subject.context - int(subject.prepend_bos))


def _columns(found: Sequence[Example]) -> dict[str, Any]:
    return {
        "kinds": tuple(example.kind for example in found),
        "values": np.array([example.value for example in found], dtype=np.float64),
        "before": tuple(example.before for example in found),
        "token": tuple(example.token for example in found),
        "after": tuple(example.after for example in found),
        "articles": tuple(example.document for example in found),
    }
