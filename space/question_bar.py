"""The question that all tabs share: prompts, target, foil and neuron, sent as one named object."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from space.settings import Settings
from space.view import OWN, View, library, make_view, pair_of

QUIET: dict[str, Any] = {"api_visibility": "private", "queue": False, "show_progress": "hidden"}
"""Options of events that use no model."""

NEWEST: dict[str, Any] = {"trigger_mode": "always_last"}
"""Of events that may come while the same one is on its way: the last of them is asked after it.
Without this the page drops them."""

UNLESS_STOPPED: dict[str, Any] = {**NEWEST, "js": "(...values) => unlessStopped(values)"}
"""Of those that use a model: what waits in the page when Stop is pressed is sent without a view."""

MORE: dict[str, tuple[str, str, int]] = {
    "lines": (
        "In place of the two prompts: pairs, a line each: clean | corrupted [| target | foil], "
        "with sets as | is| was |; or a CSV table. The first is asked, the others confirm it.",
        "lines",
        4,
    ),
    "template": ("Or a sentence, with {} where the words stand", "template", 2),
    "target_words": ("Words that call for the target, with commas", "target_words", 2),
    "foil_words": ("Words that call for the foil", "foil_words", 2),
}
"""Label, name in the page and lines of each box for a question of more than one pair."""

LARGEST = 1_000_000
"""Characters of a view that is sent."""


def examples() -> Iterator[tuple[str, dict[str, str]]]:
    """What a visitor can begin with, by its title: the parts of the view that it sets."""
    for question in library():
        parts = {"question": question.name, **pair_of(question)}
        parts |= dict.fromkeys(("neuron", "text", *OWN), "")  # the neuron is the question's own
        yield question.label, parts
        for example in question.examples:
            own = {"clean": example.clean, "corrupted": example.corrupted} if example.clean else {}
            yield example.name, {**parts, **own, "text": example.text}


class QuestionBar:
    """The components of the shared question, folded away by the page's own style.

    They stay in the page when they are folded: pressing a neuron writes into them.

    Args:
        settings: which models are offered.
        start: the view that a visitor begins with.
    """

    def __init__(self, settings: Settings, start: View) -> None:
        with gr.Row():
            gr.Button("Ask another question", elem_id="unfold", size="sm")
            self.stop = gr.Button("Stop", elem_id="stop", size="sm")
        with gr.Column(elem_id="question"):
            with gr.Row(elem_classes="examples"):
                self.examples = [
                    (gr.Button(title, size="sm", min_width=100), parts)
                    for title, parts in examples()
                ]
            with gr.Row():
                clean = _box(start.clean, "Clean prompt: calls for the target", "clean", 2)
                corrupted = _box(
                    start.corrupted, "Corrupted prompt: calls for the foil", "corrupted", 2
                )
            with gr.Row():
                target = _box(
                    start.target, "Target, with its space; bars make a set: “ is| was”", "target"
                )
                foil = _box(start.foil, "Foil, with its space", "foil")
                neuron = _box(start.neuron, "Neuron", "neuron")
                model = gr.Dropdown(
                    list(settings.models),
                    value=start.model,
                    label="Model",
                    visible=len(settings.models) > 1,
                )
            first, *words = OWN
            more = {first: _box(getattr(start, first), *MORE[first])}
            with gr.Row():
                more |= {name: _box(getattr(start, name), *MORE[name]) for name in words}
            self.button = gr.Button("Ask", variant="primary", elem_id="ask")
        text = gr.Textbox(
            start.text, label="Your text", elem_id="text", lines=2, max_lines=6,
            placeholder="Any text; empty for the clean prompt", render=False,
        )  # fmt: skip
        self.boxes: dict[str, Any] = {
            "model": model,
            "question": _hidden(start.question, "question-name", "Question"),
            "clean": clean,
            "corrupted": corrupted,
            "target": target,
            "foil": foil,
            "neuron": neuron,
            "text": text,
            "tab": _hidden(start.tab, "tab", "Tab"),
            **more,
        }
        self.wire = _hidden("", "wire", "View")
        self.heard = _hidden("", "heard", "View that the committed study was asked")
        self.unwished = _hidden("", "unwished", "Answer that comes by itself")
        self.listen = gr.Button("Listen", elem_id="listen", visible="hidden")

    @property
    def quiet(self) -> dict[str, Any]:
        """Options of events that use no model and bring something.

        Each time that an event begins or ends the page copies all that stands in a place where it
        shows progress, and in all below it. It is one small place, not what such an event brings.
        """
        return {**QUIET, "show_progress_on": self.wire}

    @property
    def typed(self) -> list[Any]:
        """What a visitor types into: Enter asks."""
        return [self.boxes[name] for name in TYPED]

    def send(self, events: Callable[..., Any] | list[Any]) -> Any:
        """On an event, or any of some, have the page write the view into its address and the wire.

        The page packs the parts by their names: what comes to the server is one named object.
        """
        pack = f"(...values) => packedView({json.dumps(list(self.boxes))}, values)"
        return gr.on(events, None, list(self.boxes.values()), self.wire, js=pack, **QUIET)

    def fill(self, event: Callable[..., Any], parts: dict[str, str]) -> Any:
        """On an event, write these parts into their boxes; the others stay as they are."""
        boxes = [self.boxes[name] for name in parts]
        return event(None, None, boxes, js=f"() => {json.dumps(list(parts.values()))}", **QUIET)


TYPED = ("clean", "corrupted", "target", "foil", "neuron", "text", *OWN)


def received(sent: Any) -> View:
    """The view that the page sent.

    Raises:
        UserError: it is none.
    """
    try:
        parts = json.loads(sent) if isinstance(sent, str) and len(sent) <= LARGEST else None
    except (ValueError, RecursionError):
        parts = None
    return make_view(parts)


def _box(value: str, label: str, name: str, lines: int = 1) -> gr.Textbox:
    return gr.Textbox(value, label=label, elem_id=name, lines=lines, max_lines=lines + 1)


def _hidden(value: str, name: str, label: str) -> gr.Textbox:
    return gr.Textbox(value, visible="hidden", elem_id=name, label=label)
