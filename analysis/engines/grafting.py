"""One more neuron in an MLP: what it reads, how it is activated, what it writes.

A graft is kept apart from the model and added to its MLP's output on the way; ``widened`` builds it
in, as a neuron like any other.
"""

from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from analysis.engines.activation import check_activation
from analysis.errors import UserError
from analysis.family import part, share_weights
from analysis.neuron import Neuron
from analysis.subject import Subject

MODERATE = 0.01
"""Penalty on the size of an output, as a share of the mean squared gain of the norm behind it."""

PROBE_TOKENS = 24
"""Read to see that a graft is activated as the model's own neurons are."""

Recorded = dict[str, dict[int, Float[Tensor, "row pos _"]]]
"""What a pass left behind, by name and layer."""


@dataclass(frozen=True, eq=False)
class Graft:
    """A neuron for an MLP that does not have it.

    Attributes:
        layer: of the MLP.
        reads: weights on what the MLP reads, a row for each pre-activation: gate and up where the
            MLP is gated, else one. A last column is the bias, where the MLP has any.
        writes: what it adds to the MLP's output per unit of activation.
        kind: ``neuron``; ``linear``, whose activation is its one reading itself; ``constant``,
            whose activation is one. The latter two are no neurons, but controls.
    """

    layer: int
    reads: Float[Tensor, "reading feature"]
    writes: Float[Tensor, " d_model"]
    kind: Literal["neuron", "linear", "constant"] = "neuron"

    def scaled(self, factor: float) -> "Graft":
        """The same with so many times its write."""
        return replace(self, writes=self.writes * factor)


def check_graftable(subject: Subject) -> None:
    """Refuse a model whose MLPs cannot be given one more neuron.

    Raises:
        UserError: gate and up are one matrix, or its activations are more than an activation
            function of what is read (a norm behind it, or weights of its own).
    """
    if subject.family.mlp_in is None:
        raise UserError(
            f"{subject.origin.name} keeps gate and up in one matrix: nothing can be grafted into it"
            " here."
        )
    check_activation(subject, range(min(PROBE_TOKENS, subject.context, subject.d_vocab)))


def is_biased(subject: Subject) -> bool:
    """Whether what the MLPs read is added a bias to."""
    assert subject.family.mlp_in is not None
    return getattr(part(subject.blocks[0], subject.family.mlp_in), "bias", None) is not None


def features(subject: Subject, x: Float[Tensor, "*row d_model"]) -> Float[Tensor, "*row feature"]:
    """What a neuron's weights are applied to: what the MLP reads, and a one where it has biases."""
    return torch.cat([x, torch.ones_like(x[..., :1])], -1) if is_biased(subject) else x


def activated(
    subject: Subject, graft: Graft, x: Float[Tensor, "*row d_model"]
) -> Float[Tensor, "*row"]:
    """A graft's activation, made of what the MLP reads as the model's own neurons make theirs."""
    if graft.kind == "constant":
        return torch.ones_like(x[..., 0])
    pre = features(subject, x) @ graft.reads.to(x).T
    if graft.kind == "linear":
        return pre[..., 0]
    activation: Tensor = subject.activation(pre[..., 0])
    return activation * pre[..., 1] if subject.family.gated else activation


def native(subject: Subject, neuron: Neuron) -> Graft:
    """One of the model's own neurons, as a graft."""
    family, block = subject.family, subject.blocks[neuron.layer]
    paths = [family.mlp_gate, family.mlp_in] if subject.family.gated else [family.mlp_in]
    rows = []
    for module in [part(block, path) for path in paths if path]:
        bias = getattr(module, "bias", None)
        row = _matrix(module)[neuron.number]
        rows.append(row if bias is None else torch.cat([row, bias[[neuron.number]]]))
    return Graft(
        neuron.layer, torch.stack(rows).detach(), subject.W_out(neuron.layer)[neuron.number]
    )


def without(subject: Subject, neuron: Neuron) -> Subject:
    """The model with a neuron cut out: its output weights are zero. The model itself stays."""
    twin = share_weights(subject.model)
    block = subject.family.layers(twin)[neuron.layer]
    module = part(block, subject.family.mlp_out)
    weight = module.weight.detach().clone()  # type: ignore[operator]
    column = weight if not isinstance(module, nn.Linear) else weight.T
    column[neuron.number] = 0
    module.weight = nn.Parameter(weight, requires_grad=False)
    origin = replace(subject.origin, name=f"{subject.origin.name} without {neuron}")
    return replace(subject, model=twin, origin=origin)


def widened(subject: Subject, graft: Graft) -> Subject:
    """The model with the graft built in, as the last neuron of its layer.

    Every layer gets one more neuron, so that one configuration holds for all; those of the other
    layers have weights of zero and do nothing. The model itself stays.

    Raises:
        UserError: the configuration does not say how many neurons there are.
    """
    name = size_name(subject)
    twin = share_weights(subject.model)
    for layer, block in enumerate(subject.family.layers(twin)):
        _widen(subject, block, graft if layer == graft.layer else None)
    setattr(twin.config, name, subject.d_mlp + 1)
    return replace(subject, model=twin)


