"""Target and foil, each a token, a set of tokens or several in a row, and the metric.

All engines ask it of here. A set is read as if its tokens were one: its probability is their sum,
and so its logit is the logarithm of the sum of their exponentials. The metric is the target's logit
minus the foil's. Of one token each it is the plain logit difference; of words of several tokens it
is log p(target) - log p(foil) (``forced``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from analysis.errors import UnsuitedError, UserError
from analysis.forced import Forced, Ids, log_probability_of_word, passes, shared
from analysis.read_out import ReadOut
from analysis.subject import Subject
from analysis.token_sets import members, mistake

LONGEST = 16
"""Tokens of a word."""


@dataclass(frozen=True)
class Contrast:
    """The token asked for and the token it competes with; in place of either a set, or a word.

    What reads the next token alone refuses words of several tokens: all methods do but ``passes``,
    ``part``, ``forced``, ``read_forced`` and ``log_p_target``.

    Attributes:
        target: as text, with leading spaces and bars between the tokens of a set.
        foil: likewise.
        targets: ids of the target's tokens; of several in a row the first.
        foils: ids of the foil's tokens, likewise.
        target_rest: of a target of several tokens in a row those behind the first.
        foil_rest: likewise.
    """

    target: str
    foil: str
    targets: Ids
    foils: Ids
    target_rest: Ids = ()
    foil_rest: Ids = ()

    @property
    def has_sets(self) -> bool:
        """Whether one of the two is a set of more than one token."""
        return len(self.targets) > 1 or len(self.foils) > 1

    @property
    def is_long(self) -> bool:
        """Whether one of the two is several tokens long."""
        return bool(self.target_rest or self.foil_rest)

    @property
    def words(self) -> tuple[Ids, Ids]:
        """All tokens of the target and all of the foil, each in a row; they are no sets."""
        return (*self.targets, *self.target_rest), (*self.foils, *self.foil_rest)

    @property
    def target_id(self) -> int:
        """The target, where that is one token.

        Raises:
            UnsuitedError: it is a set, or a word of several tokens.
        """
        return _alone(self.target, self._next[0])

    @property
    def foil_id(self) -> int:
        """The foil, where that is one token.

        Raises:
            UnsuitedError: it is a set, or a word of several tokens.
        """
        return _alone(self.foil, self._next[1])

    @property
    def _next(self) -> tuple[Ids, Ids]:
        """Which next tokens are the target, and which the foil."""
        self.check_next()
        return self.targets, self.foils

    def check_next(self, asked: str = "This") -> None:
        """Refuse words of several tokens.

        Args:
            asked: what reads the next token alone.

        Raises:
            UnsuitedError: one of the two is several tokens long.
        """
        for word, rest in ((self.target, self.target_rest), (self.foil, self.foil_rest)):
            if rest:
                raise UnsuitedError(
                    f"{asked} reads the next token alone, and {word[:90]!r} is {1 + len(rest)} "
                    "tokens long: give single tokens."
                )

    @cached_property
    def passes(self) -> tuple[Forced, ...]:
        """What a prompt has to go on with for the metric: nothing, where that is the next token."""
        if not self.is_long:
            return (Forced(),)
        return passes(*self.words)

    def part(
        self, number: int, head: ReadOut, normed: Float[Tensor, "*row place d_model"]
    ) -> Float[Tensor, "*row"]:
        """What one of ``passes`` gives of the metric, which is the sum over all.

        Args:
            number: which one.
            head: the way to logits.
            normed: what the final norm gives at its places, the prompt's last position first.
        """
        if not self.is_long:
            return self.behind(head, normed[..., -1, :])
        return self.passes[number].read(head, normed)

    def forced(
        self, head: ReadOut, normed: Sequence[Float[Tensor, "*row _place d_model"]]
    ) -> Float[Tensor, "*row"]:
        """The metric, of what the final norm gives at the places of each of ``passes``."""
        parts = [self.part(number, head, each) for number, each in enumerate(normed)]
        return sum(parts[1:], start=parts[0])

    @torch.inference_mode()
    def read_forced(
        self, subject: Subject, resids: Sequence[Float[Tensor, "*row _place d_model"]]
    ) -> Float[Tensor, "*row"]:
        """The metric, of final residuals at the places of each of ``passes``.

        Raises:
            UserError: one is not finite.
        """
        normed = [subject.final_norm(each) for each in resids]
        return subject.finite(self.forced(subject.read_out, normed), "logits")

    def log_p_target(
        self, head: ReadOut, normed: Float[Tensor, "*row place d_model"]
    ) -> Float[Tensor, "*row"]:
        """Log p of a target that is no set, at the places of the first of ``passes``.

        That goes on with the target whatever it is: the foil's is the first where it begins so.
        """
        return log_probability_of_word(head, normed, self.words[0])

    def of(self, logits: Float[Tensor, "*row d_vocab"]) -> Float[Tensor, "*row"]:
        """The metric: the target's logit minus the foil's."""
        target, foil = self.logits(logits)
        return target - foil

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
        targets, foils = self._next
        if not self.has_sets:
            return read_out.difference(normed, targets[0], foils[0]).float()
        logits = read_out.of([*targets, *foils]).logits(normed).float()
        cut = len(targets)
        return logits[..., :cut].logsumexp(-1) - logits[..., cut:].logsumexp(-1)

    def logits(
        self, logits: Float[Tensor, "*row d_vocab"]
    ) -> tuple[Float[Tensor, "*row"], Float[Tensor, "*row"]]:
        """The target's logit and the foil's."""
        targets, foils = self._next
        return _joint(logits, targets), _joint(logits, foils)

    def shares(
        self, probabilities: Float[Tensor, "*row d_vocab"]
    ) -> tuple[Float[Tensor, "*row"], Float[Tensor, "*row"]]:
        """The probability that one of the target's tokens comes next, and one of the foil's."""
        target, foil = (probabilities[..., list(ids)].sum(-1) for ids in self._next)
        return target, foil

    def is_target(self, tokens: Int[Tensor, "*row"]) -> Bool[Tensor, "*row"]:
        """Which tokens are the target, or one of it."""
        return _among(tokens, self._next[0])

    def is_foil(self, tokens: Int[Tensor, "*row"]) -> Bool[Tensor, "*row"]:
        """Which tokens are the foil, or one of it."""
        return _among(tokens, self._next[1])

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
            values[..., list(ids)] @ logits[list(ids)].softmax(-1).to(values) for ids in self._next
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

    A word may be several tokens in a row, as it stands behind other text. One that is a single
    token with another space before it, or none, is refused: that one was hardly meant.

    Raises:
        UserError: one of them is no such word (a spelling that is one is suggested, if there is
            any), stands in both, stands twice, or begins with all of the other.
    """
    wrong = mistake(target, foil)
    if wrong:
        raise UserError(f"{wrong[0].upper()}{wrong[1:]}.")
    (targets, target_rest), (foils, foil_rest) = (
        _looked_up(subject, words, side) for words, side in ((target, "target"), (foil, "foil"))
    )
    contrast = Contrast(target, foil, targets, foils, target_rest, foil_rest)
    if contrast.is_long:
        _check_long(contrast)
    elif {*targets} & {*foils}:
        raise UserError(
            f"Target and foil are both {subject.string(targets[0])!r}: give different tokens."
        )
    return contrast


