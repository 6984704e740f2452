"""What the model writes on as the neuron is turned up, down and round."""

import html
from dataclasses import dataclass

from markupsafe import Markup

from analysis.claims.wording import number, plural, say, token
from analysis.experiments.weight_modulation import WeightModulation
from analysis.figures.style import escaped


@dataclass(frozen=True)
class Line:
    """One text the model wrote: after which prompt, with which factor, and how."""

    prompt: str
    factor: str
    how: str
    text: str


def factor(value: float) -> str:
    """A factor as the text writes it."""
    return number(value, 0 if value == int(value) else 1)


def _starts(result: WeightModulation, prompt: int) -> dict[float, bool]:
    """By factor, whether the greedy text begins with the target."""
    rows = zip(
        result.written_prompt,
        result.written_factor,
        result.written_sample,
        result.written_first,
        strict=True,
    )
    return {f: text == result.target for p, f, s, text in rows if p == prompt and s == 0}


def writes(result: WeightModulation) -> Markup:
    """With which factors the likeliest text goes on with the target."""
    starts = _starts(result, 0)
    told = [factor(f) for f, target in starts.items() if target]
    others = [factor(f) for f, target in starts.items() if not target]
    if told and others:
        return say(
            "Taking the likeliest token each time, the model goes on from the clean prompt with {} "
            "at factor {}, and with something else at {}.",
            token(result.target),
            ", ".join(told),
            ", ".join(others),
        )
    always = "with {} whatever the factor" if told else "with something other than {} at any factor"
    return say(
        "Taking the likeliest token each time, the model goes on from the clean prompt "
        + always
        + ".",
        token(result.target),
    )


def lines(result: WeightModulation) -> tuple[Line, ...]:
    """Every text after the clean prompt, and the likeliest ones after the corrupted prompt."""
    names = ("clean", "corrupted")
    rows = zip(
        result.written_prompt,
        result.written_factor,
        result.written_sample,
        result.written_text,
        strict=True,
    )
    return tuple(
        Line(names[p], factor(f), f"sample {s}" if s else "likeliest", shown(text))
        for p, f, s, text in rows
        if p == 0 or s == 0
    )


def shown(text: str) -> str:
    """What a model wrote, line ends and controls made visible."""
    return html.unescape(escaped(text.replace("\n", "⏎"))).strip()


def table(result: WeightModulation) -> str:
    """What the table of texts holds."""
    samples = plural(max(result.written_sample, default=0), "sample", "samples")
    return (
        f"Up to {result.written_length} tokens written with the output weights scaled: the "
        f"likeliest text, and after the clean prompt {samples} at temperature 1"
    )
