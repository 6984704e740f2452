r"""Text, tokens and numbers as LaTeX that any of today's engines sets, in pure ASCII.

It wants ``\usepackage[T1]{fontenc}``. What LaTeX would take as a command, as an argument or as a
ligature is written so that the characters themselves appear.
"""

import math
import unicodedata

SPECIAL = {
    **{character: f"\\{character}" for character in "{}#$%&_"},
    **{character: f"{{{character}}}" for character in "[]*"},
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
    "\u2212": r"\ensuremath{-}",
    "\u00d7": r"\ensuremath{\times}",
    "\u00b7": r"\textperiodcentered{}",
    "\u2013": r"\textendash{}",
    "\u2014": r"\textemdash{}",
    "\u2018": r"\textquoteleft{}",
    "\u2019": r"\textquoteright{}",
    "\u201c": r"\textquotedblleft{}",
    "\u201d": r"\textquotedblright{}",
    "\u2026": r"\ldots{}",
}
"""Brackets and stars are in braces: behind the end of a row they would be its arguments."""

TYPED = {" ": r"\textvisiblespace{}", "'": r"\textquotesingle{}", "-": "{-}", ",": "{,}"}
"""What prose may have as it is, and a token may not: it would vanish, bend or join its like."""

ACCENTS = {
    "\u0300": "`",
    "\u0301": "'",
    "\u0302": "^",
    "\u0303": "~",
    "\u0308": '"',
    "\u030a": "r",
    "\u030c": "v",
    "\u0327": "c",
}
NOTHING = r"\textendash{}"


def token(text: str) -> str:
    """A token in typewriter letters, its spaces visible, other white space by its code point."""
    return f"\\texttt{{{''.join(TYPED.get(c) or _character(c) for c in text)}}}"


def prose(text: str) -> str:
    """Any text that is no token, its spaces as spaces."""
    return "".join(c if c == " " else _character(c) for c in text)


def number(value: float | int | None, digits: int = 3) -> str:
    """A number in mathematics, so that its minus is one; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if isinstance(value, int):
        return f"${value}$"
    if 10**digits <= abs(value) < 1e6:
        return f"${value:.0f}$"
    shown, _, exponent = f"{value:#.{digits}g}".partition("e")
    shown = shown.rstrip(".")
    return f"${shown} \\times 10^{{{int(exponent)}}}$" if exponent else f"${shown}$"


def _character(character: str) -> str:
    if character in SPECIAL:
        return SPECIAL[character]
    if " " < character < "\x7f":
        return character
    base, *marks = list(unicodedata.normalize("NFD", character))
    if len(marks) == 1 and marks[0] in ACCENTS and base.isascii() and base.isalpha():
        return f"\\{ACCENTS[marks[0]]}{{{base}}}"
    return f"\\textless{{}}U+{ord(character):04X}\\textgreater{{}}"