def _looked_up(subject: Subject, words: str, side: str) -> tuple[Ids, Ids]:
    """Tokens of a set, or the first token of a word and those behind it."""
    first, *others = members(words)
    if others:
        return tuple(_single_token(subject, word, side) for word in (first, *others)), ()
    found = subject.pieces(first)
    if not found:
        raise UserError(f"The {side} is empty: give one token, with its leading space.")
    if len(found) > 1 and (not first.strip() or _respaced(subject, first)):
        raise UserError(_not_one(subject, first, side))
    if len(found) > LONGEST:
        raise UserError(
            f"The {side} {first[:40]!r} is {len(found)} tokens long, and at most {LONGEST} are "
            "asked for: give a shorter one."
        )
    return (found[0],), tuple(found[1:])


def _check_long(contrast: Contrast) -> None:
    """Refuse what is no choice between two words."""
    if contrast.has_sets:
        raise UserError(
            "One of target and foil is a set, and the other several tokens long: give a word each."
        )
    target, foil = contrast.words
    if shared(target, foil) == min(len(target), len(foil)):
        shorter, longer = sorted((contrast.target, contrast.foil), key=len)
        raise UserError(
            f"{longer[:90]!r} begins with {shorter[:60]!r}, so that the one is no answer in the "
            "place of the other: give different words."
        )


def _single_token(subject: Subject, word: str, side: str) -> int:
    found = subject.pieces(word)
    if len(found) == 1:
        return found[0]
    raise UserError(_not_one(subject, word, side))


def _not_one(subject: Subject, word: str, side: str) -> str:
    """Why a word that is not one token is refused, and what to give instead."""
    found, variant = subject.pieces(word), _respaced(subject, word)
    pieces = f"{len(found)} tokens{_listed(subject, found)}"
    instead = f"try {variant!r}" if variant else "choose another word"
    return f"The {side} {word[:40]!r} is {pieces} and must be one: {instead}."


def _listed(subject: Subject, tokens: list[int]) -> str:
    """The texts of some tokens in brackets; nothing where one holds but a part of a character."""
    texts = [subject.string(token) for token in tokens[:8]]
    return "" if any("\ufffd" in text for text in texts) else f" ({', '.join(map(repr, texts))})"


def _respaced(subject: Subject, word: str) -> str:
    """The word with a space before it, or without, whichever is one token; else nothing."""
    bare = word.strip()
    for variant in (" " + bare, bare):
        if bare and [variant] == [subject.string(piece) for piece in subject.pieces(variant)]:
            return variant
    return ""
