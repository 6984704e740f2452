"""Words of several tokens: what a prompt is made to go on with, and what is read of it.

log p(word) is the sum over its tokens of log p(token | the prompt and the tokens before): the
prompt is made to go on with all of them but the last (teacher forcing). The metric is log p(target)
- log p(foil). What both begin with stands in both and cancels. The first tokens in which they
differ are read at one place, where the difference of logarithms is that of logits; so single tokens
have the plain logit difference. Only what comes behind needs the whole vocabulary.
"""

from dataclasses import dataclass
from itertools import takewhile

import torch
from jaxtyping import Float
from torch import Tensor

from analysis.read_out import ReadOut

ROWS = 256
"""Places whose predictions over the whole vocabulary are held at once: bounds memory."""

Ids = tuple[int, ...]
"""A word's tokens."""


@dataclass(frozen=True)
class Forced:
    """What a prompt is made to go on with, and what is read of the metric there.

    Places are counted from the prompt's last position on, which is place 0.

    Attributes:
        tokens: behind the prompt; none where target and foil are next tokens.
        parting: place at which target and foil part, if that is read here, and their tokens there.
        behind: place and token of each further logarithm.
        sign: 1 where these are of the target, -1 of the foil.
    """

    tokens: Ids = ()
    parting: tuple[int, int, int] | None = None
    behind: tuple[tuple[int, int], ...] = ()
    sign: int = 1

    @property
    def places(self) -> int:
        """How many places are read, the prompt's last position among them."""
        return 1 + len(self.tokens)

    def read(
        self, head: ReadOut, normed: Float[Tensor, "*row place d_model"]
    ) -> Float[Tensor, "*row"]:
        """What this gives of the metric.

        Args:
            head: the way to logits.
            normed: what the final norm gives at the places.
        """
        found = normed.new_zeros(normed.shape[:-2], dtype=torch.float32)
        if self.parting is not None:
            place, target, foil = self.parting
            found = head.difference(normed[..., place, :], target, foil).float()
        for place, token in self.behind:
            found = found + self.sign * log_probability(head, normed[..., place, :], token)
        return found


def passes(target: Ids, foil: Ids) -> tuple[Forced, ...]:
    """What has to be read for the metric: one text where that of one word serves the other, too.

    Args:
        target: its tokens.
        foil: its tokens; neither begins with all of the other.
    """
    common = shared(target, foil)
    parting = (common, target[common], foil[common])
    ours, theirs = (tuple(enumerate(ids))[common + 1 :] for ids in (target, foil))
    if not theirs:
        return (Forced(target[:-1], parting, ours),)
    if not ours:
        return (Forced(foil[:-1], parting, theirs, sign=-1),)
    return Forced(target[:-1], parting, ours), Forced(foil[:-1], None, theirs, sign=-1)


def shared(target: Ids, foil: Ids) -> int:
    """How many tokens both begin with."""
    pairs = zip(target, foil, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def log_probability(
    head: ReadOut, normed: Float[Tensor, "*row d_model"], token: int
) -> Float[Tensor, "*row"]:
    """Log p of a next token; what has but one row is no more held in memory than a prompt is."""
    rows = normed.reshape(-1, normed.shape[-1])
    logs = [
        logits[:, token] - logits.logsumexp(-1)
        for logits in (head.logits(some).float() for some in torch.split(rows, ROWS))
    ]
    return torch.cat(logs).reshape(normed.shape[:-1])


def log_probability_of_word(
    head: ReadOut, normed: Float[Tensor, "*row place d_model"], word: Ids
) -> Float[Tensor, "*row"]:
    """Log p of a word at the places of a text that goes on with it, or all of it but the last."""
    logs = [log_probability(head, normed[..., i, :], token) for i, token in enumerate(word)]
    return torch.stack(logs).sum(0)
