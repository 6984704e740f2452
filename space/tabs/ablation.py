"""Ablation: the answer, and what is written on, with the neuron's activation exchanged."""

import gradio as gr

from space import html
from space.asks import Ask
from space.panel import Panel
from space.question_bar import QuestionBar
from space.settings import FACTORS

INTRO = (
    "At the end of the clean prompt the neuron’s activation is exchanged: for zero, for its mean "
    "on news, for draws from news, for its negative (what the original study did), and for a "
    "multiple of it that you choose."
)


def build(name: str, _bar: QuestionBar) -> list[Ask]:
    """The components of the tab."""
    gr.HTML(html.intro(INTRO))
    with gr.Row(equal_height=True):
        factor = gr.Slider(*FACTORS, value=2, step=0.5, label="Multiply the activation by", scale=3)
        button = gr.Button("Exchange it", variant="primary", min_width=140)
    options = {"factor": factor}
    return [
        Ask(name, "intervene", Panel(figures=1), options, {}, button, (factor.release,), quick=True)
    ]
