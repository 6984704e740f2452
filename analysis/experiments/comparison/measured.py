"""The Result of experiment 14, and what is read off it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from analysis.neuron import parse_neuron
from analysis.result import Result


@dataclass(frozen=True)
class Comparison(Result):
    """The same question put to several models: the best neuron of each, checked four ways.

    The neuron is chosen on one pair of prompts and confirmed on others. Beside it stands what the
    model itself answers on all of these pairs, without which a missing neuron says nothing. One
    entry a model in every tuple and along the first axis of every array.

    Attributes:
        clean: the clean prompt.
        corrupted: the corrupted prompt.
        target: the token asked for.
        foil: the token it competes with.
        texts: number of corpus texts read; every other one chose the threshold.
        models: names of the models that ran.
        sources: where each came from.
        layers: number of blocks.
        d_model: width of the residual stream.
        d_mlp: neurons per MLP.
        measured: neurons whose recovery was measured by patching; the rest were screened out.
        p_target: probability of the target after the clean and the corrupted prompt.
        logit_diff: logit(target) - logit(foil) after the clean and the corrupted prompt, in logits.
        pairs: on how many pairs the model was asked: the one that chooses the neuron, and the
            held-out ones, of which a model has those that its tokenizer aligns.
        pair_p_target: mean probability of the target after their clean and corrupted prompts.
        pair_logit_diff: mean logit difference after these.
        preferred: after how many of them the target is preferred over the foil.
        heard: pairs in which the logit difference is larger after the clean prompt.
        neurons: the best measured neurons of each model, best first.
        recovery: their recovery on the pair that chose them, NaN where a model has fewer.
        held_out_pairs: pairs that took no part in the choice.
        held_out: recovery over those pairs together, NaN where there are none.
        held_out_low: lower end of its 95 % bootstrap interval, NaN where there is none.
        held_out_high: upper end of that interval.
        sign: 1 where the clean prompt raises the best neuron's activation, -1 where it lowers it.
        activation: the best neuron's activation at the end of the clean and the corrupted prompt.
        target_rank: rank of the target among the tokens it writes, with that sign.
        rank_by_target: its rank among all neurons by direct effect on the target, with that sign.
        rank_by_difference: the same by target minus foil.
        threshold: activation, times ``sign``, that best told the target's coming (F1) on the texts
            that chose it; ``halfway`` where it came too rarely there to choose.
        chosen_on: tokens of those texts that the target follows.
        tokens: tokens of the other texts, on which all that follows is counted.
        followed: those that the target follows.
        active: those on which the neuron reaches the threshold.
        active_followed: both.
        foreseen: those after which the target is the model's own first choice.
        foreseen_followed: both that and followed by it.
        shares: precision and recall of the neuron, then of the model's own first choice, each with
            the ends of its 95 % interval, in which texts are the sample.
        missing: names of the models that were not run.
        reasons: why, a sentence each.
    """

    clean: str
    corrupted: str
    target: str
    foil: str
    texts: int
    models: tuple[str, ...]
    sources: tuple[str, ...]
    layers: Int[np.ndarray, " model"]
    d_model: Int[np.ndarray, " model"]
    d_mlp: Int[np.ndarray, " model"]
    measured: Int[np.ndarray, " model"]
    p_target: Float[np.ndarray, "model prompt"]
    logit_diff: Float[np.ndarray, "model prompt"]
    pairs: Int[np.ndarray, " model"]
    pair_p_target: Float[np.ndarray, "model prompt"]
    pair_logit_diff: Float[np.ndarray, "model prompt"]
    preferred: Int[np.ndarray, "model prompt"]
    heard: Int[np.ndarray, " model"]
    neurons: tuple[tuple[str, ...], ...]
    recovery: Float[np.ndarray, "model neuron"]
    held_out_pairs: Int[np.ndarray, " model"]
    held_out: Float[np.ndarray, "model neuron"]
    held_out_low: Float[np.ndarray, "model neuron"]
    held_out_high: Float[np.ndarray, "model neuron"]
    sign: Int[np.ndarray, " model"]
    activation: Float[np.ndarray, "model prompt"]
    target_rank: Int[np.ndarray, " model"]
    rank_by_target: Int[np.ndarray, " model"]
    rank_by_difference: Int[np.ndarray, " model"]
    threshold: Float[np.ndarray, " model"]
    chosen_on: Int[np.ndarray, " model"]
    tokens: Int[np.ndarray, " model"]
    followed: Int[np.ndarray, " model"]
    active: Int[np.ndarray, " model"]
    active_followed: Int[np.ndarray, " model"]
    foreseen: Int[np.ndarray, " model"]
    foreseen_followed: Int[np.ndarray, " model"]
    shares: Float[np.ndarray, "model 4 3"]
    missing: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def n_neurons(self) -> Int[np.ndarray, " model"]:
        """Neurons of each model."""
        return self.layers * self.d_mlp

    @property
    def depth(self) -> Float[np.ndarray, "model neuron"]:
        """Share of the blocks that have run when each best neuron has written, NaN without one."""
        depths = np.full(self.recovery.shape, np.nan)
        for i, names in enumerate(self.neurons):
            layers = [parse_neuron(name, self.layers[i], self.d_mlp[i]).layer for name in names]
            depths[i, : len(names)] = (np.array(layers) + 1) / self.layers[i]
        return depths
