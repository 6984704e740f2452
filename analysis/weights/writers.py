"""Which neurons write a token rather than another, by their output weights alone."""

from dataclasses import dataclass

import torch

from analysis.neuron import Neuron
from analysis.question import Contrast
from analysis.subject import Subject
from analysis.weights.congruence import is_gated


@dataclass(frozen=True)
class Writer:
    """A neuron and what it writes.

    Attributes:
        neuron: its name.
        direction: 1 where it writes the target when its activation is above zero, -1 when below
            (a gated neuron is active both ways).
        logits: target minus foil per unit of activation that way, final norm's scale left out.
    """

    neuron: str
    direction: int
    logits: float


@torch.inference_mode()
def writers(subject: Subject, contrast: Contrast, top: int) -> tuple[Writer, ...]:
    """The neurons that write the target most, foil subtracted, strongest first."""
    asked = subject.direction(contrast.target_id, contrast.foil_id).float()
    values = torch.cat([subject.W_out(i).float() @ asked for i in range(subject.n_layers)])
    strength = values.abs() if is_gated(subject) else values
    best = strength.topk(min(top, len(values))).indices.tolist()
    return tuple(
        Writer(
            neuron=str(Neuron(*divmod(place, subject.d_mlp))),
            direction=1 if values[place] >= 0 or not is_gated(subject) else -1,
            logits=float(strength[place]),
        )
        for place in best
    )
