"""Direct logit effect: the tokens that a neuron writes, whatever the prompt."""

import gradio as gr

from space import html
from space.asks import Ask
from space.panel import Panel
from space.question_bar import QuestionBar

INTRO = (
    "Each neuron adds a fixed vector to the residual stream. Read against the unembedding, that "
    "vector raises some tokens and lowers others, whatever the prompt."
)


def build(name: str, _bar: QuestionBar) -> list[Ask]:
    """The components of the tab."""
    gr.HTML(html.intro(INTRO))
    button = gr.Button("Read its output weights", variant="primary")
    panel = Panel(figures=2)
    return [Ask(name, "direct_effect", panel, button=button, quick=True)]
