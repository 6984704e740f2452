"""How the prose writes numbers and tokens. All that comes from data is escaped on its way in."""

import html
import math
import re

from markupsafe import Markup, escape

from analysis.drawing import style

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
MINUS, THIN = "\u2212", "\u202f"
FRACTIONS = {"about a quarter": 1 / 4, "about a third": 1 / 3, "about half": 1 / 2,
             "about two thirds": 2 / 3}  # fmt: skip
NEAR = 0.035  # so that the spans around neighbouring fractions do not meet
ROUNDING = 1e-3  # per cent: what is nearer to all than that is all, but for rounding
NO_INTERVAL = "without an interval"

power = style.power


def markup(sentence: str, *values: object, **named: object) -> Markup:
    """A sentence with values filled in; values that are not markup themselves are escaped."""
    return Markup(sentence).format(*values, **named)  # noqa: S704


def plain(text: str) -> str:
    """A token as plain text, written as the figures write it."""
    return html.unescape(style.visible(text))


def token(text: str) -> Markup:
    """A token as inline code, its white space made visible."""
    return markup('<code class="tok">{}</code>', plain(text))


def tokens(texts: tuple[str, ...] | list[str]) -> Markup:
    """Several tokens, separated by commas."""
    return Markup(", ").join(map(token, texts))


def noun(text: str) -> str:
    """What a token is called where it is what the model says: a word, or a mark as a bracket is."""
    return "word" if any(map(str.isalnum, text)) else "mark"


def exchanged(first: str, second: str) -> str:
    """What two texts differ in: one word, one mark, or one part that is longer."""
    start = _alike(first, second)
    end = _alike(first[start:][::-1], second[start:][::-1])
    parts = [text[start : len(text) - end] for text in (first, second)]
    longer = any(len(part.split()) > 1 for part in parts)
    return "one part" if longer else f"one {noun(''.join(parts))}"


def _alike(first: str, second: str) -> int:
    """How many characters two texts have in common at their beginnings."""
    pairs = zip(first, second, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(first), len(second)))


def prompt(text: str) -> Markup:
    """A prompt as a quotation."""
    return markup("<q>{}</q>", _spaced(text))


def number(value: float, digits: int = 2) -> str:
    """A number with a true minus sign and grouped thousands."""
    if not math.isfinite(value):
        return "undefined"
    text = f"{abs(value):,.{digits}f}"
    return MINUS + text if value < 0 and float(text.replace(",", "")) else text


def signed(value: float, digits: int = 2) -> str:
    """A number that shows its sign, plus included."""
    text = number(value, digits)
    return text if text.startswith(MINUS) or not math.isfinite(value) else f"+{text}"


def count(value: int) -> str:
    """A whole number with grouped thousands."""
    return f"{value:,}"


def percent(share: float, apart: float | None = None) -> str:
    """A share in per cent, with as many digits as one needs that is near to nothing or to all.

    Args:
        share: which one.
        apart: another that it is compared with: it gets digits until it is not written alike.
    """
    if not math.isfinite(share):
        return number(share)
    value = 100 * share
    digits = 0 if abs(value) >= 10 or value == int(value) else 1 if abs(value) >= 1 else 2
    while abs(value) < 100 - ROUNDING and abs(round(value, digits)) == 100:
        digits += 1
    if 0 < abs(value) < 0.005:
        digits = min(4, 1 - math.floor(math.log10(abs(value))))
    if 0 < abs(value) < 0.00005:
        return f"{'<' if value > 0 else '>' + MINUS}0.0001{THIN}%"
    if apart is not None and math.isfinite(apart) and share != apart:
        while digits < 4 and number(value, digits) == number(100 * apart, digits):
            digits += 1
    return f"{number(value, digits)}{THIN}%"


def span(low: float, high: float, digits: int = 2) -> str:
    """An interval of numbers, if there is one."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return NO_INTERVAL
    return f"95{THIN}% interval {number(low, digits)} to {number(high, digits)}"


def share_span(low: float, high: float, apart: float | None = None) -> str:
    """An interval of shares, if there is one; its ends as ``percent`` writes them."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return NO_INTERVAL
    return f"95{THIN}% interval {percent(low, apart)} to {percent(high, apart)}"


def ordinal(rank: int) -> str:
    """A rank in words as far as words are usual: first, second, ..., 10th, 11th."""
    if 1 <= rank <= len(ORDINALS):
        return ORDINALS[rank - 1]
    teens = 10 <= rank % 100 <= 20
    suffix = "th" if teens else {1: "st", 2: "nd", 3: "rd"}.get(rank % 10, "th")
    return f"{rank:,}{suffix}"


def plural(amount: int, one: str, many: str) -> str:
    """A count with its noun."""
    return f"{count(amount)} {one if amount == 1 else many}"


def head_name(layer: int, head: int) -> str:
    """Name of an attention head."""
    return f"L{layer}H{head}"


def small(value: float) -> str:
    """A number with as many digits as it takes to see one of it."""
    digits = 2 if not value else max(2, 1 - math.floor(math.log10(abs(value))))
    return number(value, min(digits, 9))


INITIALS = {"auc": "AUC", "kl": "KL"}
"""Words of columns whose letters begin words."""


def factor(value: float) -> str:
    """What something is multiplied by, without needless digits."""
    return f"{value:g}".replace("-", MINUS)


def column_name(column: str) -> str:
    """The name of a column, as it stands above it."""
    words = " ".join(INITIALS.get(word, word) for word in re.split("[ _]", column))
    return words[:1].upper() + words[1:]


def written(text: str) -> str:
    """What a model wrote on, line ends and controls made visible."""
    return html.unescape(style.escaped(_spaced(text.replace("\n", "⏎").strip())))


def goes_on(text: str) -> str:
    """The same behind a prompt: a space stands between them only where the model wrote one."""
    return f"{' ' if text[:1].isspace() else ''}{written(text)}"


def typed(command: str) -> Markup:
    """A command whose lines end between its words, never in the name of an option."""
    pieces = re.split("(--[a-z-]+)", command)
    return Markup().join(
        markup('<span class="option">{}</span>', piece) if number % 2 else escape(piece)
        for number, piece in enumerate(pieces)
    )


def _spaced(text: str) -> str:
    """Two spaces and more, which prose would show as one, as dots."""
    return re.sub(" {2,}", lambda run: "·" * len(run[0]), text)


def fraction(share: float) -> str:
    """A share in words: a common fraction where it is near one, else part or all."""
    name = min(FRACTIONS, key=lambda each: abs(FRACTIONS[each] - share))
    if abs(FRACTIONS[name] - share) <= NEAR:
        return name
    return "part" if share < 1 else "all"
