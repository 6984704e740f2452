"""Single values that a visitor gave, checked: anyone can send anything."""

from typing import Any

from analysis.errors import UserError


def text(value: Any, name: str, longest: int) -> str:
    """A text that is not too long.

    Raises:
        UserError: it is something else.
    """
    if not isinstance(value, str):
        raise UserError(f"The {name} has to be a text.")
    if len(value) > longest:
        raise UserError(
            f"The {name} has {len(value):,} characters: the longest allowed is {longest:,}."
        )
    return value


def whole(value: Any, name: str, low: int, high: int) -> int:
    """A whole number within limits.

    Raises:
        UserError: it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise UserError(f"The {name} has to be a whole number from {low} to {high:,}.")
    if not low <= value <= high:
        raise UserError(f"The {name} has to lie between {low} and {high:,}.")
    return int(value)


def number(value: Any, name: str, low: float, high: float) -> float:
    """A number within limits.

    Raises:
        UserError: it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise UserError(f"The {name} has to be a number from {low:g} to {high:g}.")
    return float(value)
