"""Figures of experiment 9: clean pairs of neuron and word, hubs, and whether pairs matter."""

from html import unescape

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from analysis.drawing import style
from analysis.experiments.census.compute import Census

NAMED = 6
"""Pairs named beside their dots, best score first."""

TICKS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50]

APART = np.array([0.36, 0.14])
"""Decades between named dots, across or upwards, that keep their names apart."""

LETTER = 0.036
"""Decades that a letter of a name is wide, on a phone."""

LEFT, RIGHT = "middle left", "middle right"

SHOWN = ("raw", "standardised")
TITLES = {
    "raw": "the product, as the original scored",
    "centred": "less each neuron’s mean",
    "standardised": "in each neuron’s standard deviations",
    "embedding": "the original’s, with W<sub>E</sub>",
}
UNITS = {"raw": "logits per unit", "standardised": "standard deviations"}
ROW = 270
OUTCOME = "probability"


def census(result: Census) -> go.Figure:
    """Both leads of the best mutual pairs, by two measures."""
    figure = make_subplots(2, 1, vertical_spacing=0.24)
    figure.update_layout(style.frame(2 * ROW + 170, 72, 64, 56, 16))
    for row, measure in enumerate(SHOWN, start=1):
        _dots(figure, result, measure, row)
        place = result.measures.index(measure)
        _title(figure, row, f"<b>{TITLES[measure]}</b><br>{_standing(result, place)}")
        unit = UNITS[measure]
        axis = {"type": "log", "row": row, "col": 1, "zeroline": False, "tickvals": TICKS}
        figure.update_xaxes(title=f"lead over the next token ({unit})", **axis)
        figure.update_yaxes(title=f"lead over the next neuron<br>({unit})", **axis)
    return figure


def _dots(figure: go.Figure, result: Census, measure: str, row: int) -> None:
    of_measure = result.pair_measure == result.measures.index(measure)
    drawn = (result.pair_neuron_gap > 0) & (result.pair_token_gap > 0)  # by their logarithms
    rows = np.flatnonzero(of_measure & drawn)
    names, sides = _names(result, rows)
    across = np.log10(result.pair_neuron_gap[rows])
    ends = across + [
        _width(name) * (side == RIGHT) for name, side in zip(names, sides, strict=True)
    ]
    figure.add_scatter(
        x=result.pair_neuron_gap[rows].round(4).tolist(),
        y=result.pair_token_gap[rows].round(4).tolist(),
        mode="markers+text",
        marker={"size": 6, "color": style.OTHER},
        text=names,
        textposition=sides,
        textfont={"size": 11},
        customdata=[
            [
                style.visible(result.pair_tokens[i]),
                result.pair_units[i],
                style.plain(result.pair_score[i], 1),
            ]
            for i in rows
        ],
        hovertemplate="%{customdata[0]} and %{customdata[1]}: score %{customdata[2]}"
        "<extra></extra>",
        row=row,
        col=1,
    )
    own = _own_dot(figure, result, measure, row)
    reach = np.concatenate([across, ends, np.log10(own)])
    if len(reach):
        figure.update_xaxes(range=[reach.min() - 0.1, reach.max() + 0.1], row=row, col=1)


def _names(result: Census, rows: np.ndarray) -> tuple[list[str], list[str]]:
    """Words of the best pairs, best first, and on which side of its dot each stands.

    None covers another's, or a dot.
    """
    names, sides = [""] * len(rows), [LEFT] * len(rows)
    gaps = (result.pair_neuron_gap[rows], result.pair_token_gap[rows])
    places = np.log10(np.stack(gaps, axis=1))
    taken: list[np.ndarray] = []
    for k, (place, i) in enumerate(zip(places, rows, strict=True)):
        name = style.short(result.pair_tokens[i])
        across, up = (places - place).T
        beside = np.abs(across) < _width(name)
        covered = across[beside & (np.abs(up) < APART[1] / 2)]
        side = LEFT if not (covered < 0).any() else RIGHT if not (covered > 0).any() else ""
        apart = all((abs(place - other) > APART).any() for other in taken)
        if side and apart and len(taken) < NAMED:
            names[k], sides[k] = name, side
            taken.append(place)
    return names, sides


