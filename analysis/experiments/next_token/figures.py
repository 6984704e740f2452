"""Figures of experiment 1: what the model says next."""

import numpy as np
import plotly.graph_objects as go

from analysis.drawing import marks, style
from analysis.experiments.next_token.compute import NextToken, in_prose
from analysis.token_sets import members

ROW = 30  # pixels per token


def next_token(result: NextToken) -> go.Figure:
    """The likeliest tokens after the clean prompt, their probability clean and corrupted."""
    tokens, shares = _rows(result)
    names = [style.short(token) for token in tokens]
    figure = style.canvas(len(tokens) * ROW + 64, left=style.label_width(names))
    if len(shares) > 1:
        marks.joins(figure, 100 * shares, style.FAINT, 3)
    colours = (style.CLEAN, style.CORRUPTED)
    for prompt, (colour, values) in enumerate(zip(colours, shares, strict=False)):
        _dots(figure, result, tokens, values, colour, ("clean", "corrupted")[prompt])
    bold = [
        f"<b>{n}</b>" if _contrasted(result, t) else n for n, t in zip(names, tokens, strict=True)
    ]
    figure.update_yaxes(title="next token", **style.rows(bold, -0.7, 0.5))
    most = max(20, 109 * float(shares.max()))
    figure.update_xaxes(title="probability (%)", range=[-0.05 * most, most], dtick=_ticks(most))
    _labels(figure, shares, most)
    style.note(figure, _key(result))
    return figure


def _rows(result: NextToken) -> tuple[list[str], np.ndarray]:
    """Tokens to show and their probability after the first two prompts; target and foil always."""
    tokens = list(result.top_tokens)
    own = slice(in_prose(result).start)
    shares = result.top_probabilities[own]
    for token, values in ((result.target, result.p_target), (result.foil, result.p_foil)):
        if token not in tokens:
            tokens.append(token)
            shares = np.concatenate([shares, values[own, None]], axis=1)
    return tokens, shares


def _ticks(most: float) -> int | None:
    """Distance of ticks on an axis of percentages, few enough for a narrow page."""
    return 20 if most > 50 else 10 if most > 20 else None


def _labels(figure: go.Figure, shares: np.ndarray, most: float) -> None:
    """Percentages: above dots that stand apart, else beside both, clean before corrupted."""
    for row, values in enumerate(shares.T):
        pair = 100 * values
        if len(pair) == 2 and np.ptp(pair) > 0.2 * most:
            for x, value in zip(pair, values, strict=True):
                figure.add_annotation(x=float(x), y=row, text=style.percent(value), yshift=15)
            continue
        right = pair.max() < 0.55 * most
        figure.add_annotation(
            x=float(pair.max() if right else pair.min()),
            y=row,
            text=" → ".join(map(style.percent, values)),
            xanchor="left" if right else "right",
            xshift=9 if right else -9,
        )


def _contrasted(result: NextToken, token: str) -> bool:
    words = (result.target, result.foil)
    return token in (*words, *(each for word in words for each in members(word)))


def _key(result: NextToken) -> str:
    if in_prose(result).start == 1:
        return style.swatch(style.CLEAN, "after the prompt")
    return style.key(
        (style.CLEAN, "after the clean prompt"), (style.CORRUPTED, "after the corrupted prompt")
    )


def _dots(
    figure: go.Figure,
    result: NextToken,
    tokens: list[str],
    values: np.ndarray,
    colour: str,
    name: str,
) -> None:
    """One prompt's probabilities; those of target and foil stand out."""
    sizes = [11 if _contrasted(result, token) else 7 for token in tokens]
    figure.add_scatter(
        x=(100 * values).round(4).tolist(),
        y=list(range(len(tokens))),
        mode="markers",
        marker={"color": colour, "size": sizes},
        customdata=[
            [style.visible(t), style.percent(v)] for t, v in zip(tokens, values, strict=True)
        ],
        hovertemplate=f"%{{customdata[0]}}: %{{customdata[1]}} ({name})<extra></extra>",
        cliponaxis=False,
    )


def natural_prompts(result: NextToken) -> go.Figure:
    """Probability of target and foil after the prompts beyond the pair."""
    prose = in_prose(result)
    prompts = result.prompts[prose]
    if not prompts:
        return style.nothing()
    texts = [style.wrapped(prompt, 46, 2) for prompt in prompts]
    figure = style.canvas(64 * len(prompts) + 64, left=16, right=16)
    for offset, token, values, colour in (
        (0.10, result.target, result.p_target, style.TARGET),
        (0.34, result.foil, result.p_foil, style.FOIL),
    ):
        _bars(figure, offset, token, values[prose], colour, texts)
    for row, text in enumerate(texts):
        figure.add_annotation(
            text=text, x=0, y=row - 0.05, xanchor="left", yanchor="bottom", align="left"
        )
    largest = 100 * float(max(result.p_target[prose].max(), result.p_foil[prose].max()))
    figure.update_xaxes(
        title="probability of the next token (%)",
        range=[0, largest * 1.35 + 0.1],
        dtick=_ticks(largest * 1.35),
        showgrid=False,
    )
    figure.update_yaxes(range=[len(prompts) - 0.45, -0.6], visible=False)
    return figure


def _bars(
    figure: go.Figure,
    offset: float,
    token: str,
    values: np.ndarray,
    colour: str,
    texts: list[str],
) -> None:
    labels = [f"{style.short(token)} {style.percent(value)}" for value in values]
    figure.add_bar(
        x=(100 * values).round(4).tolist(),
        y=[row + offset for row in range(len(values))],
        width=0.2,
        orientation="h",
        marker={"color": colour, "line": {"width": 0}},
        text=labels,
        textposition="outside",
        textfont={"size": 11},
        constraintext="none",
        customdata=[[text, label] for text, label in zip(texts, labels, strict=True)],
        hovertemplate="%{customdata[0]}<br>%{customdata[1]}<extra></extra>",
        cliponaxis=False,
    )
