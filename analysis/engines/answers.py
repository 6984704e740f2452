"""The model's choice between two tokens at the end of many prompts."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from analysis.contrast import Contrast
from analysis.engines.reading import Window, batches, read
from analysis.progress import Progress, silent
from analysis.subject import Subject


def answers(
    subject: Subject,
    prompts: Sequence[tuple[int, ...]],
    contrast: Contrast,
    progress: Progress = silent,
) -> Float[Tensor, " prompt"]:
    """logit(target) - logit(foil) after the last token of every prompt, in logits.

    Args:
        subject: the model.
        prompts: the tokens of each.
        contrast: target and foil.
        progress: told the finished fraction.

    Raises:
        UserError: a logit is not finite.
    """
    found = [torch.zeros(0, device=subject.device)]
    for batch in batches(Window(i, 0, tokens) for i, tokens in enumerate(prompts)):
        reading = read(subject, batch)
        last = reading.logits[reading.window.bincount().cumsum(0) - 1].float()
        found.append(contrast.of(last))
        progress((batch[-1].document + 1) / len(prompts))
    return torch.cat(found)
