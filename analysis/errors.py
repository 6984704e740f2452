"""The one error a user can cause, and what is told of errors that libraries raise."""


class UserError(ValueError):
    """One clear sentence: what was wrong and what would be right."""


def first_line(error: Exception) -> str:
    """The first line of an error's message, or its kind."""
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
