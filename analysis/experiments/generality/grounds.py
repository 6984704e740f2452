"""What the claims about other words and sentences rest on."""

from collections.abc import Iterator

from analysis.experiments.generality.compute import Generality
from analysis.experiments.generality.facts import Facts
from analysis.grounds import Ground, Unit


def grounds(facts: Facts, result: Generality) -> Iterator[Ground]:
    """Words are the sample, within their kind; sentences are as given."""
    words: dict[Unit, int] = {"word": facts.words}
    yield Ground("words", words, "bootstrap")
    yield Ground("separates", words, "shuffles")
    if facts.held_out:
        yield Ground("separates_held_out", words, "shuffles", facts.held_out.sentences)
        yield Ground("held_out", words, "bootstrap")
    if result.matched:
        yield Ground("matched", words, "bootstrap", len(result.matched), "largest")
