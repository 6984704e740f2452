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

WHOLE = ("F32", "F16", "BF16")
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
    from gguf import GGUFReader
    from transformers import modeling_gguf_pytorch_utils as conversion

    reader = GGUFReader(gguf)
    family = str(conversion.read_field(reader, "general.architecture")[0])
    kind = conversion.TENSOR_PROCESSORS.get(family, conversion.TensorProcessor)
    processor = kind(config=model.config.to_dict())
    names = conversion.get_gguf_hf_weights_map(model, processor)
    parameters = dict(model.named_parameters())
    for tensor in reader.tensors:
        name, stored = names.get(tensor.name), tensor.tensor_type.name
        if stored in WHOLE or name not in parameters:
            continue
        values = _arranged(processor, tensor.name, _values(tensor))
        weights = parameters[name].detach().cpu()
        if not torch.equal(values.to(weights.dtype), weights):
            raise UserError(f"{name} is not what {gguf.name} holds: convert the file again.")
        step = None
        if stored in LOW_BITS:
            step = _arranged(processor, tensor.name, step_of(tensor.data, tensor.tensor_type))
        yield Quantised(name, stored, step)


def _values(tensor: Any) -> Float[np.ndarray, "row column"]:
    """The weights of a stored tensor; as one row, since gguf works off 16 rows at a time."""
    from gguf import dequantize

    data = tensor.data
    values: np.ndarray = dequantize(data.reshape(1, -1), tensor.tensor_type)
    return values.reshape(len(data), -1)


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


def _arranged(processor: Any, name: str, values: np.ndarray) -> torch.Tensor:
    """Values in the order in which transformers keeps them."""
    return torch.from_numpy(np.ascontiguousarray(processor.process(values, name).weights))
