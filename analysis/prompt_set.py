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
        asked: for each, whether it is a prompt of the question, which may have chosen the neuron:
            no estimate over the set may count it.
    """

    prompts: tuple[Prompt, ...]
    calls_for_target: tuple[bool, ...]
    asked: tuple[bool, ...]


def word_set(subject: Subject, contrast: Contrast, asked: tuple[Prompt, ...]) -> PromptSet:
    """The original's sentence with many words; for other tokens only what was asked about.

    The latter serve to find neurons that are as active on them; they are no sample to estimate by.

    Args:
        subject: the model.
        contrast: for " an" against " a" there are tree words; for another target or foil none.
        asked: the prompt that calls for the target and, if there is one, that for the foil.
    """
    if (contrast.target, contrast.foil) != (TARGET, FOIL):
        return PromptSet(asked, (True, False)[: len(asked)], (True,) * len(asked))
    words = VOWEL_TREES + CONSONANT_TREES
    prompts = tuple(make_prompt(subject, TEMPLATE.format(word)) for word in words)
    kinds = tuple(word in VOWEL_TREES for word in words)
    return PromptSet(prompts, kinds, tuple(prompt in asked for prompt in prompts))
