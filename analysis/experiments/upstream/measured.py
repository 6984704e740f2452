"""The Result of experiment 10, and the statistics that are read off it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from analysis.engines.mediation import Patch, patches
from analysis.numbers.estimates import Estimate, ratio
from analysis.result import Result


@dataclass(frozen=True)
class Upstream(Result):
    """A neuron's pre-activation at the last position, split exactly by what wrote it.

    A gated MLP has the projections ``gate`` and ``up`` (the activation is act(gate) * up), a plain
    one has ``in``. The scale of the norm before the MLP is frozen at its value in each run.
    ``side`` is the clean prompt, then the corrupted one.

    Attributes:
        neuron: its name.
        projections: their names.
        lead: the projection that makes more of the difference of activation.
        shares: what each projection contributes to the difference of activation between the two
            prompts (product rule at the midpoint, exact).
        clean: the clean prompt.
        corrupted: the corrupted prompt.
        clean_tokens: their tokens as text.
        corrupted_tokens: the other's.
        components: names of the parts: embedding, position, heads, MLPs, biases of all layers
            together, and ``constant`` (the neuron's own bias and the norm's).
        contributions: what each contributes, in units of pre-activation.
        preactivation: what the parts sum to, as the model computed it.
        activation: the neuron's activation by position.
        readings: its pre-activations by position.
        cosine: cosine of the MLP's input (normed residual) with the input weights, by position.
        earlier: the single earlier neurons whose part of ``lead`` differs most between the prompts.
        earlier_contributions: their parts, which their MLPs' parts contain.
        heads: the heads whose part of ``lead`` differs most between the prompts.
        sources: their parts, by the position they take them from.
        attention: their attention from the last position.
        steps: what is followed one step further back: the first of ``heads`` at the source where
            its part differs most, and the first of ``earlier``.
        step_positions: where each reads the residual stream.
        step_projections: ``value`` for a head, the leading projection of the neuron.
        step_contributions: of each of ``components`` to that reading; for the head in units of
            ``lead``, attention frozen.
        step_totals: the readings themselves, from the model's own values.
        step_neurons: earlier neurons whose part of that differs most; empty if there are fewer.
        step_neuron_contributions: theirs.
        matched: neurons of the same layer, the nearest in activation on the two prompts.
        norms: root mean square of the activation at the prompts' ends: of the neuron, then of each
            of these.
        matched_contributions: those of the first of them; zeros if the layer has no other neuron.
        matched_earlier: those of the single neurons of ``earlier`` to it.
        chain: the strongest head, the strongest earlier neuron (where there are any), the neuron.
        chain_activation: change of the neuron's activation towards the other prompt's, by denoising
            and by noising, for each of ``mediation.patches(chain)``.
        chain_activation_gap: clean minus corrupted activation, of each pair.
        chain_answer: the same change of the logit difference.
        chain_answer_gap: clean minus corrupted logit difference, of each pair.
        pairs: word pairs, the question's own first, the others held out, as "clean / corrupted".
        contrast: difference of parts in every pair, clean minus corrupted.
        matched_contrast: the same for each matched neuron, mean over the held-out pairs, if any.
        norms_behind: whether norms stand behind attention and MLPs; their scales are frozen too.
    """

    rounded = ("contrast", "matched_contrast")

    neuron: str
    projections: tuple[str, ...]
    lead: str
    shares: Float[np.ndarray, " projection"]
    clean: str
    corrupted: str
    clean_tokens: tuple[str, ...]
    corrupted_tokens: tuple[str, ...]
    components: tuple[str, ...]
    contributions: Float[np.ndarray, "projection side component"]
    preactivation: Float[np.ndarray, "projection side"]
    activation: Float[np.ndarray, "side pos"]
    readings: Float[np.ndarray, "projection side pos"]
    cosine: Float[np.ndarray, "projection side pos"]
    earlier: tuple[str, ...]
    earlier_contributions: Float[np.ndarray, "projection side earlier"]
    heads: tuple[str, ...]
    sources: Float[np.ndarray, "projection side head pos"]
    attention: Float[np.ndarray, "side head pos"]
    steps: tuple[str, ...]
    step_positions: tuple[int, ...]
    step_projections: tuple[str, ...]
    step_contributions: Float[np.ndarray, "step side component"]
    step_totals: Float[np.ndarray, "step side"]
    step_neurons: tuple[tuple[str, ...], ...]
    step_neuron_contributions: Float[np.ndarray, "step side step_neuron"]
    matched: tuple[str, ...]
    norms: Float[np.ndarray, " neuron"]
    matched_contributions: Float[np.ndarray, "projection side component"]
    matched_earlier: Float[np.ndarray, "projection side earlier"]
    chain: tuple[str, ...]
    chain_activation: Float[np.ndarray, "direction pair patch"]
    chain_activation_gap: Float[np.ndarray, " pair"]
    chain_answer: Float[np.ndarray, "direction pair patch"]
    chain_answer_gap: Float[np.ndarray, " pair"]
    pairs: tuple[str, ...]
    contrast: Float[np.ndarray, "pair projection component"]
    matched_contrast: Float[np.ndarray, "matched projection component"]
    norms_behind: bool = False

    @property
    def leading(self) -> int:
        """Index of the leading projection."""
        return self.projections.index(self.lead)

    @property
    def activation_split(self) -> Float[np.ndarray, " component"]:
        """What each component makes of the difference of activation between the prompts.

        Contributions to gate and up are put into units of activation by the slope between the two
        prompts, and taken together (the rescale rule of Shrikumar et al., "DeepLIFT", 2017); they
        sum to the difference of activation.
        """
        change = self.preactivation[:, 0] - self.preactivation[:, 1]
        slopes = np.divide(self.shares, change, out=np.zeros_like(change), where=change != 0)
        split: np.ndarray = slopes @ self.difference
        return split

    @property
    def patches(self) -> tuple[Patch, ...]:
        """What was patched and what was held, along the chain."""
        return patches(self.chain)

    def mediated(self, direction: int, of: str) -> tuple[Estimate, ...]:
        """Shares of the gap in ``activation`` or ``answer`` that each patch along the chain brings.

        Over the held-out pairs, sums over sums; of the question's pair where there are none.
        """
        first = int(len(self.pairs) > 1)
        changes = getattr(self, f"chain_{of}")[direction, first:]
        gaps = getattr(self, f"chain_{of}_gap")[first:]
        return tuple(ratio(column, gaps) for column in changes.T)

    def held_out_difference(self, component: str) -> Estimate:
        """Of one component in the leading projection: mean over the held-out pairs."""
        values = self.contrast[1:, self.leading, self.components.index(component)].astype(float)
        return ratio(values, np.ones(len(values)))

    @property
    def difference(self) -> Float[np.ndarray, "projection component"]:
        """Contributions in the clean prompt minus those in the corrupted one."""
        return self.contributions[:, 0] - self.contributions[:, 1]
