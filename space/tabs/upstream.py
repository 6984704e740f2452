"""Upstream: what makes the neuron active."""

import gradio as gr

from space import html
from space.asks import Ask
from space.panel import Panel
from space.question_bar import QuestionBar

INTRO = (
    "Where does the neuron’s pre-activation come from: which heads, reading which token, and what "
    "moved those? With the norm as it was, the parts sum to the whole."
)


def build(name: str, _bar: QuestionBar) -> list[Ask]:
    """The components of the tab."""
    gr.HTML(html.intro(INTRO))
    button = gr.Button("Split what the neuron reads", variant="primary")
    return [Ask(name, "upstream", Panel(figures=3), button=button)]
