"""Target and foil, each one token or a set of tokens, and the metric: all engines ask it of here.

A set is read as if its tokens were one: its probability is their sum, and so its logit is the
logarithm of the sum of their exponentials. The metric is the target's logit minus the foil's. Of
one token each it is the plain logit difference.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from analysis.errors import UnsuitedError, UserError
from analysis.read_out import ReadOut
from analysis.subject import Subject

BAR = "|"
"""Stands between the tokens of a set; where it is a token's own, ``\\|`` stands for it."""

LARGEST = 100
"""Tokens of a set."""


def members(words: str) -> tuple[str, ...]:
    r"""The tokens of a set as texts: ``" is| was"`` names two; ``\|`` is a bar of a word's own.

    A single token is a set of one.
    """
    return tuple(part.replace(rf"\{BAR}", BAR) for part in re.split(r"(?<!\\)\|", words))


def together(words: Sequence[str]) -> str:
    """The set as one text, from which ``members`` takes the words again."""
    return BAR.join(word.replace(BAR, rf"\{BAR}") for word in words)


def mistake(target: str, foil: str) -> str:
    """What is wrong with two sets as texts, in a clause; empty where nothing is."""
    sets = {"target": members(target), "foil": members(foil)}
    for side, words in sets.items():
        if len(words) > 1 and not all(words):
            return (
                f"the {side} has an empty token beside a {BAR}: write a {BAR} that is its own "
                rf"as \{BAR}"
            )
        if len(words) > LARGEST:
            return f"the {side} has {len(words)} tokens, and at most {LARGEST} are one set"
        twice = next((word for word in words if words.count(word) > 1), None)
        if twice is not None:
            return f"the {side} has {twice[:40]!r} twice"
    both = [word for word in sets["target"] if word in sets["foil"]]
    if target and target == foil:
        return f"target and foil are both {target[:90]!r}: give two different tokens"
    return f"{both[0][:40]!r} is in target and foil: leave it out of one" if both and target else ""


@dataclass(frozen=True)
class Contrast:
    """The token asked for and the token it competes with; in place of either a set of tokens.

    Attributes:
        target: as text, with leading spaces and bars between the tokens of a set.
        foil: likewise.
        targets: ids of the target's tokens.
        foils: ids of the foil's tokens.
    """

    target: str
    foil: str
    targets: tuple[int, ...]
    foils: tuple[int, ...]

    @property
    def has_sets(self) -> bool:
        """Whether one of the two is more than one token."""
        return len(self.targets) > 1 or len(self.foils) > 1

    @property
    def target_id(self) -> int:
        """The target, where that is one token.

        Raises:
            UnsuitedError: it is a set.
        """
        return _alone(self.target, self.targets)

    @property
    def foil_id(self) -> int:
        """The foil, where that is one token.

        Raises:
            UnsuitedError: it is a set.
        """
        return _alone(self.foil, self.foils)

    def of(self, logits: Float[Tensor, "*row d_vocab"]) -> Float[Tensor, "*row"]:
        """The metric: the target's logit minus the foil's."""
        return _joint(logits, self.targets) - _joint(logits, self.foils)

    @torch.inference_mode()
    def read(self, subject: Subject, resid: Float[Tensor, "*row d_model"]) -> Float[Tensor, "*row"]:
        """The metric when residuals go through the final norm and the unembedding.

        Raises:
            UserError: one is not finite.
        """
        return subject.finite(self.behind(subject.read_out, subject.final_norm(resid)), "logits")

    def behind(
        self, read_out: ReadOut, normed: Float[Tensor, "*row d_model"]
    ) -> Float[Tensor, "*row"]:
        """The metric when what the final norm gives goes through the unembedding."""
        if not self.has_sets:
            return read_out.difference(normed, self.targets[0], self.foils[0]).float()
        logits = read_out.of([*self.targets, *self.foils]).logits(normed).float()
        cut = len(self.targets)
        return logits[..., :cut].logsumexp(-1) - logits[..., cut:].logsumexp(-1)

    def logits(
        self, logits: Float[Tensor, "*row d_vocab"]
    ) -> tuple[Float[Tensor, "*row"], Float[Tensor, "*row"]]:
        """The target's logit and the foil's."""
        return _joint(logits, self.targets), _joint(logits, self.foils)

    def shares(
        self, probabilities: Float[Tensor, "*row d_vocab"]
    ) -> tuple[Float[Tensor, "*row"], Float[Tensor, "*row"]]:
        """The probability that one of the target's tokens comes next, and one of the foil's."""
        target, foil = (probabilities[..., list(ids)].sum(-1) for ids in (self.targets, self.foils))
        return target, foil

    def is_target(self, tokens: Int[Tensor, "*row"]) -> Bool[Tensor, "*row"]:
        """Which tokens are the target, or one of it."""
        return _among(tokens, self.targets)

    def is_foil(self, tokens: Int[Tensor, "*row"]) -> Bool[Tensor, "*row"]:
        """Which tokens are the foil, or one of it."""
        return _among(tokens, self.foils)

    def weighted(
        self, values: Float[Tensor, "*row d_vocab"], logits: Float[Tensor, " d_vocab"] | None
    ) -> tuple[Float[Tensor, "*row"], Float[Tensor, "*row"]]:
        """What a small change of every token's logit comes to in the target's and the foil's.

        Of a set that is the mean of its tokens', each weighted by its share of the set's
        probability: the derivative of the log-sum-exp. The shares depend on the prompt.

        Args:
            values: a change for every token.
            logits: at the end of the prompt; not looked at for single tokens.

        Raises:
            UnsuitedError: there is a set, and no prompt.
        """
        if not self.has_sets or logits is None:
            return values[..., self.target_id], values[..., self.foil_id]
        target, foil = (
            values[..., list(ids)] @ logits[list(ids)].softmax(-1).to(values)
            for ids in (self.targets, self.foils)
        )
        return target, foil


