"""What the intervals and tests of an experiment's claims rest on.

An experiment whose sentences tell an interval has ``grounds`` in ``facts.py``, which reads off its
facts and its Result what was drawn again for each claim, and how many there were. A claim that the
question does not have has no ground. What a claim is called stands among its sentences.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Unit = Literal[
    "article", "frame", "neuron_and_word", "prompt", "prompt_pair", "redraw", "rotation", "word"
]
"""What is taken for a sample: drawn anew as a whole, for what lies within it is not independent."""

Test = Literal["bootstrap", "shuffles", "wilson", "wilson_of_texts", "extremes"]
"""How doubt is measured: the bootstrap, shuffled labels, Wilson's interval, the same of
the effective sample size, or the smallest and the largest of the draws."""

Correction = Literal["bonferroni", "largest"]
"""How several intervals are made to hold at once: by Bonferroni's levels, or by the largest of the
differences over its error."""


@dataclass(frozen=True)
class Ground:
    """What one claim rests on.

    Attributes:
        claim: its name; ``ground_NAME`` among the sentences says what it is.
        samples: units that are drawn again, and how many there are of each.
        test: by which its doubt is told.
        at_once: how many intervals hold at once; 1 where each holds by itself.
        correction: how they are made to.
    """

    claim: str
    samples: Mapping[Unit, int]
    test: Test
    at_once: int = 1
    correction: Correction = "bonferroni"
