"""Questions to ask of the Space, and how a user's mistake has to be told."""

import random
import re

from space.view import View
from tests import tiny
from tests.conftest import CLEAN, CORRUPTED, make_subject

NEURON = "L1N3"
VIEW = View(model="tiny", clean=CLEAN, corrupted=CORRUPTED, neuron=NEURON)
"""A question that every tiny model can answer."""

OPTIONS = {
    "following": {"row": 0, "position": 3},
    "activations": {"beside": True, "seed": 1},
    "scan": {"articles": 2, "seed": 3},
    "sweep": {"screen": 64},
    "intervene": {"factor": -2.5},
    "writers": {"token": " egg"},
}
"""Options as the tabs give them; the other questions have none."""

ARTICLES = tuple(
    (number, "".join(random.Random(number).choices(tiny.VOCABULARY[2:], k=60)))
    for number in range(20)
)
"""A corpus in the tiny models' own words."""


def tiny_loader(name, _device):
    """A tiny model of the architecture that stands in its name; a llama where none does."""
    return make_subject(name.partition("-")[2] or "llama")


def is_one_sentence(text):
    """Whether an error says one thing and ends."""
    quoted = re.sub(r"'[^']*'|\"[^\"]*\"|\[.*\]", "it", text)
    ended = text.endswith(".") and not re.search(r"[.!?] +[A-Z]", quoted)
    return ended and "\n" not in text and len(text) < 400
