"""Whether hooks and exact engine say what the plain model says: asked once of every model.

Both run the model's weights by code of their own, and a configuration that this code does not know
would make every number wrong in silence.
"""

from collections.abc import Iterator, Mapping
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from analysis.engines.reading import Window, read
from analysis.engines.tail import Tail, disagreement, tolerance
from analysis.errors import UserError, first_line, lacks_memory
from analysis.subject import Subject

PROBE_TOKENS = 24
"""Enough for attention to have something to choose from, and for a pass to cost nothing."""


def check_twins(subject: Subject) -> bool:
    """Run one prompt through the plain model, its hooks and the exact engine, and compare.

    The prompt is made of tokens from all over the vocabulary: the comparison is about arithmetic.

    On another device than the processor, the plain model is held against itself on the processor.

    Returns:
        Whether the engine needs whole sequences, which is slower.

    Raises:
        UserError: they differ by more than rounding, or the model cannot be run or hooked at all.
    """
    count = min(PROBE_TOKENS, subject.context)
    tokens = tuple(torch.linspace(0, subject.d_vocab - 1, count).long().tolist())
    try:
        _check_device(subject, tokens)
        tail = Tail(subject, tokens, count // 2)
        for what, found, expected in _compared(subject, tokens, tail):
            _check_same(subject, what, found, expected)
    except UserError:
        raise
    except Exception as error:
        if lacks_memory(error):
            raise
        raise UserError(
            f"{subject.origin.name} cannot be studied: as a {subject.config.model_type} of its"
            f" configuration it cannot be hooked ({first_line(error)})."
        ) from error
    return tail.whole


def _check_device(subject: Subject, tokens: tuple[int, ...]) -> None:
    """Hold a device's logits against the processor's: kernels for young devices have had faults."""
    device = subject.device
    if device.type == "cpu":
        return
    found = subject.logits(tokens).cpu()
    subject.model.to("cpu")
    try:
        expected = subject.logits(tokens)
    finally:
        subject.model.to(device)
    if not (apart := disagreement(found, expected)) <= tolerance(subject):  # NaN is refused, too
        raise UserError(
            f"{subject.origin.name} is not computed rightly on {device.type}: its logits differ"
            f" from the processor's by {apart:.2g} of their spread: use --device cpu."
        )


def _check_same(subject: Subject, what: str, found: Tensor, expected: Tensor) -> None:
    apart = disagreement(found, expected)
    if not apart <= tolerance(subject):  # NaN is refused, too
        raise UserError(
            f"{subject.origin.name} is not computed rightly here: {what} differ from the plain"
            f" model's by {apart:.2g} of their spread, so its configuration holds something that is"
            " not supported, and no number of it is given."
        )


def _compared(
    subject: Subject, tokens: tuple[int, ...], tail: Tail
) -> Iterator[tuple[str, Float[Tensor, "..."], Float[Tensor, "..."]]]:
    """What is compared, as found by hooks or engine, and as the plain model has it."""
    names = ("hook_resid_pre", "hook_resid_post", "mlp.hook_post")
    plain = read(subject, (Window(0, 0, tokens),), range(subject.n_layers))
    activations = torch.stack([plain.activations[layer] for layer in range(subject.n_layers)])
    hooked = subject.cache(tokens, *names)
    yield "the hooked activations", hooked[names[2]], activations
    through = _read_out(subject, hooked[names[1]][-1])
    yield "the logits of the hooked residual stream", through, plain.logits
    suffix = hooked[names[0]][:1, tail.start :]
    resumed = tail.finals(lambda layer: suffix[: int(layer == 0)])
    yield "the logits of the resumed pass", _read_out(subject, resumed), plain.logits[-1:]
    yield ("the writes of single neurons", *_written(subject, hooked, tail))


@torch.inference_mode()
def _read_out(
    subject: Subject, resid: Float[Tensor, "pos d_model"]
) -> Float[Tensor, "pos d_vocab"]:
    """Logits of a final residual, in the way in which differences are read from it."""
    return subject.read_out.logits(subject.final_norm(resid))


@torch.inference_mode()
def _written(
    subject: Subject, hooked: Mapping[str, Tensor], tail: Tail
) -> tuple[Float[Tensor, "layer pos d_model"], Float[Tensor, "layer pos d_model"]]:
    """The residual behind each layer with its neurons moved, by their weights and by its block."""
    generator, found, expected = torch.Generator().manual_seed(0), [], []
    for layer in range(subject.n_layers):
        entering, leaving, own = (
            hooked[name][layer, tail.start :]
            for name in ("hook_resid_pre", "hook_resid_post", "mlp.hook_post")
        )
        change = torch.randn(own.shape, generator=generator).to(own)
        write = change @ subject.W_out(layer)
        loud = leaving.std() / write.std()  # as the residual, in which it would be lost else
        with tail.activations_changed(layer, partial(torch.add, loud * change)):
            expected.append(tail.everywhere(entering[None], layer - 1, layer)[0])
        before = subject.before_norm(layer, own)
        found.append(leaving + subject.added(layer, before, loud * write))
    return torch.stack(found), torch.stack(expected)
