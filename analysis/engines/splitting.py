"""Splits what patching a neuron does: its direct write, and what each later component answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from einops import einsum, rearrange
from jaxtyping import Float
from torch import Tensor

from analysis.contrast import Contrast
from analysis.engines.paths import Passage, Paths
from analysis.engines.post_norms import attention_output, behind_attention, read_through
from analysis.neuron import Neuron
from analysis.prompts import Prompt
from analysis.subject import Subject


@dataclass(frozen=True)
class Side:
    """One prompt's last position: a layer's neurons, the residual that leaves it, the final one."""

    prompt: Prompt
    activations: Float[Tensor, " d_mlp"]
    resid: Float[Tensor, " d_model"]
    final: Float[Tensor, " d_model"]


@dataclass(frozen=True)
class Later:
    """Values of all later heads and neurons, and their names.

    Attributes:
        first: number of the first later layer.
        heads: value of each head, named as in ``L26H3``.
        neurons: value of each neuron, named as in ``L29N947``.
    """

    first: int
    heads: Float[np.ndarray, "later head"]
    neurons: Float[np.ndarray, "later d_mlp"]

    @property
    def head_names(self) -> list[str]:
        """Names of the heads, layer by layer."""
        return [f"L{self.first + i}H{j}" for i, j in np.ndindex(self.heads.shape)]

    @property
    def neuron_names(self) -> list[str]:
        """Names of the neurons, layer by layer."""
        return [str(Neuron(self.first + i, j)) for i, j in np.ndindex(self.neurons.shape)]

    @property
    def components(self) -> Float[np.ndarray, " component"]:
        """The values of all heads, then of all MLPs, each the sum of its neurons."""
        return np.concatenate([self.heads.ravel(), self.neurons.sum(-1)])

    @property
    def component_names(self) -> list[str]:
        """Names of all heads, then of all MLPs (``MLP 26``)."""
        return [*self.head_names, *(f"MLP {self.first + i}" for i in range(len(self.neurons)))]

    def largest(self, count: int) -> tuple[str, ...]:
        """The heads and neurons with the largest values in size."""
        names = [*self.head_names, *self.neuron_names]
        sizes = np.abs(np.concatenate([self.heads.ravel(), self.neurons.ravel()]))
        return tuple(names[i] for i in np.argsort(-sizes, kind="stable")[:count])

    def __getitem__(self, name: str) -> float:
        """The value of one head or neuron."""
        kind, array = ("H", self.heads) if "H" in name else ("N", self.neurons)
        layer, number = map(int, name[1:].split(kind))
        return float(array[layer - self.first, number])


@dataclass(frozen=True)
class Split:
    """The effects of some neurons of one layer, each patched alone, in logits of target minus foil.

    Attributes:
        base: logit difference of the unpatched run.
        delta: patched minus unpatched activation.
        total: change of the logit difference, everything downstream recomputed.
        direct: the neuron's own write, as it comes through a norm behind the MLP, read with the
            final norm frozen at the unpatched scale.
        direct_unfrozen: change of the logit difference with every later component's answer put
            back, the final norm recomputed.
        norm: what the change of the final norm's scale does in the full run.
        post_norms: what the changes of the scales of later norms behind attention and MLPs do.
        cap: what a cap on the logits (Gemma 2) makes of all that.
        heads_alone: each later head's changed write when it alone reads the neuron's change.
        heads_full: each later head's changed write in the full run.
        neurons_alone: the same for each later neuron, its whole MLP reading the change.
        neurons_full: each later neuron's changed write in the full run.
    """

    base: float
    delta: Float[Tensor, " neuron"]
    total: Float[Tensor, " neuron"]
    direct: Float[Tensor, " neuron"]
    direct_unfrozen: Float[Tensor, " neuron"]
    norm: Float[Tensor, " neuron"]
    post_norms: Float[Tensor, " neuron"]
    cap: Float[Tensor, " neuron"]
    heads_alone: Float[Tensor, "neuron later head"]
    heads_full: Float[Tensor, "neuron later head"]
    neurons_alone: Float[Tensor, "neuron later d_mlp"]
    neurons_full: Float[Tensor, "neuron later d_mlp"]

    def full(self, first_later: int) -> Later:
        """What later heads and neurons write in the full run of the first neuron."""
        return Later(
            first_later, self.heads_full[0].cpu().numpy(), self.neurons_full[0].cpu().numpy()
        )


def side(subject: Subject, prompt: Prompt, layer: int) -> Side:
    """Read one prompt's last position."""
    post, resid = subject.cache(prompt.tokens, "mlp.hook_post", "hook_resid_post").values()
    return Side(prompt, post[layer, -1], resid[layer, -1], resid[-1, -1])


