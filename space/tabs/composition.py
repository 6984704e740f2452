"""Composition: how the neuron's effect reaches the logits."""

import gradio as gr

from space import html
from space.asks import Ask
from space.panel import Panel
from space.question_bar import QuestionBar

INTRO = (
    "How much of the neuron’s effect goes straight to the logits, and what do later heads and "
    "neurons add to it or take back?"
)


def build(name: str, _bar: QuestionBar) -> list[Ask]:
    """The components of the tab."""
    gr.HTML(html.intro(INTRO))
    button = gr.Button("Split the effect", variant="primary")
    return [Ask(name, "composition", Panel(figures=1), button=button)]
