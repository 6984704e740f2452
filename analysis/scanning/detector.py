"""A neuron taken as a sign that a token comes next: from which activation on, and how good a sign.

Texts come in two halves: one chooses the threshold, the other counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from analysis.contrast import Contrast
from analysis.engines.reading import NO_TOKEN, batches, read, windows
from analysis.neuron import Neuron
from analysis.numbers.discrimination import best_threshold
from analysis.numbers.estimates import share_of_tokens
from analysis.progress import Progress, part_of
from analysis.subject import Subject

WINDOW = 256
"""Longest stretch of a text that is read at once, in tokens."""

FEWEST = 10
"""Occurrences of the target below which a threshold chosen on them would be chance."""


@dataclass(frozen=True)
class Detected:
    """How well a threshold on a neuron tells that the target comes next.

    Attributes:
        threshold: of the activation times its sign.
        chosen_on: tokens followed by the target in the texts that chose the threshold.
        tokens: tokens of the other texts, on which the rest is counted.
        followed: those that the target follows.
        active: those on which the neuron reaches the threshold.
        active_followed: both.
        foreseen: those after which the target is the model's own first choice.
        foreseen_followed: both that and followed by it.
        shares: precision and recall of the neuron, then of the model's own first choice, each with
            the ends of its 95 % interval over texts (``share_of_tokens``).
    """

    threshold: float
    chosen_on: int
    tokens: int
    followed: int
    active: int
    active_followed: int
    foreseen: int
    foreseen_followed: int
    shares: Float[np.ndarray, "4 3"]


@dataclass(frozen=True)
class Detector:
    """Which neuron is read, times which sign, as a sign of which target."""

    subject: Subject
    neuron: Neuron
    contrast: Contrast
    sign: int

    def detect(
        self, texts: Sequence[tuple[int, str]], default: float, progress: Progress
    ) -> Detected:
        """Choose the threshold on every other text, the first one included, and count on the rest.

        Args:
            texts: (number, text).
            default: the threshold where the target comes too rarely in the texts that choose it.
            progress: told the finished fraction.
        """
        values, follows, *_ = self.columns(texts[::2], part_of(progress, 0.0, 0.5))
        chosen_on = int(follows.sum())
        threshold = best_threshold(values, follows) if chosen_on >= FEWEST else default
        values, follows, first, text = self.columns(texts[1::2], part_of(progress, 0.5, 1.0))
        active = values >= threshold
        return Detected(
            threshold=threshold,
            chosen_on=chosen_on,
            tokens=len(values),
            followed=int(follows.sum()),
            active=int(active.sum()),
            active_followed=int((active & follows).sum()),
            foreseen=int(first.sum()),
            foreseen_followed=int((first & follows).sum()),
            shares=np.array(
                [
                    share_of_tokens(np.bincount(text, sign & follows), np.bincount(text, of))
                    for sign in (active, first)
                    for of in (sign, follows)
                ]
            ),
        )

    def columns(
        self, texts: Sequence[tuple[int, str]], progress: Progress
    ) -> tuple[
        Float[np.ndarray, " token"],
        Bool[np.ndarray, " token"],
        Bool[np.ndarray, " token"],
        Int[np.ndarray, " token"],
    ]:
        """Activation times sign; target comes next; target is the model's first choice; the text.

        Texts are told by their place.

        Left out are the first token of a window, on which models park their attention, and the
        last, after which nothing is known.
        """
        subject, layer = self.subject, self.neuron.layer
        pieces = list(windows(subject, texts, WINDOW))
        values, marks, done = [np.zeros(0, dtype=np.float32)], [np.zeros((2, 0), dtype=bool)], 0
        places, owners = {number: place for place, (number, _) in enumerate(texts)}, []
        for batch in batches(pieces):
            reading = read(subject, batch, [layer])
            kept = ((reading.following != NO_TOKEN) & (reading.pos > 0)).cpu().numpy()
            activation = reading.activations[layer][:, self.neuron.number].float()
            values.append(self.sign * activation.cpu().numpy()[kept])
            rows = map(self.contrast.is_target, (reading.following, reading.logits.argmax(-1)))
            marks.append(np.stack([row.cpu().numpy()[kept] for row in rows]))
            owner = np.array([places[window.document] for window in batch], dtype=int)
            owners.append(owner[reading.window.cpu().numpy()[kept]])
            done += len(batch)
            progress(done / len(pieces))
        follows, first = np.concatenate(marks, axis=1)
        nobody = np.zeros(0, dtype=int)
        return np.concatenate(values), follows, first, np.concatenate([nobody, *owners])


def quieted(clean: float, corrupted: float) -> bool:
    """Whether the corrupted prompt excites a neuron that the clean one quiets.

    Both activations are times the sign of their difference.
    """
    return corrupted < 0 and clean < -corrupted / 2


def halfway(clean: float, corrupted: float) -> float:
    """The threshold where none can be chosen, from a neuron's activations at the prompts' ends.

    Half the clean prompt's; where that prompt quiets the neuron, which leaves nothing to halve,
    the middle between both. Activations and threshold are times the sign of their difference.
    """
    return (clean + corrupted) / 2 if quieted(clean, corrupted) else clean / 2
