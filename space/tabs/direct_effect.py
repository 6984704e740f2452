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
    gr.HTML(html.heading("And which neurons write a token?"))
    with gr.Row(equal_height=True):
        token = gr.Textbox(
            "", label="Any token, with its space; empty for target against foil", scale=3
        )
        search = gr.Button("Search its neurons", min_width=140)
    found = Panel(figures=0)
    options = {"token": token}
    return [
        Ask(name, "direct_effect", panel, button=button, quick=True),
        Ask(name, "writers", found, options, button=search, events=(token.submit,)),
    ]
