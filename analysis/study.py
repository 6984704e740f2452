"""The ordered list of experiments that make the paper, and what keeps their results current."""

import platform
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from analysis import corpus, results
from analysis.assets import CORPUS
from analysis.code_version import code_version
from analysis.errors import UserError
from analysis.experiments.activations import Activations, activations
from analysis.experiments.direct_effect import DirectEffect, direct_effect
from analysis.experiments.logit_lens import LogitLens, logit_lens
from analysis.experiments.neuron_sweep import NeuronSweep, neuron_sweep
from analysis.experiments.next_token import NextToken, next_token
from analysis.experiments.patching import Patching, patching
from analysis.neuron import Neuron, parse_neuron
from analysis.progress import Progress, silent
from analysis.question import PromptPair, excerpt, held_out_pairs, make_prompt
from analysis.subject import Subject

NATURAL = (
    "Every action has",
    "An eye for",
    "I'll be there in under half",
    "Ross Perot, who ran as",
    "Van der Bellen, who ran as",
    "Senator Angus King, who ran as",
    "Spot gold was up 0.7 percent at $1,340.90",
)
"""Prompts of the original study, and its kind, that call for " an" in ordinary prose."""

PACKAGES = ("torch", "transformers", "transformer-lens", "tokenizers", "numpy")
RANDOM_TEXTS, RANDOM_TOKENS = 100, 128


Watch = Callable[[str], AbstractContextManager[Progress]]


def unwatched(_name: str) -> AbstractContextManager[Progress]:
    """Nobody watches the progress of any step."""
    return nullcontext(silent)


@dataclass(frozen=True)
class Inputs:
    """What a study asks: the question, the neuron found by the sweep, and the seed."""

    pair: PromptPair
    held_out: tuple[PromptPair, ...]
    neuron: Neuron | None
    seed: int

    def described(self) -> dict[str, Any]:
        """Everything a step may ask beyond the pair, in plain values."""
        return {
            "neuron": str(self.neuron),
            "held_out": tuple((pair.clean.text, pair.corrupted.text) for pair in self.held_out),
            "natural": NATURAL,
            "random_texts": f"{RANDOM_TEXTS} of {RANDOM_TOKENS} tokens, {CORPUS.member_sha256}",
        }


@dataclass(frozen=True)
class Step:
    """One experiment of the study.

    Attributes:
        name: name of the step and of its files.
        kind: class of its result.
        run: computes it.
        asks: what it asks beyond the pair, by name in ``Inputs.described``, for the record.
    """

    name: str
    kind: type
    run: Callable[[Subject, Inputs, Progress], Any]
    asks: tuple[str, ...] = ()


def _next_token(subject: Subject, inputs: Inputs, _progress: Progress) -> NextToken:
    natural = tuple(make_prompt(subject, text) for text in NATURAL)
    prompts = (inputs.pair.clean, inputs.pair.corrupted, *natural)
    return next_token(subject, prompts, inputs.pair.contrast)


def _logit_lens(subject: Subject, inputs: Inputs, _progress: Progress) -> LogitLens:
    pair = inputs.pair
    return logit_lens(subject, (pair.clean, pair.corrupted), pair.contrast)


def _patching(subject: Subject, inputs: Inputs, progress: Progress) -> Patching:
    return patching(subject, inputs.pair, progress)


def _neuron_sweep(subject: Subject, inputs: Inputs, progress: Progress) -> NeuronSweep:
    return neuron_sweep(subject, inputs.pair, inputs.held_out, seed=inputs.seed, progress=progress)


def _direct_effect(subject: Subject, inputs: Inputs, _progress: Progress) -> DirectEffect:
    assert inputs.neuron is not None
    return direct_effect(subject, inputs.neuron, inputs.pair.contrast, inputs.seed)


def _activations(subject: Subject, inputs: Inputs, progress: Progress) -> Activations:
    assert inputs.neuron is not None
    pair = inputs.pair
    texts = (pair.clean, pair.corrupted)
    drawn = corpus.sample(RANDOM_TEXTS, inputs.seed)
    unrelated = [make_prompt(subject, excerpt(subject, text, RANDOM_TOKENS)) for _, text in drawn]
    return activations(subject, inputs.neuron, pair.contrast, texts, unrelated, progress)


STEPS = (
    Step("next_token", NextToken, _next_token, asks=("natural",)),
    Step("logit_lens", LogitLens, _logit_lens),
    Step("patching", Patching, _patching),
    Step("neuron_sweep", NeuronSweep, _neuron_sweep, asks=("held_out",)),
    Step("direct_effect", DirectEffect, _direct_effect, asks=("neuron",)),
    Step("activations", Activations, _activations, asks=("neuron", "random_texts")),
)


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
    inputs = Inputs(pair, held_out, None, seed)
    for step in STEPS:
        if "neuron" in step.asks and inputs.neuron is None:
            inputs = replace(inputs, neuron=_found(subject, folder))
        yield _bring_up_to_date(subject, step, inputs, folder, watch)


def _found(subject: Subject, folder: Path) -> Neuron:
    sweep = results.load(folder, "neuron_sweep", NeuronSweep)
    return parse_neuron(sweep.candidates[0], subject.n_layers, subject.d_mlp)


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
    """Checksum of the code behind a step: its experiment, and the corpus where it reads from it."""
    read = ("analysis.corpus",) if "random_texts" in step.asks else ()
    return code_version(f"analysis.experiments.{step.name}", *read)


def _provenance(subject: Subject, step: Step, inputs: Inputs) -> results.Provenance:
    """Provenance of a step about to run; time and duration are filled in afterwards."""
    asked = {
        "clean": inputs.pair.clean.text,
        "corrupted": inputs.pair.corrupted.text,
        **{k: v for k, v in asdict(inputs.pair.contrast).items() if isinstance(v, str)},
        "seed": inputs.seed,
        "prepend_bos": subject.prepend_bos,
        **{name: inputs.described()[name] for name in step.asks},
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