def _width(name: str) -> float:
    """Decades that a name takes beside its dot."""
    return LETTER * (len(unescape(name)) + 1)


def _own_dot(figure: go.Figure, result: Census, measure: str, row: int) -> list[float]:
    """The asked neuron and the target, where they are a mutual pair; where it stands across."""
    place = result.measures.index(measure)
    token_gap, neuron_gap = result.own_gaps[place, 0].tolist()
    if not result.own_rank[place] or min(token_gap, neuron_gap) <= 0:
        return []
    figure.add_scatter(
        x=[round(neuron_gap, 4)],
        y=[round(token_gap, 4)],
        mode="markers+text",
        marker={"size": 11, "color": style.TARGET},
        text=[f"<b>{style.short(result.target)} {result.neuron}</b>"],
        textposition=RIGHT if neuron_gap < 3 else LEFT,
        textfont={"color": style.TARGET},
        hoverinfo="skip",
        row=row,
        col=1,
    )
    return [neuron_gap]


def _standing(result: Census, place: int) -> str:
    """How many pairs there are, and where the asked neuron and the target stand among them."""
    pairs, rank = int(result.mutual[place, 0]), int(result.own_rank[place])
    asked = f"{result.neuron} and {style.short(result.target)}"
    shown = int((result.pair_measure == place).sum())
    text = f"{shown:,} best of {pairs:,} mutual pairs<br>{asked}: "
    return text + (f"number {rank:,} of them" if rank else "no mutual pair")


def _title(figure: go.Figure, row: int, text: str) -> None:
    top = figure.get_subplot(row, 1).yaxis.domain[1]
    style.heading(figure, text, 0, top, xshift=-44, yshift=4, align="left")


def hubs(result: Census) -> go.Figure:
    """For what share of the vocabulary the first few neurons come first, by every measure."""
    kinds = (*result.measures, "embedding")
    labels, shares, colours, hover = [], [], [], []
    for kind, name in enumerate(kinds):
        rows = np.flatnonzero(result.hub_measure == kind)[:3]
        for row in rows:
            share = float(result.hub_counts[row] / result.hub_tokens[kind])
            labels.append(result.hub_units[row])
            shares.append(share)
            colours.append(style.OTHER if result.hub_units[row] != result.neuron else style.TARGET)
            hover.append([result.hub_units[row], TITLES[name], style.percent(share)])
    places = _places(result, len(kinds))
    figure = style.canvas(int(24 * (max(places) + 2)) + 60, style.label_width(labels), 12, 52, 60)
    figure.add_bar(
        x=[round(share, 5) for share in shares],
        y=places,
        orientation="h",
        width=0.7,
        marker={"color": colours, "line": {"width": 0}},
        text=[style.percent(share) for share in shares],
        textposition="outside",
        cliponaxis=False,
        customdata=hover,
        hovertemplate="%{customdata[0]}, %{customdata[1]}: first for %{customdata[2]} of tokens"
        "<extra></extra>",
    )
    _hub_titles(figure, result, kinds, places)
    figure.update_yaxes(
        title="neuron",
        tickvals=places,
        ticktext=labels,
        range=[max(places) + 0.7, -1.3],
        showgrid=False,
        zeroline=False,
    )
    figure.update_xaxes(
        title="share of tokens for which it comes first", range=[0, 1], tickformat=".0%"
    )
    return figure


def _places(result: Census, kinds: int) -> list[float]:
    """Rows of the bars: up to three a measure, with room for a title above each group."""
    places, at = [], 0.0
    for kind in range(kinds):
        for _ in range(min(3, int((result.hub_measure == kind).sum()))):
            places.append(at)
            at += 1
        at += 1.2
    return places


