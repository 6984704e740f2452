"""The question that all tabs share: prompts, target, foil and neuron."""

from typing import Any

import gradio as gr

from space.settings import Settings
from space.view import NAMES, View

EXAMPLES: tuple[tuple[str, View], ...] = (
    ("Apple or lemon: an, a", View()),
    (
        "Uncle's oranges: an, a",
        View(
            clean="My uncle owns an orchard of orange trees. He gave me",
            corrupted="My uncle owns an orchard of lemon trees. He gave me",
        ),
    ),
    ("In prose: who ran as", View(text="Senator Angus King, who ran as")),
    ("In prose: under half", View(text="I'll be there in under half")),
    (
        "Keys or key: are, is",
        View(
            clean="The keys on the table", corrupted="The key on the table",
            target=" are", foil=" is",
        ),
    ),
    (
        "Queen or king: she, he",
        View(
            clean="The queen went home early because",
            corrupted="The king went home early because",
            target=" she", foil=" he",
        ),
    ),
)  # fmt: skip


class QuestionBar:
    """The components of the shared question, folded away by the page's own style.

    They stay in the page when they are folded: pressing a neuron writes into them.

    Args:
        settings: which models are offered.
        start: the view that a visitor begins with.
    """

    def __init__(self, settings: Settings, start: View) -> None:
        gr.Button("Ask another question", elem_id="unfold", size="sm")
        with gr.Column(elem_id="question"):
            self.examples = self._examples()
            with gr.Row():
                self.clean = _box(start.clean, "Clean prompt: calls for the target", "clean", 2)
                self.corrupted = _box(
                    start.corrupted, "Corrupted prompt: calls for the foil", "corrupted", 2
                )
            with gr.Row():
                self.target = _box(start.target, "Target, with its space", "target")
                self.foil = _box(start.foil, "Foil, with its space", "foil")
                self.neuron = _box(start.neuron, "Neuron", "neuron")
                self.model = gr.Dropdown(
                    list(settings.models),
                    value=start.model,
                    label="Model",
                    visible=len(settings.models) > 1,
                )
            self.button = gr.Button("Ask", variant="primary", elem_id="ask")
        self.text = gr.Textbox(
            start.text, label="Your text", elem_id="text", lines=2, max_lines=6,
            placeholder="Any text; empty for the clean prompt", render=False,
        )  # fmt: skip
        self.tab = gr.Textbox(start.tab, visible="hidden", elem_id="tab", label="Tab")

    def _examples(self) -> list[tuple[gr.Button, View]]:
        with gr.Row(elem_classes="examples"):
            return [(gr.Button(name, size="sm", min_width=100), view) for name, view in EXAMPLES]

    @property
    def state(self) -> list[Any]:
        """The components of the shared view, in the order of its parts."""
        return [getattr(self, name) for name in NAMES]

    @property
    def boxes(self) -> list[Any]:
        """What a visitor types into: Enter asks."""
        return [self.clean, self.corrupted, self.target, self.foil, self.neuron, self.text]


def _box(value: str, label: str, name: str, lines: int = 1) -> gr.Textbox:
    return gr.Textbox(value, label=label, elem_id=name, lines=lines, max_lines=lines + 1)
