"""Corpus: a neuron on news articles, its extremes and quantiles, and whether it tells the word."""

import gradio as gr

from space import html
from space.asks import Ask
from space.panel import Panel
from space.question_bar import QuestionBar
from space.settings import ARTICLES

INTRO = (
    "News articles are drawn at random and read token by token: where is the neuron highest and "
    "lowest, what lies between, and does its activation tell where the target comes next?"
)


def build(name: str, _bar: QuestionBar) -> list[Ask]:
    """The components of the tab."""
    gr.HTML(html.intro(INTRO))
    with gr.Row():
        articles = gr.Slider(*ARTICLES, value=2, step=1, label="Articles")
        seed = gr.Number(0, label="Which draw", precision=0, minimum=0)
    button = gr.Button("Read the articles", variant="primary")
    options = {"articles": articles, "seed": seed}
    return [Ask(name, "scan", Panel(figures=2), options, button=button)]
