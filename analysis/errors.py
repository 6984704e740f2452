"""The one error a user can cause, and what is told of errors that libraries raise."""


class UserError(ValueError):
    """One clear sentence: what was wrong and what would be right."""


class UnsuitedError(UserError):
    """What cannot be asked of this model, whatever the prompts: a study goes on without it."""


class TooDearError(UserError):
    """What is asked would take longer than one answer may."""


def first_line(error: Exception) -> str:
    """The first line of an error's message, with the one that it announces; or its kind."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    first = " ".join(lines[: 2 if lines and lines[0].endswith(":") else 1])
    return (first or type(error).__name__).rstrip(".")


def lacks_memory(error: Exception) -> bool:
    """Whether memory ran out, which torch tells in kinds and words of its own."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    return bool(kinds & {"MemoryError", "OutOfMemoryError"}) or "allocate memory" in str(error)
