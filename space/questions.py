"""What can be asked: how it is computed, told, shown, and typed on the command line."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from analysis import finding
from analysis.experiments import (
    activations,
    composition,
    corpus_scan,
    direct_effect,
    intervention,
    logit_lens,
    neuron_sweep,
    next_token,
    patching,
    upstream,
)
from analysis.weights import writers
from space import asking

TOP = 20


@dataclass(frozen=True)
class Question:
    """One thing to ask.

    Attributes:
        ask: computes the Result.
        summary: the Result as the command line prints it.
        verb: the command that asks the same.
        shares: which parts of the view the command takes.
        fixed: options that the command needs for the very same answer.
        figures: the figures that show the Result.
        unseen: options that the command does not have: they change what is shown beside it.
        renamed: options that the command calls otherwise.
        seconds: the longest it should take on a GPU.
    """

    ask: Callable[..., Any]
    summary: Callable[[Any], dict[str, Any]]
    verb: str
    shares: tuple[str, ...]
    figures: tuple[str, ...] = ()
    fixed: tuple[tuple[str, Any], ...] = ()
    unseen: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    seconds: int = 10


PAIR = ("clean", "corrupted", "target", "foil")

QUESTIONS: dict[str, Question] = {
    "next_token": Question(
        asking.ask_next_token, next_token.summary, "prompt", PAIR, ("next_token",), seconds=5
    ),
    "following": Question(
        asking.ask_following,
        next_token.summary,
        "prompt",
        ("clean", "target", "foil"),
        ("next_token",),
        seconds=5,
    ),
    "logit_lens": Question(
        asking.ask_logit_lens, logit_lens.summary, "lens", PAIR, ("logit_lens",), seconds=5
    ),
    "activations": Question(
        asking.ask_activations,
        activations.summary,
        "activations",
        ("neuron", "text", "target", "foil"),
        unseen=("beside", "seed"),
        seconds=5,
    ),
    "direct_effect": Question(
        asking.ask_direct_effect,
        direct_effect.summary,
        "direct-effect",
        ("neuron", "target", "foil"),
        ("direct_effect", "written_tokens"),
        seconds=5,
    ),
    "writers": Question(
        asking.ask_writers,
        writers.summary,
        "writers",
        ("target", "foil"),
        unseen=("token",),
        seconds=5,
    ),
    "patching": Question(
        asking.ask_patching,
        lambda result: patching.summary(result, "mlp_out"),
        "patch",
        PAIR,
        ("patching", "heads"),
    ),
    "sweep": Question(
        asking.ask_sweep,
        lambda result: neuron_sweep.summary(result, TOP),
        "sweep",
        PAIR,
        ("neuron_sweep",),
        (("held_out", 0),),
        seconds=60,
    ),
    "find": Question(asking.ask_find, finding.summary, "find", PAIR, ("neuron_sweep",), seconds=15),
    "upstream": Question(
        asking.ask_upstream,
        upstream.summary,
        "upstream",
        ("neuron", *PAIR),
        ("upstream", "upstream_sources", "upstream_steps"),
        (("held_out", 0),),
    ),
    "composition": Question(
        asking.ask_composition,
        composition.summary,
        "composition",
        ("neuron", *PAIR),
        ("composition",),
        (("held_out", 0),),
    ),
    "intervene": Question(
        asking.ask_intervene,
        intervention.summary,
        "intervene",
        ("neuron", "clean", "target", "foil"),
        ("intervention",),
    ),
    "scan": Question(
        asking.ask_scan,
        corpus_scan.summary,
        "scan",
        ("neuron", "target", "foil"),
        ("corpus_scan", "corpus_auc"),
        renamed={"articles": "documents"},
        seconds=30,
    ),
}
"""All questions by name."""
