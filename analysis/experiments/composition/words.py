"""Words of several tokens: what is split is the choice between their first tokens.

Log p of a word is the sum over its tokens. Of the first ones the difference is a logit difference
at the place that is patched, whose parts add up. The tokens behind are read at later places, which
attention alone reaches, through a softmax over the whole vocabulary: what patching does to them is
one more part of the total, and is not split.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from analysis.contrast import Contrast
from analysis.engines.patcher import NeuronPatcher
from analysis.engines.splitting import Side, Split, split
from analysis.errors import UnsuitedError
from analysis.neuron import Neuron
from analysis.prompts import PromptPair
from analysis.subject import Subject


@dataclass(frozen=True)
class WordSplit(Split):
    """The split of the first tokens; ``base`` and ``total`` are of the whole words.

    Attributes:
        behind: the part of ``total`` that is in the tokens behind the first; 0 where none are.
    """

    behind: Float[Tensor, " neuron"]


def first_of(contrast: Contrast) -> Contrast:
    """The choice between the first tokens.

    Raises:
        UnsuitedError: both words begin with the same one.
    """
    target, foil = (ids[0] for ids in contrast.words) if contrast.is_long else (0, 1)
    if target == foil:
        raise UnsuitedError(
            f"The split is that of the first token, and {contrast.target[:60]!r} and "
            f"{contrast.foil[:60]!r} begin with the same one: write what they share at the end of "
            "the prompts."
        )
    return replace(contrast, target_rest=(), foil_rest=())


def split_words(
    subject: Subject, base: Side, source: Side, neurons: list[Neuron], contrast: Contrast
) -> WordSplit:
    """``split``, of words that may be several tokens long.

    Raises:
        UserError: the words begin alike, or, where they are several tokens long, the prompts do
            not differ in their answer.
    """
    first = split(subject, base, source, neurons, first_of(contrast))
    if not contrast.is_long:
        return WordSplit(**vars(first), behind=torch.zeros_like(first.total))
    patcher = NeuronPatcher(subject, PromptPair(source.prompt, base.prompt, contrast))
    (chosen,) = patcher.sets([neurons])
    effects = torch.zeros(chosen.shape, device=chosen.device)
    effects[chosen] = patcher.effects(chosen)
    total = torch.stack([effects[neuron] for neuron in neurons])
    fields = {**vars(first), "base": patcher.corrupted_diff, "total": total}
    return WordSplit(**fields, behind=total - first.total)
