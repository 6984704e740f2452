"""Patching: where the answer appears, which layers and heads carry it, and every neuron alone."""

import gradio as gr

from space import html
from space.asks import Ask
from space.panel import Panel
from space.question_bar import QuestionBar

LENS = (
    "Read the residual stream half a layer at a time, as if the model ended there: where does the "
    "answer appear? What is written there need not be what mattered; patching tells."
)
INTRO = (
    "Run the corrupted prompt, but put one activation of the clean prompt in its place: how much "
    "of the difference between the prompts comes back? First by layer and head, then neuron by "
    "neuron."
)


def build(name: str, _bar: QuestionBar) -> list[Ask]:
    """The components of the tab."""
    gr.HTML(html.intro(LENS))
    lens = Panel(figures=1)
    gr.HTML(html.heading("Layers and heads, patched alone"))
    gr.HTML(html.intro(INTRO))
    button = gr.Button("Patch layers and heads", variant="primary")
    maps = Panel(figures=2)
    gr.HTML(html.heading("Every neuron, patched alone"))
    screen = gr.Radio(
        [("The 64 likeliest: seconds", 64), ("All, exactly: a minute on two cores", 0)],
        value=64,
        label="Which neurons",
    )
    sweep = gr.Button("Sweep the neurons", variant="primary")
    neurons = Panel(figures=1)
    return [
        Ask(name, "logit_lens", lens, quick=True),
        Ask(name, "patching", maps, button=button),
        Ask(name, "sweep", neurons, {"screen": screen}, button=sweep),
    ]
