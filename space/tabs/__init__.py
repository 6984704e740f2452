"""The tabs, in the order of the argument: each builds its components and says what it asks."""

from collections.abc import Callable
from dataclasses import dataclass

from space.asks import Ask
from space.question_bar import QuestionBar
from space.tabs import (
    ablation,
    activations,
    composition,
    corpus,
    direct_effect,
    find,
    patching,
    story,
    upstream,
)


@dataclass(frozen=True)
class Tab:
    """A tab: its name in the address, its title, and the function that builds it."""

    name: str
    title: str
    build: Callable[[str, QuestionBar], list[Ask]]


TABS = (
    Tab("activations", "Activations", activations.build),
    Tab("patching", "Patching", patching.build),
    Tab("direct-effect", "Direct logit effect", direct_effect.build),
    Tab("corpus", "Corpus", corpus.build),
    Tab("upstream", "Upstream", upstream.build),
    Tab("composition", "Composition", composition.build),
    Tab("ablation", "Ablation", ablation.build),
    Tab("find", "Find a neuron", find.build),
    Tab("story", "Story", story.build),
)
