"""How a visitor sets an option: a slider, a number, a choice or a text, as it is declared."""

from typing import Any

import gradio as gr

from analysis.declaration import Experiment, Option
from space.view import NAMES


def settable(experiment: Experiment) -> list[Option]:
    """The options that a visitor sets beside the answer: those that have a label.

    What is a part of the view is set there.
    """
    return [o for o in experiment.options if o.live and o.live.label and o.name not in NAMES]


def at_first(experiment: Experiment, option: Option) -> Any:
    """What its control says before a visitor sets it."""
    return (experiment.app or {}).get(option.name, option.default)


def written(option: Option, value: Any) -> str:
    """A value as its control shows it."""
    choices = option.live.choices if option.live else ()
    text = f"{value:,}" if type(value) in (int, float) else str(value)
    return next((label for label, each in choices if each == value), text)


def controls(experiment: Experiment) -> dict[str, Any]:
    """A component for every option that a visitor sets."""
    return {o.name: _control(o, at_first(experiment, o)) for o in settable(experiment)}


def _control(option: Option, value: Any) -> Any:
    live = option.live
    assert live is not None
    low, high = option.bounds(live=True)
    if live.choices or option.choices:
        choices = live.choices or [(name, name) for name in option.choices]
        return gr.Radio(list(choices), value=value, label=live.label)
    if option.kind is bool:
        return gr.Checkbox(value, label=live.label)
    if option.kind is str:
        return gr.Textbox(value or "", label=live.label, scale=3, min_width=240)
    if live.step is not None and low is not None and high is not None:
        return gr.Slider(
            low, high, value=value, step=live.step, label=live.label, scale=3, min_width=240
        )
    digits = 0 if option.kind is int else None
    return gr.Number(value, label=live.label, minimum=low, precision=digits, scale=0, min_width=240)


def events(components: dict[str, Any], quick: bool) -> tuple[Any, ...]:
    """The events of controls that ask: Enter in a text; where it is quick, a slider let go of."""
    texts = [each.submit for each in components.values() if isinstance(each, gr.Textbox)]
    sliders = [each.release for each in components.values() if isinstance(each, gr.Slider)]
    return (*texts, *(sliders if quick else ()))


def asking(experiment: Experiment, label: str) -> gr.Button:
    """The button that asks an experiment, which the page knows by its name."""
    name = f"asks-{experiment.name}"
    return gr.Button(label, variant="primary", scale=0, min_width=240, elem_classes=name)
