"""What it costs to patch every layer, position and head."""

from analysis.cost import patched, whole
from analysis.experiments.patching.compute import COMPONENTS
from analysis.inputs import Inputs
from analysis.prompts import PromptPair
from analysis.subject import Subject

WAYS = 2
"""Denoising and noising."""


def passes(subject: Subject, given: Inputs) -> int:
    """Passes of a token through a layer: of all patches, both ways, and of the prompts."""
    pair = given.question.pair(subject)
    suffix = len(pair.clean.tokens) - pair.start
    return _patches(subject, pair, suffix) + 2 * whole(
        subject, pair.clean.text, pair.corrupted.text
    )


def _patches(subject: Subject, pair: PromptPair, suffix: int) -> int:
    """One component at one position, or one head at all, followed from its layer to the end."""
    each = len(COMPONENTS) * suffix + int(subject.model.config.num_attention_heads)
    tokens = sum(suffix + len(text.tokens) for text in pair.contrast.passes)
    return WAYS * patched(subject, each, tokens)


def cheaper(subject: Subject, given: Inputs, most: int) -> str:
    """How to ask for less: fewer tokens from the first difference on."""
    pair = given.question.pair(subject)
    longest = len(pair.clean.tokens) - pair.start
    fits = [n for n in range(1, longest) if _patches(subject, pair, n) < most]
    return f"bring the difference within {fits[-1]} tokens of the end" if fits else ""
