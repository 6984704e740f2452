"""How good a screen is each estimate of every neuron's patch? Against the exact truth of them all.

Run with ``python -m bench.screens [MODEL [PAIRS [WORKERS]]]``; pairs go to so many workers on Ray,
0 for one on each processor, without it to this process. The truth of a pair takes about a minute of
CPU time on the embedded model; each is kept in ``build/screens``, so that a run that was broken off
goes on where it was; ``kept`` for PAIRS takes those that are there. Rows are kept in the package,
where reports read them.
"""

import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import torch
from jaxtyping import Float

from analysis import questions
from analysis.engines.patcher import NeuronPatcher
from analysis.experiments.neuron_sweep import screens
from analysis.experiments.neuron_sweep.screens import Bench, Row
from analysis.loading.models import load
from analysis.subject import Subject
from analysis.workers import Ray, engine
from bench.estimates import ESTIMATES

QUESTIONS = ("an", "are", "capital", "good", "she")
PAIRS, KEPT = 6, "kept"
TRUTHS = Path("build/screens")
README = Path(__file__).with_name("README.md")
MARKS = ("<!-- screens -->\n", "<!-- /screens -->\n")
"""Between these the paper has a table of each model."""

Effects = Float[np.ndarray, "layer d_mlp"]
Case = tuple[str, int]
Measured = tuple[float, tuple[Effects, float], dict[str, tuple[Effects, float]]]


def main() -> None:
    given = dict(enumerate(sys.argv))
    name, many = given.get(1, screens.MODEL), given.get(2, str(PAIRS))
    ray = Ray(int(given[3]) or None) if 3 in given else None
    subject, measured = load(name), {}
    model = subject.origin.name
    for case, found in measure(subject, name, many, ray):
        measured[case] = found
        print(f"{case[0]}, pair {case[1]}: every neuron took {found[1][1]:.0f} s of CPU time")
    bench = summed_up(model, subject.n_layers * subject.d_mlp, measured)
    screens.keep(bench)
    screens.kept.cache_clear()
    README.write_text(with_tables(README.read_text("utf-8")), "utf-8")
    print(table(bench))


def measure(
    subject: Subject, name: str, many: str, ray: Ray | None
) -> Iterator[tuple[Case, Measured]]:
    """Every pair with what was measured of it, in order; pairs may have been kept."""
    pairs = [
        (question, place)
        for place in range(PAIRS if many == KEPT else int(many))
        for question in QUESTIONS
    ]  # in turn: what is broken off has some of each
    folder = TRUTHS.resolve() / subject.origin.name
    paths = {case: folder / f"{Path(case[0]).name}-{case[1]}.npz" for case in pairs}
    wanted = [case for case in pairs if many != KEPT or paths[case].exists()]
    here = partial(load, name) if ray else lambda: subject
    with engine(here, "cpu", ray, print) as each:
        yield from zip(wanted, each(case_of, [(*c, paths[c]) for c in wanted]), strict=True)


def case_of(model: Callable[[], Subject], task: tuple[str, int, Path]) -> Measured:
    """The gap of a pair, the truth of it, and every estimate, each with its CPU seconds."""
    question, place, path = task
    subject = model()
    pair = questions.load(question).selection_pairs(subject, place + 1)[place]
    patcher = NeuronPatcher(subject, pair)
    truth = known(path, patcher)
    guesses = {screen: timed(partial(e, patcher)) for screen, e in ESTIMATES.items()}
    return patcher.gap, truth, guesses


def known(path: Path, patcher: NeuronPatcher) -> tuple[Effects, float]:
    """What patching each neuron alone does, in logits, and the CPU seconds that it took."""
    tokens = np.array([patcher.pair.clean.tokens, patcher.pair.corrupted.tokens])
    if path.exists():
        found = np.load(path)
        if np.array_equal(found["tokens"], tokens):
            return found["effects"], float(found["seconds"])
    shape = (patcher.subject.n_layers, patcher.subject.d_mlp)
    every = torch.ones(shape, dtype=torch.bool, device=patcher.subject.device)
    effects, seconds = timed(lambda: patcher.effects(every).reshape(shape))
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(".part.npz")
    np.savez(scratch, effects=effects, seconds=seconds, tokens=tokens)
    scratch.rename(path)
    return effects, seconds


