"""The public functions: a model, a question, and every experiment under its own name."""

import inspect
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from analysis import results, running
from analysis.declaration import Experiment
from analysis.errors import UserError
from analysis.experiments import EXPERIMENTS
from analysis.loading import models
from analysis.progress import Progress, silent
from analysis.questions import Question
from analysis.subject import Subject

__all__ = ["PreTrainedModel", "PreTrainedTokenizerBase", "Question", "load", "read", "wrap"]


def load(name: str | Path, device: str = "cpu", dtype: str = "float32") -> Subject:
    """Load a model ready for study.

    Args:
        name: one that ``an-neuron models`` lists, or its hub repository, any other repository of
            the hub, with ``@revision`` if need be, a folder, or a .gguf file.
        device: where the weights go, as torch names it.
        dtype: float32, bfloat16 or float16.

    Raises:
        UserError: nothing of that name, not to be had from here, damaged, not supported, or not
            computed rightly by hooks and engine.
    """
    if not isinstance(name, str | Path):
        raise UserError(
            f"The model is {name!r:.60}: `load` takes a name, a folder or a .gguf file, `wrap` a"
            " model in memory."
        )
    return models.load(os.fspath(name), device, dtype)


def wrap(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    name: str = "",
    prepend_bos: bool | None = None,
) -> Subject:
    """Study a transformers model that is in memory already.

    It is not copied. From then on it is in evaluation mode, and its weights take no gradients.

    Args:
        model: a causal language model of a supported architecture, on any device.
        tokenizer: its tokenizer.
        name: what it is called in results; by default that of its configuration.
        prepend_bos: whether prompts start with the beginning-of-sequence token; by default as its
            tokenizer does, or as GPT-2 and GPT-NeoX are read, whose tokenizers do not.

    Raises:
        UserError: it is no model or no tokenizer of transformers, the architecture is not
            supported, a weight is NaN or infinite, or hooks and engine do not compute the model
            rightly.
    """
    for given, kind in ((model, PreTrainedModel), (tokenizer, PreTrainedTokenizerBase)):
        if not isinstance(given, kind):
            raise UserError(
                f"`wrap` takes a model and its tokenizer: {given!r:.60} is no {kind.__name__}."
            )
    return models.wrap(model, tokenizer, name, prepend_bos)


def read(path: str | Path) -> Any:
    """A saved Result, with where it came from.

    Args:
        path: its file of plain values, such as ``here/neuron_sweep.json``, which its arrays lie
            beside.

    Raises:
        UserError: there is no such Result, or it is damaged or of another version's form.
    """
    file = Path(path)
    made = results.provenance(file.parent, file.stem)
    kinds = {each.name: each.kind for each in EXPERIMENTS if each.name == made.experiment}
    if not kinds:
        raise UserError(f"{file} holds a {made.experiment[:40]!r}: there is no such experiment.")
    result: Any = results.load(file.parent, file.stem, kinds[made.experiment])
    return running.signed(result, made)


def function_of(experiment: Experiment) -> Callable[..., Any]:
    """The experiment as a function of a model, a question and its options."""

    def ask(
        model: Subject,
        question: Question,
        *,
        neuron: str = "",
        rivals: Sequence[str] = (),
        progress: Progress = silent,
        **options: Any,
    ) -> Any:
        named = [neuron, *rivals] if neuron else list(rivals)
        _check(model, question, named)
        given = running.inputs(experiment, model, question, named, options)
        return running.compute(experiment, model, given, progress)

    ask.__name__ = ask.__qualname__ = experiment.name
    ask.__doc__ = _documentation(experiment)
    ask.__signature__ = _signature(experiment, ask)  # type: ignore[attr-defined]
    return ask


def _check(model: Any, question: Any, neurons: list[Any]) -> None:
    """Refuse what is of another kind.

    Raises:
        UserError: in one sentence.
    """
    if not isinstance(model, Subject):
        raise UserError(f"The model is {model!r:.60}: it has to be what `load` or `wrap` returns.")
    if not isinstance(question, Question):
        raise UserError(
            f"The question is {question!r:.60}: it has to be a `Question`, such as "
            "`questions.load` reads by its name or from a file."
        )
    for neuron in neurons:
        if not isinstance(neuron, str):
            raise UserError(f"The neuron is {neuron!r:.60}: it has to be a name such as L25N1527.")


def _signature(experiment: Experiment, ask: Callable[..., Any]) -> inspect.Signature:
    """Model, question, the neuron where one is asked about, and the options with their defaults."""
    shared = inspect.signature(ask).parameters
    names = ["model", "question"]
    names += ["neuron"] if experiment.asks_about_a_neuron else []
    names += ["rivals"] if "rivals" in experiment.needs else []
    options = [
        inspect.Parameter(
            o.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=o.default,
            annotation=o.kind if o.default is not None else o.kind | None,
        )
        for o in experiment.options
        if not o.shows
    ]
    own = [shared[name] for name in names]
    return inspect.Signature([*own, *options, shared["progress"]])


def _documentation(experiment: Experiment) -> str:
    """What it asks, and its arguments."""
    lines = [
        f"{experiment.asks}",
        "",
        "Args:",
        "    model: what ``load`` or ``wrap`` returned.",
        "    question: prompts, target and foil.",
    ]
    if experiment.asks_about_a_neuron:
        lines.append(f"    neuron: {experiment.which_neuron}")
    if "rivals" in experiment.needs:
        lines.append("    rivals: neurons to compare with.")
    for option in experiment.options:
        if not option.shows:
            lines.append(f"    {option.name}: {option.help}")
    return "\n".join(
        [
            *lines,
            "    progress: told the finished fraction.",
            "",
            "Returns:",
            "    A frozen Result: ``figure()``, ``summary()``, ``save(folder)``.",
            "",
            "Raises:",
            "    UserError: the question cannot be put to this model.",
        ]
    )


def __getattr__(name: str) -> Any:
    """An experiment by its name."""
    for experiment in EXPERIMENTS:
        if experiment.name == name:
            return function_of(experiment)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
