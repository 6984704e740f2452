"""Questions to ask of the Space, and how a user's mistake has to be told."""

import json
import random
import re

from analysis.experiments import EXPERIMENTS, named
from space import service
from space.panels.activations import following
from space.view import View
from tests import tiny
from tests.questions import CLEAN, CORRUPTED
from tests.subjects import make_subject

NEURON = "L1N3"
VIEW = View(model="tiny", clean=CLEAN, corrupted=CORRUPTED, neuron=NEURON)
"""A question that every tiny model can answer."""

LIVE = [each for each in EXPERIMENTS if each.app is not None]
NAMES = [each.name for each in LIVE]
FOLLOWING = "following"
"""What follows a pressed token: asked in the panel of the activations, no experiment of its own."""

ASKED = [*NAMES, FOLLOWING]

OPTIONS = {
    FOLLOWING: {"place": "0:3", "seed": 0},
    "activations": {"seed": 1},
    "corpus_scan": {"documents": 2, "seed": 3},
    "neuron_sweep": {"screen": 64},
    "intervention": {"factor": -2.5},
    "writers": {"token": " egg"},
}
"""Options as the tabs give them; the other experiments have none."""

ARTICLES = tuple(
    (number, "".join(random.Random(number).choices(tiny.VOCABULARY[2:], k=60)))
    for number in range(20)
)
"""A corpus in the tiny models' own words."""


def ask(name, view, options=None):
    """What the Space answers, by the name of the experiment."""
    given = OPTIONS.get(name, {}) if options is None else options
    return following(view, given) if name == FOLLOWING else service.ask(named(name), view, given)


def shown(name, view, options=None):
    """All of an answer that can be compared."""
    found = ask(name, view, options)
    return found.json, str(found.finding), found.csv, found.command


def sent(**parts):
    """A view as the page sends it."""
    return json.dumps(parts)


def tiny_loader(name, _device):
    """A tiny model of the architecture that stands in its name; a llama where none does."""
    return make_subject(name.partition("-")[2] or "llama")


def is_one_sentence(text):
    """Whether an error says one thing and ends."""
    quoted = re.sub(r"'[^']*'|\"[^\"]*\"|\[.*\]", "it", text)
    ended = text.endswith(".") and not re.search(r"[.!?] +[A-Z]", quoted)
    return ended and "\n" not in text and len(text) < 400
