"""The Result of experiment 4, and the statistics that are read off it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float

from analysis.neuron import Neuron
from analysis.numbers.estimates import Estimate, ratio
from analysis.result import Result


@dataclass(frozen=True)
class NeuronSweep(Result):
    """What patching each neuron alone recovers of the difference between two prompts.

    Attributes:
        clean: the clean prompt.
        corrupted: the corrupted prompt.
        target: the token asked for.
        foil: the token it competes with.
        positions: ``last`` patches the last position, ``all`` every position (those before the
            first difference hold nothing to patch).
        selection: the pairs that chose together, as "clean / corrupted", the question's own first.
        selection_gap: clean minus corrupted logit difference of those pairs.
        selection_effect: what patching each candidate adds to the corrupted one there.
        clean_diff: logit difference of the clean prompt.
        corrupted_diff: logit difference of the corrupted prompt.
        recovery: (patched - corrupted) / (clean - corrupted) of each neuron, over several pairs
            sums over sums; where ``exact`` is false, the estimate by attribution.
        exact: which recoveries were measured by patching.
        attribution: the first-order estimate of every recovery.
        activation_change: clean minus corrupted activation, averaged over the pairs: at the last
            position, or, where every position was patched, where the neuron's changes most. A
            gated neuron answers in both directions: below zero, what recovers is that it falls.
        noise: largest recovery, in size, of a patch that changes nothing, over the layers: what
            rounding does; ranks below it mean nothing.
        engine: how a patch was computed: ``exact``, from the patched position on, or, the same
            numbers more slowly, ``exact, whole sequences``.
        outside: neurons drawn at random among those that a screen left out, measured too; none
            when all are exact.
        outside_recovery: their measured recoveries.
        candidates: the best neurons, best first, by measured recovery.
        noising: share of the difference that is lost when each candidate's corrupted activation is
            put into the clean run.
        beside_best: recovery of each candidate with the best neuron held at its corrupted
            activation: what does not run through it; of the best itself, its recovery.
        held_out: prompt pairs that took no part in the choice, as "clean / corrupted".
        held_out_gap: clean minus corrupted logit difference of those pairs.
        held_out_effect: what patching each candidate adds to the corrupted logit difference there.
        held_out_noising: what noising with it takes from the clean logit difference there.
        held_out_beside: as ``held_out_effect``, with the best neuron held at its corrupted
            activation: what does not run through that one.
    """

    rounded = ("attribution", "activation_change")

    clean: str
    corrupted: str
    target: str
    foil: str
    positions: str
    selection: tuple[str, ...]
    selection_gap: Float[np.ndarray, " selected"]
    selection_effect: Float[np.ndarray, "selected candidate"]
    clean_diff: float
    corrupted_diff: float
    recovery: Float[np.ndarray, "layer d_mlp"]
    exact: Bool[np.ndarray, "layer d_mlp"]
    attribution: Float[np.ndarray, "layer d_mlp"]
    activation_change: Float[np.ndarray, "layer d_mlp"]
    noise: float
    engine: str
    outside: tuple[str, ...]
    outside_recovery: Float[np.ndarray, " sample"]
    candidates: tuple[str, ...]
    noising: Float[np.ndarray, " candidate"]
    beside_best: Float[np.ndarray, " candidate"]
    held_out: tuple[str, ...]
    held_out_gap: Float[np.ndarray, " pair"]
    held_out_effect: Float[np.ndarray, "pair candidate"]
    held_out_noising: Float[np.ndarray, "pair candidate"]
    held_out_beside: Float[np.ndarray, "pair candidate"]

    @property
    def best(self) -> Neuron:
        """The neuron with the largest measured recovery."""
        return ranked(self)[0]

    @cached_property
    def selection_recovery(self) -> tuple[Estimate, ...]:
        """Of each candidate over the pairs that chose it; of one pair without an interval."""
        return tuple(ratio(column, self.selection_gap) for column in self.selection_effect.T)

    @cached_property
    def held_out_recovery(self) -> tuple[Estimate, ...]:
        """Of each candidate over all held-out pairs, sums over sums; empty if there are none."""
        return self._over_pairs(self.held_out_effect)

    @cached_property
    def held_out_noising_recovery(self) -> tuple[Estimate, ...]:
        """The same where the corrupted activation is put into the clean run."""
        return self._over_pairs(self.held_out_noising)

    @cached_property
    def held_out_recovery_beside_best(self) -> tuple[Estimate, ...]:
        """As ``held_out_recovery``, with the best neuron held at its corrupted activation."""
        return self._over_pairs(self.held_out_beside)

    def _over_pairs(self, effects: Float[np.ndarray, "pair candidate"]) -> tuple[Estimate, ...]:
        if not len(self.held_out_gap):
            return ()
        return tuple(ratio(column, self.held_out_gap) for column in effects.T)


def ranked(sweep: NeuronSweep) -> list[Neuron]:
    """All measured neurons, largest recovery first."""
    order = np.argsort(-np.where(sweep.exact, sweep.recovery, -np.inf), axis=None, kind="stable")
    measured = order[: int(sweep.exact.sum())]
    return [Neuron(int(n // sweep.exact.shape[1]), int(n % sweep.exact.shape[1])) for n in measured]