def _alone(words: str, ids: tuple[int, ...]) -> int:
    if len(ids) > 1:
        raise UnsuitedError(
            f"This is asked of single tokens, and {words[:90]!r} is a set of {len(ids)}: name one."
        )
    return ids[0]


def _joint(logits: Float[Tensor, "*row d_vocab"], ids: tuple[int, ...]) -> Float[Tensor, "*row"]:
    return logits[..., ids[0]] if len(ids) == 1 else logits[..., list(ids)].logsumexp(-1)


def _among(tokens: Int[Tensor, "*row"], ids: tuple[int, ...]) -> Bool[Tensor, "*row"]:
    return torch.isin(tokens, torch.tensor(ids, device=tokens.device))


def make_contrast(subject: Subject, target: str, foil: str) -> Contrast:
    """Look up target and foil: tokens with their leading spaces, bars between those of a set.

    Raises:
        UserError: one of them is not a single token (a spelling that is one is suggested, if there
            is any), stands in both, or stands twice.
    """
    wrong = mistake(target, foil)
    if wrong:
        raise UserError(f"{wrong[0].upper()}{wrong[1:]}.")
    targets = tuple(_single_token(subject, word, "target") for word in members(target))
    foils = tuple(_single_token(subject, word, "foil") for word in members(foil))
    if set(targets) & set(foils):
        raise UserError(
            f"Target and foil are both {subject.string(targets[0])!r}: give different tokens."
        )
    return Contrast(target, foil, targets, foils)


def _single_token(subject: Subject, word: str, what: str) -> int:
    found = subject.pieces(word)
    if len(found) == 1:
        return found[0]
    if not found:
        raise UserError(f"The {what} is empty: give one token, with its leading space.")
    pieces = f"{len(found)} tokens{_listed(subject, found)}"
    raise UserError(
        f"The {what} {word[:40]!r} is {pieces} and must be one: {_suggestion(subject, word)}."
    )


def _listed(subject: Subject, tokens: list[int]) -> str:
    """The texts of some tokens in brackets; nothing where one holds but a part of a character."""
    texts = [subject.string(token) for token in tokens[:8]]
    return "" if any("\ufffd" in text for text in texts) else f" ({', '.join(map(repr, texts))})"


def _suggestion(subject: Subject, word: str) -> str:
    """What to give instead: the word with or without its space or the first of several words.

    A piece of a word, a space or a part of a character is no word to ask for.
    """
    bare = word.strip()
    first = " " + (bare.split() or [""])[0]
    for variant in (" " + bare, bare, first):
        if variant.strip() and [variant] == [subject.string(p) for p in subject.pieces(variant)]:
            return f"try {variant!r}"
    return "choose another word"
