"""What the options of the command line ask for, as the objects that experiments take.

Models and their libraries are imported when asked for, so that ``--help`` answers at once.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any

import typer

from analysis import EMBEDDED, console
from analysis.errors import UserError

if TYPE_CHECKING:
    from analysis.neuron import Neuron
    from analysis.question import Contrast, Prompt, PromptPair
    from analysis.subject import Subject

SCREEN = 64
"""How many neurons are measured to find a model's own best one when none is named."""

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


@dataclass(frozen=True)
class Chosen:
    """The options of every verb that runs a model."""

    model: Annotated[
        str, typer.Option(help="A name that `models` lists, a local folder, or a .gguf file.")
    ] = EMBEDDED
    device: Annotated[str, typer.Option(help="cpu, cuda, mps.")] = "cpu"
    dtype: Annotated[str, typer.Option(help="float32 (report these), bfloat16 or float16.")] = (
        "float32"
    )
    as_json: AsJson = False

    def load(self) -> "Subject":
        """The model, with a word of warning where its numbers will be coarse."""
        from analysis.loading.models import load

        if self.dtype != "float32":
            console.note(
                f"note: numbers in {self.dtype} are off by up to whole logits; report float32."
            )
        return load(self.model, self.device, self.dtype)


@dataclass(frozen=True)
class Asked(Chosen):
    """The options of every verb that asks a question."""

    clean: Annotated[str | None, typer.Option(help="The prompt that calls for the target.")] = None
    corrupted: Annotated[str | None, typer.Option(help="The prompt that calls for the foil.")] = (
        None
    )
    target: Annotated[str, typer.Option(help="The token asked for, with its leading space.")] = (
        " an"
    )
    foil: Annotated[
        str, typer.Option(help="The token it competes with, with its leading space.")
    ] = " a"

    def prompts(self, subject: "Subject") -> "tuple[tuple[Prompt, ...], Contrast]":
        """One prompt, or a pair where two are given or none (the default question)."""
        from analysis.question import make_contrast, make_prompt

        if self.clean is not None and self.corrupted is None:
            contrast = make_contrast(subject, self.target, self.foil)
            return (make_prompt(subject, self.clean, "clean prompt"),), contrast
        pair = self.pair(subject)
        return (pair.clean, pair.corrupted), pair.contrast

    def pair(self, subject: "Subject") -> "PromptPair":
        """The pair that is given, or the default question.

        Raises:
            UserError: only half a pair is given, or the pair cannot be aligned.
        """
        from analysis.question import CLEAN, CORRUPTED, make_pair

        clean, corrupted = self.clean, self.corrupted
        if clean is None and corrupted is None:
            clean, corrupted = CLEAN, CORRUPTED
        if clean is None or corrupted is None:
            names = ("--clean", "--corrupted")
            given, missing = names if corrupted is None else names[::-1]
            raise UserError(f"Only {given} is given: a pair needs {missing} too.")
        return make_pair(subject, clean, corrupted, self.target, self.foil)

    def neuron(self, subject: "Subject", name: str | None) -> "tuple[Neuron, Contrast]":
        """The named neuron, or the best of a screened sweep over the question."""
        from analysis.experiments.neuron_sweep import neuron_sweep
        from analysis.neuron import parse_neuron
        from analysis.question import make_contrast

        if name is not None:
            chosen = parse_neuron(name, subject.n_layers, subject.d_mlp)
            return chosen, make_contrast(subject, self.target, self.foil)
        pair = self.pair(subject)
        best = neuron_sweep(subject, pair, screen=SCREEN).best
        console.note(f"note: {best} is the best of a sweep that measured {SCREEN} neurons.")
        return best, pair.contrast


def takes(
    options: type[Chosen], **defaults: Any
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a verb the options of a class beside its own; they arrive as one object, first.

    Args:
        options: the class.
        defaults: for this verb, in place of those of the class.
    """

    def wrap(function: Callable[..., None]) -> Callable[..., None]:
        def verb(**given: Any) -> None:
            function(options(**{f.name: given.pop(f.name) for f in fields(options)}), **given)

        shared = [
            inspect.Parameter(
                f.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=defaults.get(f.name, f.default),
                annotation=f.type,
            )
            for f in fields(options)
        ]
        own = [*inspect.signature(function).parameters.values()][1:]
        keywords = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own]
        verb.__signature__ = inspect.Signature([*shared, *keywords])  # type: ignore[attr-defined]
        verb.__annotations__ = {p.name: p.annotation for p in [*shared, *own]}
        verb.__name__, verb.__doc__ = function.__name__, function.__doc__
        return verb

    return wrap
