"""What a transplant found."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from analysis.result import Result


@dataclass(frozen=True)
class Transplant(Result):
    """A neuron of one model in another, beside controls, on held-out texts.

    The margin is the mean logit difference where the target is called for, less that where the foil
    is, in logits: a bias adds nothing to it. Intervals are 95 % bootstrap intervals over words and,
    in articles, over articles; the last axis holds value, low and high end.

    Attributes:
        donor: name of the model that has the neuron.
        neuron: its name there.
        recipient: name of the model that gets it.
        recipient_revision: which one that is: a commit hash or a checksum of its weights.
        cut: the neuron that was cut out of the recipient first; empty if none was.
        target: the token asked for.
        foil: the token it competes with.
        layer: of the recipient, where the graft is.
        chosen: whether the held-out fit chose that layer.
        explained: by layer, the share of variance on held-out texts (R squared) of the donor's
            activation, gate and up; a donor without a gate has one reading, which stands for both.
        tokens: how many were fitted.
        own: the recipient's own best neuron; empty where the question has no pair for it.
        other: the other neuron of the donor.
        variants: what the recipient was given.
        grounds: what was judged on.
        texts: of each ground, how many call for the target and for the foil.
        units: of each ground, how many words or articles they are from.
        articles: how many the ordinary text is from.
        donor_area: AUC of the neuron's activation in the donor, by ground, with its interval.
        area: the same of the graft's in the recipient.
        likeness: correlation of both activations at the ends of the texts, by ground.
        donor_margins: margin of the donor, and without its neuron, by ground.
        donor_effect: what the neuron adds to the donor's margin, by ground.
        margins: of the recipient, before.
        shares: share of right choices of the recipient, before.
        after: margin with each variant.
        gains: ``GAINS`` of each variant.
        copied: the graft's gain in the margin as a share of what the neuron adds in the donor.
        restored: the same as a share of what the cut took; not numbers where none was made.
        places: tokens of ordinary text, and those of them followed by neither target nor foil.
        cost: change of the loss over all of them, in nats, by variant; articles are resampled.
        other_cost: the same where neither target nor foil follows.
        divergence: mean KL there, in nats.
        reads: input weights of the graft, gate and up where the recipient has a gate; a last column
            is the bias, where its MLPs have any.
        writes: output weights of the graft.
        uncut_cost: how much higher the loss is with the graft than it was before the cut, over all
            of them; not numbers where none was made.
        beside: other transplants of the neuron that a study has: back into its own model, from
            which it was cut out, and with other draws.
    """

    donor: str
    neuron: str
    recipient: str
    recipient_revision: str
    cut: str
    target: str
    foil: str
    layer: int
    chosen: bool
    explained: Float[np.ndarray, "layer 3"]
    tokens: int
    own: str
    other: str
    variants: tuple[str, ...]
    grounds: tuple[str, ...]
    texts: Int[np.ndarray, "ground 2"]
    units: Int[np.ndarray, " ground"]
    articles: int
    donor_area: Float[np.ndarray, "ground 3"]
    area: Float[np.ndarray, "ground 3"]
    likeness: Float[np.ndarray, " ground"]
    donor_margins: Float[np.ndarray, "ground 2"]
    donor_effect: Float[np.ndarray, "ground 3"]
    margins: Float[np.ndarray, " ground"]
    shares: Float[np.ndarray, " ground"]
    after: Float[np.ndarray, "variant ground"]
    gains: Float[np.ndarray, "variant ground gain 3"]
    copied: Float[np.ndarray, "ground 3"]
    restored: Float[np.ndarray, "ground 3"]
    places: Int[np.ndarray, "2"]
    cost: Float[np.ndarray, "variant 3"]
    other_cost: Float[np.ndarray, "variant 3"]
    divergence: Float[np.ndarray, "variant 3"]
    uncut_cost: Float[np.ndarray, "3"]
    reads: Float[np.ndarray, "reading feature"]
    writes: Float[np.ndarray, " d_model"]
    beside: tuple["Transplant", ...] = ()

    @property
    def same(self) -> bool:
        """Whether the recipient is the donor with the neuron cut out."""
        return self.cut == self.neuron and self.recipient == f"{self.donor} without {self.cut}"
