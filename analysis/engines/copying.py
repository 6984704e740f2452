"""From sums over two models' activations to grafts, and how strongly they have to write.

A graft's input weights are the donor's own readings, each fitted to what the recipient's MLP reads:
gate to gate and up to up. Nothing of the fit has to be searched, and where the recipient holds the
donor's own weights they come out. Where only the donor has a gate, its activation is fitted; where
only the recipient has one, its up is fitted to one.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from analysis.contrast import Contrast
from analysis.engines.grafting import Graft
from analysis.engines.ridge import Fit, Sums, fit
from analysis.engines.transfer import VALUES, Transfer
from analysis.engines.trial import Trial
from analysis.subject import Subject

PENALTY = 1e-4
"""Of the map between residual streams, as a share of the mean square of a dimension."""

FIRST = 0.1
"""The strength first tried, as a share of what the MLP itself writes at the ends of texts."""

STEPS = 8
"""How often a strength is tried, at most."""

CLOSE = 0.003
"""A strength is found when a step changes it by no more than this share."""


def fitted(
    donor: Subject, recipient: Subject, found: Fit, which: str = ""
) -> Float[Tensor, "reading feature"]:
    """Input weights of a graft.

    Args:
        donor: the model that has the neuron.
        recipient: the model that gets it.
        found: the fit of ``VALUES`` at the graft's layer.
        which: what stands behind each name in ``VALUES``, such as " dealt out anew".
    """
    names = [f"{name}{which}" for name in used(donor, recipient)]
    if recipient.family.gated and not donor.family.gated:
        names.append("one")
    return torch.stack([found.weights[VALUES.index(name)] for name in names]).float()


def used(donor: Subject, recipient: Subject) -> tuple[str, ...]:
    """Which of the neuron's ``READINGS`` a graft is made of, in the order of its rows."""
    if donor.family.gated:
        return ("gate", "in") if recipient.family.gated else ("activation",)
    return ("in",)


def mapped(
    streams: Sequence[Sums], write: Float[Tensor, " d_donor"], layer: int, d_model: int
) -> Float[Tensor, " d_model"]:
    """A direction of the donor's residual stream as one of the recipient's, behind a layer."""
    total = streams[0]
    for more in streams[1:]:
        total = total + more
    own = slice(layer * d_model, (layer + 1) * d_model)
    some = Sums(total.gram, total.cross[:, own], total.squares[own], total.totals[own], total.count)
    return (some.solved(PENALTY) @ write.cpu().double()).float()


def by_layer(folds: Sequence[Transfer]) -> list[Fit]:
    """The fit of ``VALUES`` at every layer."""
    return [fit([fold.reading(i) for fold in folds]) for i in range(len(folds[0].known))]


def matched_to(
    trial: Trial, graft: Graft, contrast: Contrast, wanted: Float[np.ndarray, " text"]
) -> Graft:
    """The graft with the strength that does at the ends of texts what is wanted there.

    By least squares on the change of the logit difference: Gauss-Newton steps with the slope
    between the last two tries, for what a graft does levels off where it is loud. The best try
    counts; a graft that does it in no strength that was tried is given none.

    Args:
        trial: the texts.
        graft: with a write of any length.
        contrast: target and foil.
        wanted: change of the logit difference at each end.
    """
    before = trial.differences(contrast)
    active = float(np.sqrt(np.square(trial.activations(graft)).mean()))
    length = active * float(graft.writes.norm())
    last, lacking = 0.0, -wanted
    tried = [(last, float(lacking @ lacking))]
    strength = FIRST * trial.written() / length if length else 0.0
    for _ in range(STEPS):
        off = trial.differences(contrast, graft.scaled(strength)) - before - wanted
        tried.append((strength, float(off @ off)))
        slope = off - lacking
        size = float(slope @ slope)
        if not size or abs(strength - last) <= CLOSE * abs(strength):
            break
        step = (strength - last) * float(off @ slope) / size
        last, lacking, strength = strength, off, strength - step
    return graft.scaled(min(tried, key=lambda each: each[1])[0])
