"""Runs the steps that make the paper, and keeps their results current."""

import platform
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from analysis import results
from analysis.code_version import code_version
from analysis.errors import UserError
from analysis.experiments.neuron_sweep import NeuronSweep
from analysis.neuron import Neuron, parse_neuron
from analysis.progress import Progress, silent
from analysis.question import PromptPair, held_out_pairs
from analysis.steps import EXTRA_STEPS, STEPS
from analysis.steps.inputs import RIVALS, Inputs, Step
from analysis.subject import Subject

PACKAGES = ("torch", "transformers", "transformer-lens", "tokenizers", "numpy")


Watch = Callable[[str], AbstractContextManager[Progress]]


def unwatched(_name: str) -> AbstractContextManager[Progress]:
    """Nobody watches the progress of any step."""
    return nullcontext(silent)


@dataclass(frozen=True)
class Done:
    """What happened to one step: computed now, or kept because nothing it rests on changed."""

    step: Step
    seconds: float
    kept: bool


def run_study(
    subject: Subject,
    pair: PromptPair,
    folder: Path,
    seed: int = 0,
    watch: Watch = unwatched,
) -> Iterator[Done]:
    """Bring every step's result in a folder up to date, in order; yields each as it is done.

    Args:
        subject: the model.
        pair: the question.
        folder: where results are kept, ``results/<model>``.
        seed: of all random draws.
        watch: opens, by the name of a step, something that watches its progress.
    """
    held_out = tuple(held_out_pairs(subject, pair))
    inputs = Inputs(pair, held_out, seed)
    for step in (*STEPS, *EXTRA_STEPS):
        if not step.applies(subject, inputs):
            results.discard(folder, step.name)
            continue
        if "neuron" in step.asks and not inputs.best:
            inputs = replace(inputs, best=_found(subject, folder))
        yield _bring_up_to_date(subject, step, inputs, folder, watch)


def _found(subject: Subject, folder: Path) -> tuple[Neuron, ...]:
    """The sweep's best neuron and those that come next."""
    sweep = results.load(folder, "neuron_sweep", NeuronSweep)
    names = sweep.candidates[: 1 + RIVALS]
    return tuple(parse_neuron(name, subject.n_layers, subject.d_mlp) for name in names)


def _bring_up_to_date(
    subject: Subject,
    step: Step,
    inputs: Inputs,
    folder: Path,
    watch: Watch,
) -> Done:
    expected = _provenance(subject, step, inputs)
    if _is_current(folder, step, expected):
        return Done(step, 0.0, kept=True)
    start = time.perf_counter()
    with watch(step.name) as progress:
        result = step.run(subject, inputs, progress)
    seconds = time.perf_counter() - start
    when = datetime.now(UTC).isoformat(timespec="seconds")
    results.save(folder, step.name, result, replace(expected, when=when, seconds=round(seconds, 2)))
    return Done(step, seconds, kept=False)


def _is_current(folder: Path, step: Step, expected: results.Provenance) -> bool:
    try:
        results.load(folder, step.name, step.kind)
        return results.provenance(folder, step.name).key == expected.key
    except UserError:
        return False


def step_version(step: Step) -> str:
    """Checksum of the code behind a step: its experiment, what it reads from, and its own module.

    Of its own module only the text counts, not all that the other steps there import.
    """
    return code_version(*step.modules, alone=step.run.__module__)


def _provenance(subject: Subject, step: Step, inputs: Inputs) -> results.Provenance:
    """Provenance of a step about to run; time and duration are filled in afterwards."""
    asked = {
        "clean": inputs.pair.clean.text,
        "corrupted": inputs.pair.corrupted.text,
        **{k: v for k, v in asdict(inputs.pair.contrast).items() if isinstance(v, str)},
        "seed": inputs.seed,
        "prepend_bos": subject.prepend_bos,
        **{name: described(inputs) for name, described in step.asks.items()},
    }
    return results.Provenance(
        experiment=step.name,
        model=subject.origin.name,
        source=subject.origin.source,
        revision=subject.origin.revision,
        inputs=asked,
        packages={name: version(name) for name in PACKAGES},
        device=f"{subject.device.type}, {platform.machine()}",
        dtype=str(subject.dtype).removeprefix("torch."),
        code=step_version(step),
        when="",
        seconds=0.0,
    )