def size_name(subject: Subject) -> str:
    """What the configuration calls the number of neurons.

    Raises:
        UserError: it has no name for it.
    """
    for name in ("ffn_dim", "ffn_hidden_size", "n_inner", "intermediate_size"):
        if hasattr(subject.config, name):
            return name
    raise UserError(
        f"The number of neurons of {subject.origin.name} follows from its width: it cannot be given"
        " one more."
    )


def _widen(subject: Subject, block: nn.Module, graft: Graft | None) -> None:
    """Give a block one more neuron: the graft, or one that does nothing."""
    family = subject.family
    paths = [family.mlp_gate, family.mlp_in] if subject.family.gated else [family.mlp_in]
    for row, path in enumerate(paths):
        assert path is not None
        module = part(block, path)
        reads = None if graft is None else graft.reads[row]
        bias = getattr(module, "bias", None)
        size = _matrix(module).shape[1]
        _extend(module, None if reads is None else reads[:size], outputs=True)
        if isinstance(bias, Tensor):
            more = bias.new_zeros(1) if reads is None else reads[size:].to(bias)
            module.bias = nn.Parameter(torch.cat([bias, more]), requires_grad=False)
    _extend(part(block, family.mlp_out), None if graft is None else graft.writes, outputs=False)


def _extend(module: nn.Module, weights: Float[Tensor, " other"] | None, *, outputs: bool) -> None:
    """One more output of a projection, or one more input, with these weights or zeros."""
    matrix = _matrix(module) if outputs else _matrix(module).T
    more = matrix.new_zeros(matrix.shape[1]) if weights is None else weights.to(matrix)
    longer = torch.cat([matrix, more[None]])
    longer = longer if outputs == isinstance(module, nn.Linear) else longer.T
    module.weight = nn.Parameter(longer.contiguous(), requires_grad=False)
    if isinstance(module, nn.Linear):
        module.out_features, module.in_features = longer.shape
    elif outputs:
        module.nf = longer.shape[1]  # type: ignore[assignment]


def _matrix(module: nn.Module) -> Float[Tensor, "out in"]:
    """A projection's weights, output first; GPT-2's lie input first."""
    weight = module.weight
    assert isinstance(weight, Tensor)
    return weight if isinstance(module, nn.Linear) else weight.T


def added(subject: Subject, graft: Graft, recorded: Recorded) -> Float[Tensor, "row pos d_model"]:
    """The residual stream behind the layer, with the graft.

    Args:
        subject: the model.
        graft: the neuron.
        recorded: ``reads``, ``output`` and ``resid`` of its layer, without it.
    """
    layer = graft.layer
    activation = activated(subject, graft, recorded["reads"][layer])
    before = recorded["output"][layer] if subject.family.mlp_post else None
    change = activation[..., None] * graft.writes.to(activation)
    return recorded["resid"][layer] + subject.added(layer, before, change)


def behind(
    subject: Subject, layer: int, direction: Float[Tensor, " d_model"]
) -> Float[Tensor, " d_model"]:
    """What an MLP has to put out for the residual stream to get this direction.

    Where a norm stands between them, its gain can be near zero in a dimension: the direction is
    met as nearly as outputs of moderate size can (least squares with a penalty).
    """
    norm = subject.norm_behind(layer)
    if norm is None:
        return direction
    gain = norm.gain.to(direction)
    return gain * direction / (gain.square() + MODERATE * gain.square().mean())


class _EnoughError(Exception):
    """Ends a pass behind the last layer that was asked for."""


@torch.inference_mode()
def record(
    subject: Subject, ids: Int[Tensor, "row pos"], wanted: Mapping[str, Iterable[int]]
) -> Recorded:
    """Run texts of one length, and keep what is wanted of some layers.

    Args:
        subject: the model.
        ids: the texts; the pass ends behind the last layer of which anything is wanted.
        wanted: layers by name: ``reads``, what the MLP reads; ``in`` and ``gate``, its
            pre-activations; ``activations``; ``output``, what the output weights make of them;
            ``resid``, the residual that leaves the block.
    """
    family = subject.family
    found: Recorded = {name: {} for name in wanted}
    places = {
        "reads": (family.mlp_in, True),
        "in": (family.mlp_in, False),
        "gate": (family.mlp_gate, False),
        "activations": (family.mlp_out, True),
        "output": (family.mlp_out, False),
        "resid": (None, False),
    }
    with ExitStack() as hooks:
        for name, layers in wanted.items():
            path, enters = places[name]
            for layer in layers:
                block = subject.blocks[layer]
                module = block if path is None else part(block, path)
                keep = partial(_keep, found[name], layer, ids.shape)
                add = module.register_forward_pre_hook if enters else module.register_forward_hook
                hooks.callback(add(keep).remove)
        last = max(layer for layers in wanted.values() for layer in layers)
        hooks.callback(subject.blocks[last].register_forward_hook(_enough).remove)
        with suppress(_EnoughError):
            subject.model.base_model(ids, use_cache=False)
    return found


def _keep(
    found: dict[int, Tensor], layer: int, shape: torch.Size, _module: nn.Module, *seen: Any
) -> None:
    """Keep the first value of what enters or leaves a module; OPT's joins batch and position."""
    value = seen[-1]
    while not isinstance(value, Tensor):
        value = value[0]
    found[layer] = value.view(*shape, -1)


def _enough(*_: Any) -> None:
    raise _EnoughError
