"""The Result of experiment 22, and the statistics that are read off it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from analysis.neuron import Neuron
from analysis.pair_result import PairResult

ORDERS = ("exact", "attribution", "greedy")
"""By what each neuron recovers alone, by its estimate, and each the best beside those before it."""

CONTROLS = ("random", "matched")
SHARES = (0.5, 0.8, 0.9)
"""Of the difference: the smallest sets that bring back so much are looked for."""

MEASURES = ("recovery", "lost")
"""Clean activations in the corrupted run, and corrupted ones in the clean run."""


@dataclass(frozen=True)
class NeuronSets(PairResult):
    """What sets of neurons recover together of the difference between two prompts.

    A set is the first so many neurons of an order. At the last position each of them keeps the
    value that it is patched to, and all else is computed again: *recovery* is what clean
    activations bring back in the corrupted run, *lost* what corrupted ones take from the clean run,
    both as shares of clean minus corrupted.

    Attributes:
        shape: layers, and neurons of each.
        shortlist: how many neurons were patched alone: those with the largest estimates.
        singly: up to which size the greedy order grew one by one; behind it in blocks.
        order: the neurons of each of ``ORDERS``, by their number in the whole model.
        sizes: sizes of sets, all neurons aside.
        shares: share at each size, by order: ``MEASURES``.
        everything: the same of all neurons together.
        control_sizes: those of the sizes at which controls, and held-out pairs, were measured.
        controls: share of random sets, and of sets matched in layer and activation, draw by draw.
        noise: largest recovery, in size, of a patch that changes nothing.
        size: one that was asked about besides.
        size_shares: the shares at that size.
        continuations: what the model writes on after the corrupted prompt with the first so many
            neurons of the greedy order put into it, size by size; the likeliest token each time.
        smallest: smallest of the sizes at which each order recovers each of ``SHARES``; 0 for none.
        held_out_effect: what the same sets add to the corrupted, and take from the clean logit
            difference there.
        held_out_everything: the same of all neurons.
        held_out_smallest: the same of the smallest sets, as recovery; 0 where there is none.
    """

    shape: tuple[int, ...]
    shortlist: int
    singly: int
    order: Int[np.ndarray, "3 rank"]
    sizes: Int[np.ndarray, " size"]
    shares: Float[np.ndarray, "2 3 size"]
    everything: Float[np.ndarray, "2"]
    control_sizes: Int[np.ndarray, " some"]
    controls: Float[np.ndarray, "2 2 draw some"]
    noise: float
    size: int
    size_shares: Float[np.ndarray, "2 3"]
    continuations: tuple[str, ...]
    smallest: Int[np.ndarray, "3 3"]
    held_out_effect: Float[np.ndarray, "pair 2 3 some"]
    held_out_everything: Float[np.ndarray, "pair 2"]
    held_out_smallest: Float[np.ndarray, "pair 3 3"]

    @property
    def neurons(self) -> int:
        """How many the model has."""
        return self.shape[0] * self.shape[1]

    def name(self, number: int) -> str:
        """What a neuron is called, by its number in the whole model."""
        return str(Neuron(*divmod(number, self.shape[1])))

    def names(self, order: str) -> list[str]:
        """The neurons of an order."""
        return [self.name(number) for number in self.order[ORDERS.index(order)].tolist()]

    @cached_property
    def at_control_sizes(self) -> Float[np.ndarray, "2 3 some"]:
        """The shares at the sizes of the controls."""
        return self.shares[:, :, np.isin(self.sizes, self.control_sizes)]

    @cached_property
    def area(self) -> Float[np.ndarray, "2 3"]:
        """Area under each curve over the logarithm of the size: its mean from one neuron on."""
        return area(self.sizes, self.shares)

    @cached_property
    def control_area(self) -> Float[np.ndarray, "2 2"]:
        """The same of the controls' mean curves."""
        return area(self.control_sizes, self.controls.mean(2))

    @cached_property
    def held_out_shares(self) -> Float[np.ndarray, "2 3 some 3"]:
        """Mean, low and high of the held-out shares."""
        effects = self.held_out_effect.reshape(len(self.held_out_gap), -1)
        found = [self.over_pairs(column) for column in effects.T]
        return np.array(found).reshape(*self.held_out_effect.shape[1:], 3)


def area(
    sizes: Int[np.ndarray, " size"], shares: Float[np.ndarray, "*curve size"]
) -> Float[np.ndarray, "*curve"]:
    """Mean height of curves over the logarithm of the size, by trapezia; of one size its height."""
    if len(sizes) == 1:
        return shares[..., 0]
    logs = np.log(sizes)
    return np.asarray(np.trapezoid(shares, logs, axis=-1) / (logs[-1] - logs[0]), shares.dtype)