def timed(work: Callable[[], torch.Tensor]) -> tuple[np.ndarray, float]:
    """What it gives, and the CPU seconds that it takes."""
    start = time.process_time()
    found = work().float().cpu().numpy()
    return found, time.process_time() - start


def summed_up(model: str, neurons: int, measured: dict, names=tuple(ESTIMATES)) -> Bench:
    """Rows of every pair, and of every question's pairs averaged: sums of effects and of gaps."""
    single = [row([key], measured, screen) for key in measured for screen in names]
    groups = [[key for key in measured if key[0] == name] for name in QUESTIONS]
    averaged = [row(keys, measured, screen) for keys in groups if keys for screen in names]
    return Bench(model, neurons, tuple(single), tuple(averaged))


def row(keys: list[tuple[str, int]], measured: dict, screen: str) -> Row:
    """One estimate on the mean over some pairs of one question."""
    gaps, truths, guesses = zip(*(measured[key] for key in keys), strict=True)
    effects = np.mean([effect for effect, _ in truths], axis=0)
    estimates = np.mean([guess[screen][0] for guess in guesses], axis=0)
    return Row(
        keys[0][0],
        tuple(place for _, place in keys),
        screen,
        float(np.mean(gaps)),
        round(float(np.sum([guess[screen][1] for guess in guesses])), 4),
        round(float(np.sum([seconds for _, seconds in truths])), 2),
        *screens.compared(effects, estimates),
    )


def with_tables(paper: str) -> str:
    """The paper with a table of each model in its place."""
    before, _, rest = paper.partition(MARKS[0])
    _, _, behind = rest.partition(MARKS[1])
    tables = "\n\n".join(table(screens.kept(model)) for model in screens.models())
    return "".join((before, MARKS[0], tables, "\n", MARKS[1], behind))


def table(bench: Bench) -> str:
    """The rows summed up, as Markdown."""
    rows, questions = bench.of(screens.DEFAULT), len(bench.of(screens.DEFAULT, averaged=True))
    exact = median(row.exact_seconds for row in rows)
    lines = [
        f"{len(rows)} pairs of {questions} questions, {bench.model}; all {bench.neurons:,} neurons "
        f"of a pair take {exact:.0f} s.",
        "",
        "| estimate | CPU seconds | recall of 10 | of 50 | of 200 | of 50 missed at most | "
        "until 10 are measured | until 50 |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for screen in bench.screens:
        logits, share = bench.missed(screen, 50)
        recalls = " | ".join(f"{100 * bench.recall(screen, size):.0f} %" for size in screens.SIZES)
        until = " | ".join(f"{bench.until(screen, size):.2f} s" for size in (10, 50))
        lines.append(
            f"| {screen} | {bench.seconds(screen):.2f} | {recalls} | "
            f"{logits:.2f} logits, {100 * share:.1f} % | {until} |"
        )
    return "\n".join([*lines, "", *averages(bench)])


def averages(bench: Bench) -> Iterator[str]:
    """The same of the pairs of each question averaged, for two sizes."""
    yield "| estimate, pairs averaged | recall of 10 | of 50 | of 10 missed at most | of 50 |"
    yield "| --- | --- | --- | --- | --- |"
    for screen in bench.screens:
        recalls = " | ".join(f"{100 * bench.recall(screen, s, True):.0f} %" for s in (10, 50))
        missed = " | ".join(
            "{:.2f} logits, {:.1%}".format(*bench.missed(screen, s, True)) for s in (10, 50)
        )
        yield f"| {screen} | {recalls} | {missed} |"


if __name__ == "__main__":
    main()
