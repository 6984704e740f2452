"""What stands behind a neuron, answering to other pushes in the place of its write.

A write has a part along the unembedding difference of target and foil, which alone makes its direct
effect, and a rest. Each is put in by itself; random directions, which have no part along that
difference, are the control.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from analysis.contrast import Contrast
from analysis.engines.paths import Paths
from analysis.engines.splitting import Side, norm_scale, own_writes, written
from analysis.neuron import Neuron
from analysis.subject import Subject

PUSHES = ("write", "part", "rest")
"""The whole write, its unembedding part alone, and what that leaves of it."""

DRAWS = 20
"""Random directions."""


@dataclass(frozen=True)
class Answers:
    """What each push does at the end of one prompt, in logits of target minus foil.

    Pushes are ``PUSHES``, then the random ones.

    Attributes:
        total: change of the logit difference, everything downstream recomputed.
        heads: what each later head writes differently, all norms frozen.
        neurons: the same for each later neuron.
    """

    total: Float[Tensor, " push"]
    heads: Float[Tensor, "push later head"]
    neurons: Float[Tensor, "push later d_mlp"]


def pushes(
    subject: Subject,
    write: Float[Tensor, " d_model"],
    contrast: Contrast,
    draws: int = DRAWS,
    seed: int = 0,
) -> Float[Tensor, "push d_model"]:
    """A write, its unembedding part, the rest, and random directions of its norm without that part.

    The unembedding difference is that of ``Subject.direction``: the final norm's gain is folded in,
    so that the part has the direct effect of the whole.
    """
    along = subject.direction(contrast.target_id, contrast.foil_id)
    along = along / along.norm()
    part = (write @ along) * along
    generator = torch.Generator().manual_seed(seed)
    random = torch.randn(draws, len(write), generator=generator).to(write)
    random = random - (random @ along)[:, None] * along
    random = random * write.norm() / random.norm(dim=-1, keepdim=True)
    return torch.cat([torch.stack([write, part, write - part]), random])


@torch.inference_mode()
def answers(
    subject: Subject, base: Side, source: Side, neuron: Neuron, contrast: Contrast
) -> Answers:
    """Change the residual that leaves the neuron's layer by each push, as far as it would be.

    Args:
        subject: the model.
        base: the run that is changed, read at the neuron's layer.
        source: the run whose activation says how far.
        neuron: the neuron in whose place the pushes stand.
        contrast: target and foil.
    """
    (write,) = own_writes(subject, base, source, [neuron])
    changes = pushes(subject, write, contrast)
    full = Paths(subject, base.prompt.tokens).run(neuron.layer, base.resid, changes, frozen=False)
    scale = norm_scale(subject, full.base)
    along = subject.direction(contrast.target_id, contrast.foil_id)
    found = written(subject, full, along / scale)
    total = contrast.read(subject, full.finals) - contrast.read(subject, full.base)
    return Answers(total, found.heads, found.neurons)
