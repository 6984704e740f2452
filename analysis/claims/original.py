"""The original study's published numbers, beside those of this study."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from analysis.claims.lens import component_at, largest_jump
from analysis.claims.opening import model_name
from analysis.claims.wording import count, number, percent, plural, say, signed
from analysis.evidence import Evidence
from analysis.original.published import at_the_end, document, lens_curve, same_pair
from analysis.original.verification import TOLERANCES, Verification, summary

SHORT = 60
"""Groups of so many numbers at most are told number by number."""


@dataclass(frozen=True)
class Layer:
    """The layer of a component that recovers most at the last position."""

    name: str
    recovery: float
    depth: float

    def __str__(self) -> str:
        return f"{self.name} ({number(self.recovery)}, {percent(self.depth)} deep)"


@dataclass(frozen=True)
class OriginalClaims:
    """Claims beside the original's.

    Attributes:
        beside: rows of a question, the published answer, and the answer here.
        groups: where the model is the original's: rows of group, numbers, agreeing, furthest off.
        numbers: single numbers: name, published, here, tolerance, verdict.
        left_out: published numbers that were not computed, and why not.
    """

    heading: str
    told: Markup
    caption: Markup
    beside: tuple[tuple[str, str, str], ...]
    groups: tuple[tuple[str, str, str, str], ...]
    numbers: tuple[tuple[str, str, str, str, str], ...]
    left_out: tuple[tuple[str, str], ...]
    wrong: Markup


def original(evidence: Evidence) -> OriginalClaims:
    """Lay this study beside the original, as far as both asked the same."""
    checked = evidence.verification
    told = summary(checked) if checked else {"groups": (), "numbers": (), "left_out": ()}
    return OriginalClaims(
        heading=_heading(checked),
        told=_told(evidence),
        caption=_caption(evidence),
        beside=_beside(evidence) if _same(evidence) else (),
        groups=tuple(_group(row) for row in told["groups"]),
        numbers=tuple(_number(row) for row in told["numbers"] if _shown(row, told["groups"])),
        left_out=tuple((row["name"], row["reason"]) for row in told["left_out"]),
        wrong=_wrong(evidence),
    )


def _same(evidence: Evidence) -> bool:
    asked = evidence.patching
    return same_pair(document(), asked.clean, asked.corrupted, asked.target, asked.foil)


def _heading(checked: Verification | None) -> str:
    if checked is None:
        return "Beside the original study"
    size, off = len(checked.names), int((~checked.agrees).sum())
    if not off:
        return "The original’s published numbers come out"
    verb = "does" if off == 1 else "do"
    return f"Of the original’s {count(size)} published numbers {count(off)} {verb} not come out"


def _told(evidence: Evidence) -> Markup:
    if not _same(evidence):
        return say("The original study asked another question, so nothing of it is laid beside.")
    checked = evidence.verification
    if checked is None:
        return say(
            "The original’s numbers are GPT-2 Large’s. For {} there is nothing published to "
            "verify, but the question was the same, so the shapes can be laid side by side. {}",
            model_name(evidence),
            _order(evidence),
        )
    return say(
        "This is the original’s own model. Computed anew by its own conventions, {} of {} lie "
        "within their tolerance; {} more follow from texts that are not at hand. {}",
        count(int(checked.agrees.sum())),
        plural(len(checked.names), "published number", "published numbers"),
        count(len(checked.left_out)),
        _order(evidence),
    )


def _ends(evidence: Evidence) -> dict[str, dict[str, Layer]]:
    """Of both models, the layer of attention and of MLPs that recovers most at the end."""
    result, told = evidence.patching, at_the_end(document())
    here = dict(zip(result.components, result.restored[:, :, -1], strict=True))
    models = {"there": told, "here": here}
    names = {"attn_out": "attention", "mlp_out": "MLP"}
    return {
        model: {short: _best(short, np.array(curves[key])) for key, short in names.items()}
        for model, curves in models.items()
    }


def _best(name: str, curve: np.ndarray) -> Layer:
    layer = int(curve.argmax())
    return Layer(f"{name} {layer}", float(curve[layer]), layer / max(1, len(curve) - 1))


def _order(evidence: Evidence) -> Markup:
    """Whether attention comes before the MLP in both models."""
    ends = _ends(evidence)
    first = {model: best["attention"].depth < best["MLP"].depth for model, best in ends.items()}
    if all(first.values()):
        return say(
            "In both models the attention layer that counts most at the last position comes before "
            "the MLP that counts most there: first the word is fetched, then the article follows."
        )
    if not any(first.values()):
        return say("In neither model does attention come before the MLP that counts most there.")
    which = "published" if first["there"] else "this"
    return say(
        "Only in the {} model does the attention layer that counts most at the last position come "
        "before the MLP that counts most there.",
        which,
    )


def _caption(evidence: Evidence) -> Markup:
    here = _ends(evidence)["here"]
    if not _same(evidence):
        return say("At the last position {} and {} recover most.", here["attention"], here["MLP"])
    there = _ends(evidence)["there"]
    return say(
        "At the last position {} and {} recover most; in GPT-2 Large, as published, {} and {}.",
        here["attention"],
        here["MLP"],
        there["attention"],
        there["MLP"],
    )


def _beside(evidence: Evidence) -> tuple[tuple[str, str, str], ...]:
    """What both studies asked, and both answers."""
    told, ends = document(), _ends(evidence)
    known = {entry["id"]: entry["value"] for entry in told["scalars"]}
    shape, jump = told["model"], largest_jump(evidence.logit_lens)
    sweep, prompt = evidence.neuron_sweep, evidence.next_token
    rows = [
        ("Neurons", count(shape["layers"] * shape["d_mlp"]), count(sweep.recovery.size)),
        (
            "P(an) after the clean prompt",
            percent(known["clean_p_an"]),
            percent(float(prompt.p_target[0])),
        ),
        (
            "Logit difference, clean prompt",
            signed(known["clean_logit_diff"]),
            signed(evidence.patching.clean_diff),
        ),
        (
            "Largest jump of the lens",
            component_at(int(np.diff(lens_curve(told)).argmax())),
            jump.component,
        ),
        *(
            (f"Best {n}, last position", str(ends["there"][n]), str(b))
            for n, b in ends["here"].items()
        ),
        (
            "The neuron, and its recovery",
            f"{shape['neuron']}, {number(known['recovery_' + shape['neuron']])}",
            f"{evidence.neuron}, {number(float(np.nanmax(sweep.recovery)))}",
        ),
    ]
    return tuple(rows)


def _group(row: Mapping[str, Any]) -> tuple[str, str, str, str]:
    off = f"{row['furthest_off']}: {number(row['by'], 4)} (tolerance {number(row['tolerance'], 3)})"
    return (row["group"], count(row["numbers"]), count(row["agree"]), off)


def _number(row: Mapping[str, Any]) -> tuple[str, str, str, str, str]:
    published, here, tolerance = (number(row[key], 4) for key in ("published", "here", "tolerance"))
    return (row["name"], published, here, tolerance, row["verdict"])


def _shown(row: Mapping[str, Any], groups: Sequence[Mapping[str, Any]]) -> bool:
    """The single numbers, and every number that deviates."""
    short = {group["group"] for group in groups if group["numbers"] <= SHORT}
    return row["verdict"] == "deviates" or row["group"] in short


def _wrong(evidence: Evidence) -> Markup:
    if evidence.verification is not None:
        told = ", ".join(f"{value:g} for a {kind}" for kind, value in TOLERANCES.items())
        return say(
            "A tolerance that is too wide would let anything agree. Those used are {}; a score is "
            "a product of two differences of weights.",
            told,
        )
    if not _same(evidence):
        return say("This repeats what patching by layer found above; its control stands there.")
    return say(
        "Two models of different depth and training are laid side by side here, and a layer’s "
        "share of depth is only a way to draw them together. That the shapes are alike is no proof "
        "that they do the same; each section above asks that of this model alone."
    )
