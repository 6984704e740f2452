"""What the claims about each model rest on."""

from collections.abc import Iterator

from analysis.experiments.comparison.facts import Facts
from analysis.experiments.comparison.measured import Comparison
from analysis.grounds import Ground


def grounds(facts: Facts, result: Comparison) -> Iterator[Ground]:
    """Pairs of prompts are the sample, on news every other text; of several models the fewest."""
    pairs = [model.held_out_pairs for model in facts.models if model.held_out_pairs]
    if pairs:
        yield Ground("held_out", {"prompt_pair": min(pairs)}, "bootstrap")
    fewest = min(model.answers.pairs for model in facts.models)
    yield Ground("answers", {"prompt_pair": fewest}, "wilson")
    yield Ground("detector", {"article": result.texts // 2}, "wilson_of_texts")
