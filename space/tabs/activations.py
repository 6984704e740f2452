"""Activations: a neuron on every token of any text, beside other texts."""

import re
from typing import Any

import gradio as gr

from analysis.errors import UserError
from space import html
from space.answers import Answer
from space.asks import Ask
from space.panel import Panel
from space.question_bar import QuestionBar
from space.view import View

INTRO = (
    "How active is the neuron on each token, and how likely does the model hold the target as the "
    "next one? Blue is above zero, orange below. Press a token to see what the model expects after "
    "it."
)
ROWS = ("The text", "The corrupted prompt", "A random piece of news")


class TokenPanel(Panel):
    """A panel that shows texts as tinted tokens."""

    def __init__(self) -> None:
        super().__init__(figures=0, late=True)
        self.tokens = gr.HTML("")

    @property
    def outputs(self) -> list[Any]:
        """The tokens come last."""
        return [*super().outputs, self.tokens]

    def show(self, answer: Answer) -> list[Any]:
        """The finding, and the texts."""
        return [*super().show(answer), html.tokens(answer.result, ROWS)]

    def refuse(self, error: Any) -> list[Any]:
        """No tokens."""
        return [*super().refuse(error), ""]


class TokenAsk(Ask):
    """What follows the token that is pressed; the page writes its place as ``row:position``."""

    def answer(self, view: View, values: tuple[Any, ...]) -> list[Any]:
        """The distribution after that token."""
        place, seed = values
        match = re.fullmatch(r"(\d):(\d{1,4})", str(place), re.ASCII)
        if match is None:
            return self.panel.refuse(UserError("A token's place is its row and its number: 0:3."))
        row, position = map(int, match.groups())
        return self.show(view, {"row": row, "position": position, "seed": seed})


def build(name: str, bar: QuestionBar) -> list[Ask]:
    """The components of the tab."""
    gr.HTML(html.intro(INTRO))
    panel = TokenPanel()
    position = gr.Textbox("", visible="hidden", elem_id="token", label="Token")
    following = Panel(figures=1)
    bar.text.render()  # type: ignore[no-untyped-call]
    with gr.Row(equal_height=True):
        button = gr.Button("Read this text", variant="primary", scale=3)
        seed = gr.Number(0, label="Which random news", precision=0, minimum=0, min_width=140)
    panel.foot.render()  # type: ignore[no-untyped-call]
    places = {"place": position, "seed": seed}
    return [
        Ask(name, "activations", panel, {"seed": seed}, {"beside": True}, button, quick=True),
        TokenAsk(name, "following", following, places, events=(position.change,)),
    ]
