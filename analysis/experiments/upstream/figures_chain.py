"""The chain from head to neuron to answer, each patched while others are held."""

import plotly.graph_objects as go

from analysis.drawing import marks, style
from analysis.engines.mediation import Patch
from analysis.experiments.upstream.measured import Upstream

KINDS = (("activation", style.CLEAN, -0.18), ("answer", style.TRUE, 0.18))
DIRECTIONS = (("denoising", "circle"), ("noising", "circle-open"))


def upstream_chain(result: Upstream) -> go.Figure:
    """Shares of the gap in activation and in answer that each patch along the chain brings."""
    if len(result.chain) < 2:
        return style.nothing()
    names = [_name(patch) for patch in result.patches]
    lines = [line for name in names for line in name.split("<br>")]
    figure = style.canvas(38 * len(names) + 64, left=style.label_width(lines) + 20)
    for of, colour, shift in KINDS:
        for direction, (label, symbol) in enumerate(DIRECTIONS):
            _marks(figure, result, names, (of, direction), (colour, symbol, shift, label))
    figure.update_yaxes(title="head or neuron patched", **style.rows(names))
    figure.update_xaxes(title="share of the gap", zerolinewidth=2)
    pairs = len(result.pairs) - 1
    over = f"{pairs} held-out pairs, 95 % interval" if pairs else "the question's pair"
    style.note(
        figure,
        style.key((style.CLEAN, f"activation of {result.neuron}"), (style.TRUE, "answer")),
        f"{over}; ● denoising, ○ noising",
    )  # fmt: skip
    return figure


def _name(patch: Patch) -> str:
    """What is patched, and below it what is held."""
    if not patch.held:
        return patch.patched
    return f"{patch.patched},<br>{'both' if len(patch.held) > 1 else patch.held[0]} held"


def _marks(
    figure: go.Figure,
    result: Upstream,
    names: list[str],
    what: tuple[str, int],
    look: tuple[str, str, float, str],
) -> None:
    (of, direction), (colour, symbol, shift, label) = what, look
    found, rows = result.mediated(direction, of), [row + shift for row in range(len(names))]
    label = f", {of}, {label}"
    marks.estimates(figure, found, names, colour, label, rows=rows, size=9, symbol=symbol)
