"""What the claims about neurons and their words on news rest on."""

from collections.abc import Iterator

from analysis.experiments.census.compute import Census
from analysis.experiments.census.facts import Facts
from analysis.grounds import Ground


def grounds(facts: Facts, _result: Census) -> Iterator[Ground]:
    """Pairs of a neuron and its word are the sample; the tokens of news are as drawn."""
    found = facts.behaviour
    if found and found.known:
        yield Ground("behaviour", {"neuron_and_word": found.pairs}, "bootstrap")
    if found and found.next:
        yield Ground("next", {"neuron_and_word": found.next_pairs}, "bootstrap")