@torch.inference_mode()
def split(
    subject: Subject, base: Side, source: Side, neurons: Sequence[Neuron], contrast: Contrast
) -> Split:
    """Patch each neuron alone at the last position, from one prompt into another, and split it.

    With all norms frozen at the unpatched scales, ``total = direct + heads_full + neurons_full +
    post_norms + norm + cap`` is an identity (sums over later heads and neurons).

    Args:
        subject: the model.
        base: the run that is patched.
        source: the run the activations come from.
        neurons: neurons of the layer that both sides were read at.
        contrast: target and foil.
    """
    (layer,) = {neuron.layer for neuron in neurons}
    numbers = [neuron.number for neuron in neurons]
    delta = (source.activations - base.activations)[numbers]
    writes = own_writes(subject, base, source, neurons)
    paths = Paths(subject, base.prompt.tokens)
    alone, full = (paths.run(layer, base.resid, writes, frozen) for frozen in (True, False))
    scale = norm_scale(subject, full.base)
    direction = subject.direction(contrast.target_id, contrast.foil_id)
    diff = partial(contrast.read, subject)
    by_path, in_full = (written(subject, passage, direction / scale) for passage in (alone, full))
    total = diff(full.finals) - diff(full.base)
    return Split(
        base=float(diff(full.base)),
        delta=delta.float(),
        total=total,
        direct=(writes @ direction / scale).float(),
        direct_unfrozen=diff(alone.finals) - diff(alone.base),
        norm=_norm_term(subject, full, direction).float(),
        post_norms=in_full.post_norms,
        cap=_cap_term(subject, full, direction, total),
        heads_alone=by_path.heads,
        heads_full=in_full.heads,
        neurons_alone=by_path.neurons,
        neurons_full=in_full.neurons,
    )


@torch.inference_mode()
def own_writes(
    subject: Subject, base: Side, source: Side, neurons: Sequence[Neuron]
) -> Float[Tensor, "neuron d_model"]:
    """What the residual stream gets more when each neuron of a layer alone is patched."""
    (layer,) = {neuron.layer for neuron in neurons}
    numbers = [neuron.number for neuron in neurons]
    delta = (source.activations - base.activations)[numbers, None]
    before = subject.before_norm(layer, base.activations)
    return subject.added(layer, before, delta * subject.W_out(layer)[numbers])


def norm_scale(subject: Subject, resid: Float[Tensor, "*batch d_model"]) -> Float[Tensor, "*batch"]:
    """What the final norm divides a residual by."""
    return subject.folded_norm.scale(resid)


def _norm_term(
    subject: Subject, full: Passage, direction: Float[Tensor, " d_model"]
) -> Float[Tensor, " change"]:
    """The patched final residual read at its own scale, against at the unpatched one."""
    shrink = 1 / norm_scale(subject, full.finals) - 1 / norm_scale(subject, full.base)
    return full.finals @ direction * shrink


def _cap_term(
    subject: Subject,
    full: Passage,
    direction: Float[Tensor, " d_model"],
    total: Float[Tensor, " change"],
) -> Float[Tensor, " change"]:
    """The change of the logit difference less that of the difference before the cap."""
    if subject.read_out.cap is None:
        return torch.zeros_like(total)
    uncapped = full.resid @ direction / norm_scale(subject, full.resid)
    return total - (uncapped[1:] - uncapped[0]).float()


@dataclass(frozen=True)
class Written:
    """What later components of changed runs write differently along a direction, in its units.

    Attributes:
        heads: of each later head, norms behind attention frozen at the unpatched run's scales.
        neurons: of each later neuron, those behind the MLPs frozen.
        post_norms: what the changes of those scales do, together.
    """

    heads: Float[Tensor, "change later head"]
    neurons: Float[Tensor, "change later d_mlp"]
    post_norms: Float[Tensor, " change"]


@torch.inference_mode()
def written(subject: Subject, passage: Passage, direction: Float[Tensor, " d_model"]) -> Written:
    """Read every later component of changed runs, less the unpatched one's, along a direction."""
    later = range(subject.n_layers - passage.z.shape[1], subject.n_layers)
    if not later:
        z, activations = passage.z[1:], passage.activations[1:]
        return Written(z.sum(-1).float(), activations.float(), z.new_zeros(len(z)).float())
    parts = [
        (
            *_heads(subject, layer, passage.z[:, place], direction),
            *_neurons(subject, layer, passage.activations[:, place], direction),
        )
        for place, layer in enumerate(later)
    ]
    heads, head_norms, neurons, mlp_norms = zip(*parts, strict=True)
    norms = torch.stack([*head_norms, *mlp_norms]).sum(0)
    unit = subject.residual_scale
    return Written(
        (torch.stack(heads, 1) * unit).float(),
        (torch.stack(neurons, 1) * unit).float(),
        (norms * unit).float(),
    )


def _heads(
    subject: Subject,
    layer: int,
    z: Float[Tensor, "run head d_head"],
    direction: Float[Tensor, " d_model"],
) -> tuple[Float[Tensor, "change head"], Float[Tensor, " change"]]:
    """What one layer's heads write differently, and what the scale behind them does."""
    norm, rescaled = behind_attention(subject, layer), z.new_zeros(len(z) - 1)
    if norm is not None:
        outputs = attention_output(subject, layer, rearrange(z, "run h d -> run (h d)"))
        direction, rescaled = read_through(norm, outputs, direction)
    per_z = subject.bridge.blocks[layer].attn.W_O.detach() @ direction
    return einsum(z[1:] - z[:1], per_z, "c head d_head, head d_head -> c head"), rescaled


def _neurons(
    subject: Subject,
    layer: int,
    activations: Float[Tensor, "run d_mlp"],
    direction: Float[Tensor, " d_model"],
) -> tuple[Float[Tensor, "change d_mlp"], Float[Tensor, " change"]]:
    """What one layer's neurons write differently, and what the scale behind them does."""
    norm = subject.norm_behind(layer)
    outputs = subject.before_norm(layer, activations)
    rescaled = activations.new_zeros(len(activations) - 1)
    if norm is not None and outputs is not None:
        direction, rescaled = read_through(norm, outputs, direction)
    return (activations[1:] - activations[:1]) * (subject.W_out(layer) @ direction), rescaled
