"""Find a neuron: from any two words to the neuron that chooses between them."""

import gradio as gr

from space import html
from space.asks import Ask
from space.panel import Panel
from space.question_bar import QuestionBar

INTRO = (
    "Give a target, a foil and two prompts that call for them. Every neuron is ranked by what its "
    "weights write, and the likeliest are patched: a neuron that is high on both lists writes the "
    "word and is used for it here. Press a neuron to make it the neuron of every tab."
)


def build(name: str, _bar: QuestionBar) -> list[Ask]:
    """The components of the tab."""
    gr.HTML(html.intro(INTRO))
    button = gr.Button("Find the neuron", variant="primary")
    return [Ask(name, "find", Panel(figures=1), button=button)]
