"""What the claims about precision and prompt format rest on."""

from collections.abc import Iterator

from analysis.experiments.robustness.compute import Robustness
from analysis.experiments.robustness.facts import Facts
from analysis.grounds import Ground


def grounds(facts: Facts, result: Robustness) -> Iterator[Ground]:
    """Weights are drawn anew; words are the sample, within their kind."""
    if facts.precision and facts.precision.draws:
        yield Ground("precision", {"redraw": facts.precision.draws}, "extremes")
    if result.words:
        yield Ground("formats", {"word": len(result.words)}, "bootstrap")
