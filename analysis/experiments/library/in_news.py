"""How good a sign the best neuron of each question is, on news, that the target comes next."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from analysis.contrast import Contrast
from analysis.engines.reading import NO_TOKEN, batches, read, windows
from analysis.experiments.library.measured import Library, one
from analysis.neuron import Neuron, parse_neuron
from analysis.numbers.discrimination import detector
from analysis.progress import Progress, silent
from analysis.scanning.scan import BATCH_TOKENS, WINDOW_TOKENS
from analysis.subject import Subject


def in_news(
    subject: Subject,
    rows: Sequence[Library],
    contrasts: Sequence[Sequence[Contrast]],
    documents: Sequence[tuple[int, str]],
    progress: Progress = silent,
) -> list[Library]:
    """The rows with what their best neurons tell of the target on news; one pass serves them all.

    Args:
        subject: the model.
        rows: one question each.
        contrasts: those of its pairs; where one of their targets follows, the target does.
        documents: numbered texts, the first of which chooses a threshold, the second judges, and
            so on.
        progress: told the finished fraction.
    """
    measured = [row for row in rows if row.measured[0]]
    if not (measured and documents):
        return [replace(row, documents=len(documents)) for row in rows]
    neurons = [parse_neuron(row.best[0], subject.n_layers, subject.d_mlp) for row in measured]
    values, following, place = _columns(subject, neurons, documents, progress)
    column, found = iter(values.T), []
    for row, own in zip(rows, contrasts, strict=True):
        awaited = sorted({token for each in own for token in each.targets})
        judged: dict[str, Any] = {"awaited": one(len(awaited))}
        if row.measured[0]:
            follows = np.isin(following, awaited)
            judged |= _judged(int(row.sign[0]), next(column), follows, place)
        found.append(replace(row, documents=len(documents), **judged))
    return found


def _columns(
    subject: Subject,
    neurons: Sequence[Neuron],
    documents: Sequence[tuple[int, str]],
    progress: Progress,
) -> tuple[Float[np.ndarray, "token neuron"], Int[np.ndarray, " token"], Int[np.ndarray, " token"]]:
    """The neurons' activations; the next token; the place of the text among the documents.

    Left out are the first token of a window, on which models park their attention, and the last,
    after which nothing is known. The longest windows come first, so that little is padded.
    """
    numbered = [(place, text) for place, (_, text) in enumerate(documents)]
    pieces = sorted(windows(subject, numbered, WINDOW_TOKENS), key=lambda each: -len(each.tokens))
    layers, done = {neuron.layer for neuron in neurons}, 0
    values, following, places = [], [], []
    for batch in batches(pieces, subject.arithmetic.tokens_a_pass(BATCH_TOKENS, subject.d_mlp)):
        reading = read(subject, batch, layers, logits=False)
        kept = (reading.following != NO_TOKEN) & (reading.pos > 0)
        own = [reading.activations[n.layer][kept, n.number] for n in neurons]
        owner = torch.tensor([window.document for window in batch])
        values.append(torch.stack(own, 1).float().cpu().numpy())
        following.append(reading.following[kept].cpu().numpy())
        places.append(owner[reading.window[kept].cpu()].numpy())
        done += len(batch)
        progress(done / len(pieces))
    return np.concatenate(values), np.concatenate(following), np.concatenate(places)


def _judged(
    sign: int,
    values: Float[np.ndarray, " token"],
    follows: Bool[np.ndarray, " token"],
    place: Int[np.ndarray, " token"],
) -> dict[str, Any]:
    """A threshold, chosen on every second text, and how good a sign it is on the others."""
    place = np.unique(place, return_inverse=True)[1]  # a text without tokens takes no turn
    found = detector(values, follows, place, sign)
    halves = [follows & (place % 2 == half) for half in (0, 1)]
    return {
        "tokens": one(int((place % 2 == 1).sum())),
        "occurrences": np.array([[int(half.sum()) for half in halves]]),
        "occurs_in": np.array([[len(np.unique(place[half])) for half in halves]]),
        "threshold": np.array([sign * found.threshold], np.float32),
        "marked": one(found.detected),
        "precision": np.array([found.precision], np.float32),
        "recall": np.array([found.recall], np.float32),
    }
