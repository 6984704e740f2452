"""What the owner of a Space chooses, by environment variables, and what visitors may ask."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from analysis import EMBEDDED
from analysis.errors import UserError
from analysis.loading.models import CATALOGUE
from analysis.scanning.scanned import read_key

MODELS = "AN_NEURON_MODELS"
"""Names from the catalogue, separated by commas: those a visitor can choose, the first to begin."""

TABLE = "AN_NEURON_TABLE"
"""A table that ``corpus-scan --table`` wrote as Parquet: what it says of a neuron is shown."""

ON_GPU = "gpt2-large"
"""The original study's model, where a GPU Space's owner chose none."""

TEXT_CHARACTERS = 4_000
LONGEST = 400
"""Tokens of a text."""
PAIR_TOKENS = 120
"""Prompts of a pair: patching goes with the square of their length."""
WORD_CHARACTERS = 80
"""Of a token, or of a set of tokens with bars between them."""
LIST_CHARACTERS = 600
"""Of a list of words, and of the sentence that they stand in."""
MOST_PAIRS, MOST_WORDS = 24, 40
"""Pairs that are pasted, and words of either kind."""
CONFIRMING = 8
"""Of those pairs, the ones that confirm a sweep: each costs it as much as 30 of its neurons."""
NAME_CHARACTERS = 40
QUEUE = 64
"""Questions that may wait; one more is told that the queue is full."""
SHARE = 8
"""Of those from one page or client: an eighth. A page asks one or two at a time."""
ADDRESS_SHARE = 32
"""Of those from one address, behind which a whole class may sit: half, so that others get in."""
SESSIONS = 500
"""Pages and clients of which gradio keeps something: half a megabyte of each."""
UNREAD = 2 * SHARE
"""Answers that one of them may leave unread: a page reads them as they come."""
UNHEARD = 30.0
"""Seconds after which a question is dropped for whose answer nobody listens. Pages and clients
listen at once; by hand it takes a while to copy the name of an event into a second request."""
BUDGET = 700_000
"""Passes of a token through a layer that one answer may take: an exact sweep of the embedded
model's neurons takes 668,160, half a minute on two cores. All others wait that long for it."""
AT_ONCE = 100_000
"""Of those, as many as an answer may take that comes without being wished for, on a tab that would
open empty: five seconds on two cores."""
SECONDS = 35.0
"""A machine on which as much is done sooner may do more: what it does in so many seconds."""
RATE = 20_000.0
"""Such passes in a second on two cores, where none can be measured: before a GPU is lent."""
KEPT_ANSWERS, KEPT_BYTES = 500, 64 * 2**20
"""Answers that are kept for the next who asks the same: a sweep takes 0.7 MB, most a few kB."""
BODY = 256 * 1024
"""Bytes of a request: the longest of all texts, each character escaped twice, make 250 kB."""
BODY_SECONDS = 30.0
"""Within which a request has to arrive."""


@dataclass(frozen=True)
class Settings:
    """Which models there are and where they run.

    Attributes:
        models: catalogue names, the first to begin with.
        device: as torch names it.
        zero: whether the platform lends a GPU for each call (ZeroGPU).
        table: of a scan, if there is one to show.
    """

    models: tuple[str, ...] = (EMBEDDED,)
    device: str = "cpu"
    zero: bool = False
    table: Path | None = None


def from_environment(env: Mapping[str, str] = os.environ, gpu: bool = False) -> Settings:
    """Read the owner's choice.

    Args:
        env: environment variables.
        gpu: whether a GPU is at hand all the time.

    Raises:
        UserError: a model that is not in the catalogue, or a table that is none.
    """
    zero = env.get("SPACES_ZERO_GPU", "").lower() in ("1", "true")
    default = ON_GPU if gpu or zero else EMBEDDED
    names = [name.strip() for name in env.get(MODELS, default).split(",") if name.strip()]
    known = {entry.name for entry in CATALOGUE}
    for name in names:
        if name not in known:
            raise UserError(
                f"{MODELS} names {name[:40]!r}: choose from {', '.join(sorted(known))}."
            )
    table = Path(env[TABLE]) if env.get(TABLE) else None
    if table is not None:
        read_key(table)
    models = tuple(dict.fromkeys(names)) or (default,)
    return Settings(models, "cuda" if gpu or zero else "cpu", zero, table)
