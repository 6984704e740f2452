"""How far apart neighbouring values of a weight are in a quantised file.

A GGUF file stores whole numbers in blocks and, for each block, what one of them is worth. The step
is what gguf's own dequantisation adds when every stored number grows by one, so nothing is guessed
of scales, minima or superblocks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float, UInt8

from analysis.errors import UserError
from analysis.loading.gguf_file import open_gguf
from analysis.loading.gguf_model import placements

if TYPE_CHECKING:
    from transformers import PreTrainedModel

LOW_BITS = {
    "Q4_0": (2, 18, 0x11), "Q4_1": (4, 20, 0x11), "Q5_0": (6, 22, 0x11), "Q5_1": (8, 24, 0x11),
    "Q8_0": (2, 34, 0x01), "Q2_K": (16, 80, 0x55), "Q3_K": (32, 96, 0x55), "Q4_K": (16, 144, 0x11),
    "Q5_K": (48, 176, 0x11), "Q6_K": (0, 128, 0x11),
}  # fmt: skip
"""Where the lowest bits of a block's whole numbers lie, and the byte in which each of them is one.

The layouts are those of ggml-quants.c. Other formats have no step: they store floating-point
numbers, or places in a table of values that are not evenly spaced.
"""

UNQUANTISED = ("F32", "F16", "BF16")
"""Formats that are not quantised."""


@dataclass(frozen=True)
class Quantised:
    """One parameter that was quantised.

    Attributes:
        name: of the parameter.
        format: in which it is stored.
        step: of each weight, in its own units; None where the format has no step.
    """

    name: str
    format: str
    step: Float[torch.Tensor, "..."] | None


def quantised(gguf: Path, model: "PreTrainedModel") -> Iterator[Quantised]:
    """The quantised parameters of a model, with the steps that its file tells.

    Args:
        gguf: the file.
        model: its conversion.

    Raises:
        UserError: a parameter is not what the file's dequantisation makes of it.
    """
    file = open_gguf(gguf)
    parameters = dict(model.named_parameters())
    for tensor, place, arranged in placements(file, model.config):
        stored = file.tensors[tensor].tensor_type.name
        if stored in UNQUANTISED or place not in parameters:
            continue
        values = torch.from_numpy(arranged(file.values(tensor)).copy())
        weights = parameters[place].detach().cpu()
        if not torch.equal(values.to(weights.dtype), weights):
            raise UserError(f"{place} is not what {gguf.name} holds: convert the file again.")
        step = None
        if stored in LOW_BITS:
            steps = step_of(file.tensors[tensor].data, file.tensors[tensor].tensor_type)
            step = torch.from_numpy(arranged(steps).copy())
        yield Quantised(place, stored, step)


def step_of(data: UInt8[np.ndarray, "row byte"], stored: Any) -> Float[np.ndarray, "row column"]:
    """Of each weight of a stored tensor, what it grows by when its whole number grows by one.

    Args:
        data: the tensor's bytes.
        stored: its format, one of ``LOW_BITS``, as gguf names it.
    """
    from gguf import GGML_QUANT_SIZES, dequantize

    low, high, ones = LOW_BITS[stored.name]
    blocks = data.reshape(-1, GGML_QUANT_SIZES[stored][1])
    ends = []
    for pattern in (0, ones):
        filled = blocks.copy()
        filled[:, low:high] = pattern
        ends.append(dequantize(filled.reshape(1, -1), stored))
    return np.abs(ends[1] - ends[0]).reshape(len(data), -1)
