"""Which neurons make a language model say a word, and how do we know?

::

    import analysis as an

    model = an.load("gpt2")
    question = an.Question(clean=..., corrupted=..., target=" an", foil=" a")
    sweep = an.neuron_sweep(model, question, screen=200)
    sweep.figure(), sweep.summary(), sweep.save("here")

Every experiment is a function of this module, under its own name.
"""

from typing import Any

EMBEDDED = "smollm2-135m"
"""Name of the model that comes with the project and is asked when no other is named."""


def __getattr__(name: str) -> Any:
    """The public functions, imported when they are asked for: models come with heavy libraries."""
    from importlib import import_module

    from analysis.imports import uncollected

    if name == "questions":
        return import_module("analysis.questions")
    if name.startswith("_") or name not in __dir__():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with uncollected():
        return getattr(import_module("analysis.api"), name)


def __dir__() -> list[str]:
    """The public names."""
    from analysis.experiments import EXPERIMENTS

    return [
        "EMBEDDED",
        "Question",
        "load",
        "questions",
        "read",
        "wrap",
        *(each.name for each in EXPERIMENTS),
    ]
