"""What the claims about prompts and news rest on."""

from collections.abc import Iterator

import numpy as np

from analysis.experiments.ablation.facts import Facts
from analysis.experiments.ablation.measured import Ablation
from analysis.grounds import Ground, Unit


def grounds(facts: Facts, result: Ablation) -> Iterator[Ground]:
    """Prompts of a kind are a sample of their kind; on news, whole articles are."""
    kinds = {"target": facts.target_prompts, "foil": facts.foil_prompts}
    for name, found in kinds.items():
        if found and found.change.bounded:
            prompts: dict[Unit, int] = {"prompt": found.untouched.of}
            yield Ground(name, prompts, "bootstrap")
            yield Ground(f"{name}_preferred", prompts, "wilson")
    target, foil = kinds.values()
    if facts.both_kinds and target and foil:
        both = target.untouched.of + foil.untouched.of
        yield Ground("both_kinds", {"prompt": both}, "bootstrap")
    there = result.position_target
    if facts.before_target and facts.before_target.change.bounded:
        yield Ground("news", {"article": _articles(result, there)}, "bootstrap")
    if facts.before_others.bounded:
        yield Ground("others", {"article": _articles(result, ~there)}, "bootstrap")


def _articles(result: Ablation, places: np.ndarray) -> int:
    return len(np.unique(result.position_document[places]))
