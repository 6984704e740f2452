"""What the options of the command line ask for, as the objects that experiments take.

Models and their libraries are imported when asked for, so that ``--help`` answers at once.
"""

from typing import TYPE_CHECKING

from analysis import console
from analysis.errors import UserError

if TYPE_CHECKING:
    from analysis.neuron import Neuron
    from analysis.question import Contrast, Prompt, PromptPair
    from analysis.subject import Subject

SCREEN = 64
"""How many neurons are measured to find a model's own best one when none is named."""


def load_subject(model: str, device: str, dtype: str) -> "Subject":
    """The named model, with a word of warning where its numbers will be coarse."""
    from analysis.models import load

    if dtype != "float32":
        console.note(f"note: numbers in {dtype} are off by up to whole logits; report float32.")
    return load(model, device, dtype)


def prompts_asked(
    subject: "Subject", clean: str | None, corrupted: str | None, target: str, foil: str
) -> "tuple[tuple[Prompt, ...], Contrast]":
    """One prompt, or a pair where two are given or none (the default question)."""
    from analysis.question import make_contrast, make_prompt

    if clean is not None and corrupted is None:
        return (make_prompt(subject, clean, "clean prompt"),), make_contrast(subject, target, foil)
    pair = pair_asked(subject, clean, corrupted, target, foil)
    return (pair.clean, pair.corrupted), pair.contrast


def pair_asked(
    subject: "Subject", clean: str | None, corrupted: str | None, target: str, foil: str
) -> "PromptPair":
    """The pair that is given, or the default question; half a pair is refused."""
    from analysis.question import CLEAN, CORRUPTED, make_pair

    if (clean is None) != (corrupted is None):
        given, missing = (
            ("--clean", "--corrupted") if corrupted is None else ("--corrupted", "--clean")
        )
        raise UserError(f"Only {given} is given: a pair needs {missing} too.")
    if clean is None or corrupted is None:
        clean, corrupted = CLEAN, CORRUPTED
    return make_pair(subject, clean, corrupted, target, foil)


def neuron_asked(
    subject: "Subject",
    name: str | None,
    clean: str | None,
    corrupted: str | None,
    target: str,
    foil: str,
) -> "tuple[Neuron, Contrast]":
    """The named neuron, or the best of a screened sweep over the question."""
    from analysis.experiments.neuron_sweep import neuron_sweep
    from analysis.neuron import parse_neuron
    from analysis.question import make_contrast

    if name is not None:
        chosen = parse_neuron(name, subject.n_layers, subject.d_mlp)
        return chosen, make_contrast(subject, target, foil)
    pair = pair_asked(subject, clean, corrupted, target, foil)
    best = neuron_sweep(subject, pair, screen=SCREEN).best
    console.note(f"note: {best} is the best of a sweep that measured {SCREEN} neurons.")
    return best, pair.contrast
