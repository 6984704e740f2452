"""The synthetic table of many questions to one model, which is no step of a study."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from analysis import results
from analysis.experiments import named
from analysis.experiments.library.compute import Library, together
from analysis.results import Provenance
from tests.synthetic.plan import Plan

PAIRS, SIZES, DRAWS = 8, np.array([1, 2, 5, 20, 100]), 20
NAMES = ("an", "are", "she")
WORDS = ((" an", " a"), (" are", " is"), (" she", " he"))


def over_questions(plan: Plan) -> Library:
    """If it holds: the plan's question alone has a neuron. Otherwise all have but that one."""
    recovered = (0.7, 0.1, 0.15) if plan.holds else (0.1, 0.6, 0.5)
    words = ((plan.target, plan.foil), *WORDS[1:])
    rows = [row(*each, plan=plan) for each in zip(NAMES, words, recovered, strict=True)]
    return together([*rows, untold("yes", (" Yes", " No"), plan)], {})


def row(
    name: str,
    words: tuple[str, str],
    recovered: float,
    second: float = 0.05,
    chance: float = 0.02,
    plan: Plan | None = None,
) -> Library:
    """One question whose best neuron recovers so much, more or less from pair to pair."""
    plan = plan or Plan()
    gaps = np.linspace(3.0, 5.0, PAIRS)
    spread = 1 + 0.02 * np.cos(np.arange(PAIRS))
    sets = recovered + (1 - recovered) * np.log(SIZES) / np.log(SIZES[-1])
    drawn = np.linspace(-chance, chance, DRAWS)[None].astype(np.float32)
    return Library(
        **_named(name, words, plan),
        pairs=np.array([20]),
        told_apart=np.array([2 * PAIRS]),
        gap=np.array([4.0], np.float32),
        chosen_on=np.array([PAIRS]),
        best=(plan.neurons[0],),
        second=("L2N1",),
        chosen=np.array([[recovered + 0.05, second]], np.float32),
        gaps=gaps[None].astype(np.float32),
        effects=(np.array([recovered, second])[:, None] * gaps * spread)[None].astype(np.float32),
        sets=(sets[:, None] * gaps * spread)[None].astype(np.float32),
        sign=np.array([1]),
        target_rank=np.array([1 if recovered > 0.25 else 300]),
        shuffled=drawn,
        random=drawn / 2,
        **news(0.3 * recovered, recovered),
    )


def news(precision: float, recall: float, occurrences: int = 40) -> dict[str, object]:
    """What 32 articles say of one question: 16 judge, with 16,000 tokens."""
    marked = round(recall * occurrences / precision) if precision else 0
    return {
        "documents": 32,
        "tokens": np.array([16000]),
        "awaited": np.array([1]),
        "occurrences": np.array([[occurrences, occurrences]]),
        "occurs_in": np.array([[12, 12]]),
        "threshold": np.array([2.5], np.float32),
        "marked": np.array([marked]),
        "precision": np.array([[precision, 0.5 * precision, min(1, 1.5 * precision)]], np.float32),
        "recall": np.array([[recall, 0.8 * recall, min(1, 1.1 * recall)]], np.float32),
    }


def untold(name: str, words: tuple[str, str], plan: Plan) -> Library:
    """One question whose prompts the model does not tell apart."""
    nothing = np.full((1, 2, 1), np.nan, np.float32)
    return Library(
        **_named(name, words, plan),
        pairs=np.array([27]),
        told_apart=np.array([0]),
        gap=np.array([-0.1], np.float32),
        chosen_on=np.array([0]),
        best=("",),
        second=("",),
        chosen=nothing[..., 0],
        gaps=nothing[:, 0],
        effects=nothing,
        sets=np.full((1, len(SIZES), 1), np.nan, np.float32),
        sign=np.array([0]),
        target_rank=np.array([0]),
        shuffled=np.full((1, DRAWS), np.nan, np.float32),
        random=np.full((1, DRAWS), np.nan, np.float32),
        documents=32,
        tokens=np.array([0]),
        awaited=np.array([0]),
        occurrences=np.zeros((1, 2), int),
        occurs_in=np.zeros((1, 2), int),
        threshold=np.full(1, np.nan, np.float32),
        marked=np.array([0]),
        precision=np.full((1, 3), np.nan, np.float32),
        recall=np.full((1, 3), np.nan, np.float32),
    )


def _named(name: str, words: tuple[str, str], plan: Plan) -> dict[str, object]:
    return {
        "model": plan.model,
        "neurons": plan.layers * plan.d_mlp,
        "vocabulary": 1000,
        "screen": 8,
        "sizes": SIZES,
        "questions": (name,),
        "titles": (f"{words[0].strip()} or {words[1].strip()}",),
        "targets": (words[0],),
        "foils": (words[1],),
    }


def save_rows(root: Path, table: Library, **made: object) -> None:
    """Keep the rows of a table as the verb does, a folder for each question."""
    experiment = named("library")
    provenance = Provenance(
        experiment="library",
        model=table.model,
        source="",
        revision="0" * 64,
        inputs={option.name: option.default for option in experiment.options},
        packages={},
        device="cpu",
        dtype="float32",
        code=experiment.code,
        when="2026-01-01T00:00:00+00:00",
        seconds=1.5,
    )
    shared = ("model", "neurons", "vocabulary", "screen", "sizes", "documents")
    for place, name in enumerate(table.questions):
        part = {k: v[place : place + 1] for k, v in vars(table).items() if k not in shared}
        part |= {"missing": (), "reasons": ()}
        home = root / table.model / name
        results.save(home, "library", replace(table, **part), replace(provenance, **made))
