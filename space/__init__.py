"""The Space: the experiments and figures of ``analysis``, live."""

from analysis.imports import uncollected, unstubbed

with uncollected(), unstubbed():
    import gradio  # noqa: F401  # before whatever here needs it
