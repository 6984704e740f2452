"""What is wrong with a question file, told by key."""

from pydantic import ValidationError

from analysis.questions.factors import Factors, Kind, Part, Plan
from analysis.questions.parts import Example, Natural, Pair

PARTS: dict[str, type[Part]] = {
    "natural": Natural,
    "pairs": Pair,
    "examples": Example,
    "crossed": Factors,
    "words": Kind,
    "plan": Plan,
}
"""What the tables of a question hold, by the key under which they stand."""


def mistakes(error: ValidationError, whole: type[Part]) -> str:
    """Every mistake of a question by its key, with what would be right, in one line.

    Args:
        error: what pydantic found.
        whole: the type of the question.
    """
    told = []
    for each in error.errors():
        key = ".".join(map(str, each["loc"]))
        message = str(each["msg"]).removeprefix("Value error, ")
        if each["type"] == "extra_forbidden":
            known = ", ".join(_keys_beside(each["loc"], whole))
            message = f"no such key; the keys are {known}"
        elif each["type"] == "missing":
            message = "is missing"
        else:
            message = message[:1].lower() + message[1:]
        told.append(f"{key}: {message}" if key else message)
    return "; ".join(told)


def _keys_beside(place: tuple[int | str, ...], whole: type[Part]) -> list[str]:
    """The keys that are known where an unknown one stands."""
    tables = [PARTS[key] for key in map(str, place[:-1]) if key in PARTS]
    part = tables[-1] if tables else whole
    return [name for name in part.model_fields if name not in ("name", "source")]
