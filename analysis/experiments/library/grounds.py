"""What the claims about each question rest on."""

from collections.abc import Iterator

from analysis.experiments.library.facts import Facts
from analysis.experiments.library.measured import Library
from analysis.grounds import Ground


def grounds(facts: Facts, result: Library) -> Iterator[Ground]:
    """Pairs of prompts are the sample, on news articles; all questions hold at once."""
    at_once = result.comparisons
    if facts.told_apart:
        pairs = facts.pairs
        yield Ground("recovery", {"prompt_pair": pairs}, "bootstrap", at_once)
        yield Ground("lead", {"prompt_pair": pairs}, "bootstrap", at_once)
        yield Ground("half", {"prompt_pair": pairs}, "bootstrap", at_once)
        yield Ground("shuffled", {"prompt_pair": pairs}, "shuffles")
    if facts.heard:
        yield Ground("news", {"article": facts.judged}, "wilson_of_texts", at_once)
