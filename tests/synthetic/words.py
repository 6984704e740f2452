"""A study of words of several tokens: what reads the next token alone could not be asked."""

import dataclasses

import numpy as np

from analysis.evidence import Evidence
from analysis.experiments import steps
from tests.synthetic import evidence
from tests.synthetic.plan import Plan

BEHIND = 1.5
"""What patching the neuron changes of the tokens behind the first, in logits."""


def of_words(plan: Plan, question: str = "cities") -> Evidence:
    """The study of a plan, with what takes such words alone."""
    whole = evidence(dataclasses.replace(plan, target=" New York", foil=" Los Angeles"))
    results = {each.name: whole.results[each.name] for each in steps() if each.long}
    split = whole.composition
    results["composition"] = dataclasses.replace(
        split,
        first_tokens=(" New", " Los"),
        behind=np.full(2, BEHIND, np.float32),
        total=split.total + np.float32(BEHIND),
    )
    return dataclasses.replace(
        whole,
        question=whole.question.model_copy(update={"name": question}),
        results=results,
        provenance={name: whole.provenance[name] for name in results},
        refused={
            each.name: f"{each.title!r} reads the next token alone, and ' New York' is 2 tokens "
            "long: give single tokens."
            for each in steps()
            if not each.long
        },
    )
