"""Prompts as a model reads them, and pairs of aligned prompts with what they call for."""

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.contrast import Contrast, make_contrast
from analysis.errors import UnsuitedError, UserError
from analysis.subject import Subject

SMALLEST_GAP = 1e-3
"""Logit differences nearer than this are not told apart."""


@dataclass(frozen=True)
class Prompt:
    """One text as the model reads it: ids and texts of its tokens, BOS included where used."""

    text: str
    tokens: tuple[int, ...]
    strings: tuple[str, ...]


@dataclass(frozen=True)
class PromptPair:
    """Two prompts that call for different words, and those words; mostly of equal token count.

    What is read or patched at the ends alone takes prompts of unequal length too, aligned from
    their ends; maps by position do not.
    """

    clean: Prompt
    corrupted: Prompt
    contrast: Contrast

    @property
    def equal(self) -> bool:
        """Whether both prompts have as many tokens."""
        return len(self.clean.tokens) == len(self.corrupted.tokens)

    @property
    def suffix(self) -> int:
        """How many positions, counted from the end, there are from the first difference on.

        Of prompts of unequal length those of the shorter one.
        """
        shorter = min(len(self.clean.tokens), len(self.corrupted.tokens))
        pairs = zip(self.clean.tokens, self.corrupted.tokens, strict=False)
        head = next((i for i, (a, b) in enumerate(pairs) if a != b), shorter - 1)
        return shorter - min(head, shorter - 1)

    def check_equal(self) -> None:
        """Refuse prompts that have no positions in common.

        Raises:
            UnsuitedError: they are of unequal length.
        """
        if not self.equal:
            told = _unequal(self).removesuffix(".")
            raise UnsuitedError(f"{told}, as what is told by position needs.")

    @property
    def differing(self) -> tuple[int, ...]:
        """Positions at which the two prompts have different tokens.

        Raises:
            UnsuitedError: they are of unequal length.
        """
        self.check_equal()
        pairs = zip(self.clean.tokens, self.corrupted.tokens, strict=True)
        return tuple(i for i, (a, b) in enumerate(pairs) if a != b)

    @property
    def start(self) -> int:
        """First differing position: before it the two forward passes are the same."""
        return self.differing[0]

    @property
    def swapped(self) -> "PromptPair":
        """The corrupted prompt in place of the clean one: to denoise it is to noise this pair."""
        return PromptPair(self.corrupted, self.clean, self.contrast)


@dataclass(frozen=True)
class PromptSet:
    """Prompts, and which of them call for the target.

    Attributes:
        prompts: the prompts.
        calls_for_target: for each, whether it calls for the target; if not, for the foil.
        in_question: for each, whether it is one of the question's own pair, which may have chosen
            the neuron: no estimate over the set may count it.
    """

    prompts: tuple[Prompt, ...]
    calls_for_target: tuple[bool, ...]
    in_question: tuple[bool, ...]


def make_prompt(subject: Subject, text: str, what: str = "prompt") -> Prompt:
    """Tokenise one prompt.

    Raises:
        UserError: it is empty or longer than the model's context window.
    """
    tokens = subject.tokens(text)
    check_length(subject, tokens, what)
    return Prompt(text, tuple(tokens), tuple(map(subject.string, tokens)))


def going_on(subject: Subject, prompt: Prompt, contrast: Contrast) -> tuple[tuple[int, ...], ...]:
    """The prompt's tokens, and behind them what each of ``contrast.passes`` makes it go on with.

    Raises:
        UserError: that is longer than the model's context window.
    """
    texts = tuple((*prompt.tokens, *each.tokens) for each in contrast.passes)
    for tokens in texts:
        check_length(subject, tokens, "prompt with what it has to go on with")
    return texts


def special_in(subject: Subject, text: str) -> tuple[str, ...]:
    """Special tokens that stand in a text as they are typed, each once."""
    added = subject.tokenizer.added_tokens_decoder
    found = (added[token] for token in dict.fromkeys(subject.spans(text)[0]) if token in added)
    return tuple(str(each) for each in found if each.special and str(each) in text)


def make_pair(
    subject: Subject, clean: str, corrupted: str, target: str, foil: str, equal: bool = True
) -> PromptPair:
    """Tokenise and align two prompts.

    Args:
        subject: the model.
        clean: the prompt that calls for the target.
        corrupted: the prompt that calls for the foil.
        target: as text.
        foil: as text.
        equal: whether they must have as many tokens.

    Raises:
        UserError: the prompts are identical or of unequal token count (the tokens at fault are
            named), a prompt is empty or too long, or target and foil are no words to choose from.
    """
    first = make_prompt(subject, clean, "clean prompt")
    second = make_prompt(subject, corrupted, "corrupted prompt")
    if first.tokens == second.tokens:
        raise UserError("The clean and the corrupted prompt are identical: change one word.")
    pair = PromptPair(first, second, make_contrast(subject, target, foil))
    for prompt in (first, second):
        going_on(subject, prompt, pair.contrast)
    if equal and not pair.equal:
        raise UserError(_unequal(pair))
    return pair


def _unequal(pair: PromptPair) -> str:
    """Name the stretch where two prompts of unequal length part."""
    a, b = pair.clean.strings, pair.corrupted.strings
    shorter = min(len(a), len(b))
    head = next((i for i in range(shorter) if a[i] != b[i]), shorter)
    most = shorter - head
    tail = next((i for i in range(most) if a[-1 - i] != b[-1 - i]), most)
    here, there = (list(x[head : len(x) - tail])[:8] for x in (a, b))
    return (
        f"The clean prompt has {len(a)} tokens and the corrupted one {len(b)}: {here} stands "
        f"against {there}; choose words with the same number of tokens."
    )


def check_gap(clean_diff: float, corrupted_diff: float) -> float:
    """Clean minus corrupted logit difference, what a patch can recover.

    Raises:
        UserError: the two hardly differ, so that shares of it would mean nothing.
    """
    gap = clean_diff - corrupted_diff
    if not abs(gap) > SMALLEST_GAP:
        raise UserError(
            f"Both prompts have the same logit difference ({clean_diff:.4f} and "
            f"{corrupted_diff:.4f}), so nothing can be recovered: choose prompts that call for "
            "different words."
        )
    return gap


def excerpt(subject: Subject, text: str, tokens: int) -> str:
    """The beginning of a text, at most so many tokens long and no longer than the model reads."""
    most = min(tokens, subject.context - int(subject.prepend_bos))
    _, spans = subject.spans(text)
    for count in range(most, 0, -1):
        begun = text[: _end(spans, count)]
        if len(subject.spans(begun)[0]) <= most:  # a word cut short may take more tokens
            return begun
    return ""


def _end(spans: list[tuple[int, int]], count: int) -> int:
    """Where the first so many tokens end; a character that they hold in part is left out."""
    end = spans[min(count, len(spans)) - 1][1]
    return min(end, spans[count][0]) if count < len(spans) else end


def check_length(subject: Subject, tokens: Sequence[int], what: str) -> None:
    """Refuse a prompt that the model cannot read.

    Raises:
        UserError: the prompt is empty or longer than the context window.
    """
    if not tokens or (subject.prepend_bos and len(tokens) == 1):
        raise UserError(f"The {what} is empty: give at least one word.")
    if len(tokens) > subject.context:
        raise UserError(
            f"The {what} has {len(tokens)} tokens, but {subject.origin.name} reads at most "
            f"{subject.context}: shorten it."
        )
