"""Story: the key figures of the committed study, with nothing to wait for."""

import gradio as gr

from space import html
from space.asks import Ask
from space.question_bar import QuestionBar
from space.story import story

INTRO = (
    "The argument in figures, from the committed study of {}; each number was computed by the "
    "functions that the other tabs run."
)


def build(_name: str, bar: QuestionBar) -> list[Ask]:
    """The components of the tab: nothing is asked."""
    model = bar.model.value
    told = story(model)
    if told is None:
        gr.HTML(html.intro(f"There is no committed study of {model}: run the study first."))
        return []
    gr.HTML(html.intro(INTRO.format(model)))
    for caption, figure in told.figures():
        gr.HTML(html.caption(caption))
        gr.Plot(figure, show_label=False, container=False, elem_classes="figure")
    return []
