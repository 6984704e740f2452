"""Many prompts at once: some that call for the target, some for the foil."""

from dataclasses import dataclass

from analysis.question import (
    CONSONANT_TREES,
    FOIL,
    TARGET,
    TEMPLATE,
    VOWEL_TREES,
    Contrast,
    Prompt,
    make_prompt,
)
from analysis.subject import Subject


@dataclass(frozen=True)
class PromptSet:
    """Prompts, and which of them call for the target.

    Attributes:
        prompts: the prompts.
        calls_for_target: for each, whether it calls for the target; if not, for the foil.
    """

    prompts: tuple[Prompt, ...]
    calls_for_target: tuple[bool, ...]


def word_set(subject: Subject, contrast: Contrast, asked: tuple[Prompt, ...]) -> PromptSet:
    """The original's sentence with many words, or, for other tokens, what was asked about.

    Args:
        subject: the model.
        contrast: for " an" against " a" there are tree words; for another target or foil none.
        asked: the prompt that calls for the target and, if there is one, that for the foil.
    """
    if (contrast.target, contrast.foil) != (TARGET, FOIL):
        return PromptSet(asked, (True, False)[: len(asked)])
    words = VOWEL_TREES + CONSONANT_TREES
    prompts = tuple(make_prompt(subject, TEMPLATE.format(word)) for word in words)
    return PromptSet(prompts, tuple(word in VOWEL_TREES for word in words))