def _hub_titles(
    figure: go.Figure, result: Census, kinds: tuple[str, ...], places: list[float]
) -> None:
    at = 0
    for kind, name in enumerate(kinds):
        sample = result.hub_tokens[kind]
        note = " (sample)" if sample < result.vocabulary else ""
        figure.add_annotation(
            text=f"<b>{TITLES[name]}</b>{note}",
            x=0,
            y=places[min(at, len(places) - 1)] - 0.85,
            xanchor="left",
            xshift=4,
        )
        at += min(3, int((result.hub_measure == kind).sum()))


def agreement(result: Census) -> go.Figure:
    """How the neurons' activations go with their words' probability: pairs and permuted pairs."""
    if not result.agreement_tokens:
        return style.nothing()
    rows = len(result.measures)
    figure = make_subplots(rows, 1, vertical_spacing=0.15, shared_xaxes=True)
    figure.update_layout(style.frame(rows * 210 + 120, 64, 60, 56, 12))
    outcome = result.outcomes.index(OUTCOME)
    for row, measure in enumerate(result.measures, start=1):
        _histograms(figure, result, row, outcome)
        _title(figure, row, f"<b>{TITLES[measure]}</b><br>{_means(result, row - 1, outcome)}")
        figure.update_yaxes(
            title="share of pairs (log)", type="log", row=row, col=1, **_shares(result, outcome)
        )
    limit = _limit(result, outcome)
    figure.update_xaxes(range=[-limit, limit], zeroline=True)
    figure.update_xaxes(title="correlation of activation and probability", row=rows, col=1)
    style.note(
        figure,
        style.key(
            (style.TARGET, "mutual pairs", "■"), (style.FOIL, "same neurons, tokens permuted", "▬")
        ),
    )
    return figure


def _shares(result: Census, outcome: int) -> dict[str, object]:
    """A logarithmic axis that begins a little below one pair of the largest set."""
    least = 0.5 / max(10, int(result.pairs_read[:, outcome].max()))
    ticks = [0.0001, 0.001, 0.01, 0.1, 1]
    labels = ["0.01 %", "0.1 %", "1 %", "10 %", "100 %"]
    return {"range": [float(np.log10(least)), 0.0], "tickvals": ticks, "ticktext": labels}


def _histograms(figure: go.Figure, result: Census, row: int, outcome: int) -> None:
    edges = result.edges
    middles = ((edges[1:] + edges[:-1]) / 2).round(4)
    own = result.own_counts[row - 1, outcome]
    other = result.other_counts[row - 1, outcome, 0]
    own_share, other_share = own / max(own.sum(), 1), other / max(other.sum(), 1)
    filled = own > 0
    figure.add_bar(
        x=middles[filled].tolist(),
        y=own_share[filled].round(6).tolist(),
        width=np.diff(edges)[filled].round(4).tolist(),
        marker={"color": style.TARGET, "line": {"width": 0}},
        customdata=own[filled].tolist(),
        hovertemplate="pairs with a correlation near %{x:.2f}: %{customdata}<extra></extra>",
        row=row,
        col=1,
    )
    shown = other > 0
    figure.add_scatter(
        x=middles[shown].tolist(),
        y=other_share[shown].round(7).tolist(),
        mode="lines",
        line={"color": style.FOIL, "width": 2.5, "shape": "hvh"},
        hovertemplate="permuted pairs near %{x:.2f}: share %{y:.2g}<extra></extra>",
        row=row,
        col=1,
    )


def _means(result: Census, measure: int, outcome: int) -> str:
    own, other = result.correlation[measure, outcome, :2]
    size, least = result.size[measure, outcome, :2]
    pairs = int(result.pairs_read[measure, outcome])
    return (
        f"{pairs:,} pairs: mean {style.plain(own, 3)}, permuted {style.plain(other, 3)}<br>"
        f"sign aside: {style.plain(size, 3)}, permuted {style.plain(least, 3)}"
    )


def _limit(result: Census, outcome: int) -> float:
    """The widest correlation that occurs, on either side."""
    counts = result.own_counts[:, outcome].sum(0) + result.other_counts[:, outcome, 0].sum(0)
    seen = np.flatnonzero(counts)
    return float(np.abs(result.edges[[seen[0], seen[-1] + 1]]).max()) if len(seen) else 1.0
