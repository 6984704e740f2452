"""The name of a neuron, such as ``L25N1527``: layer 25, neuron 1527 of its MLP."""

import re
from typing import NamedTuple

from analysis.errors import UserError


class Neuron(NamedTuple):
    """One MLP neuron, counted from zero in both fields."""

    layer: int
    number: int

    def __str__(self) -> str:
        return f"L{self.layer}N{self.number}"


def parse_neuron(text: str, n_layers: int, d_mlp: int) -> Neuron:
    """Read ``L25N1527``, or ``L25N1527−``: a minus says how a neuron is read, not which one it is.

    Raises:
        UserError: the text has another form, or the model has no such neuron.
    """
    match = re.fullmatch(r"[Ll](\d{1,4})[Nn](\d{1,7})[-\u2212]?", text.strip(), re.ASCII)
    if match is None:
        raise UserError(f"{text[:40]!r} is not a neuron: write layer and number as in L25N1527.")
    neuron = Neuron(*map(int, match.groups()))
    if neuron.layer >= n_layers or neuron.number >= d_mlp:
        raise UserError(
            f"{neuron} is outside this model: layers go from 0 to {n_layers - 1} "
            f"and neurons from 0 to {d_mlp - 1}."
        )
    return neuron
