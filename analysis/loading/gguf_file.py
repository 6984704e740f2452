"""A GGUF file as it lies on disk: settings and tensors, each to be understood or refused.

What llama.cpp reads of a file are the keys under its architecture's name and under ``tokenizer``;
all others (``general``, ``quantize``, those of whoever wrote the file) change no number.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.errors import UserError, first_line

if TYPE_CHECKING:
    import numpy as np
    from gguf import ReaderTensor

QUANTISATIONS = frozenset(
    (
        *("F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"),
        *("Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"),
        *("IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "IQ4_NL", "IQ4_XS"),
    )
)
"""Types of tensors that are expanded to float32."""


class Settings:
    """Keys of one section with their values; what nobody asked for was not understood."""

    def __init__(self, path: Path, section: str, values: Mapping[str, Any]) -> None:
        self._path, self._section, self._left = path, section, dict(values)

    def __contains__(self, key: str) -> bool:
        """Whether the key is there and not asked for yet."""
        return key in self._left

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key; one number for all layers where each has the same."""
        value = self._left.pop(key, default)
        if isinstance(value, list) and value and value.count(value[0]) == len(value):
            return value[0]
        return value

    def peek(self, key: str) -> Any:
        """The value of a key that will be asked for again."""
        return self._left.get(key)

    def array(self, key: str) -> list[Any]:
        """The values of a key that holds many; none where it is missing."""
        return list(self._left.pop(key, []))

    def need(self, key: str) -> Any:
        """The value of a key without which nothing can be computed.

        Raises:
            UserError: it is missing, or differs between layers.
        """
        value = self.get(key)
        if value is None or isinstance(value, list):
            how = "lacks" if value is None else "has, layer by layer, another"
            raise UserError(f"{self._path} {how} {self._section}.{key}, so it is refused.")
        return value

    def expect(self, key: str, *allowed: Any) -> None:
        """Take note of a key that may only have certain values, if it is there.

        Raises:
            UserError: it has another.
        """
        if key in self and (value := self.get(key)) not in allowed:
            raise UserError(
                f"{self._path} says {self._section}.{key} = {value}, which is not supported here."
            )

    def check_all_understood(self, harmless: Iterable[str] = ()) -> None:
        """Refuse what would change the computation in a way that is not known here.

        Args:
            harmless: endings of keys that change nothing.

        Raises:
            UserError: names the key.
        """
        for key, value in self._left.items():
            if not key.endswith(tuple(harmless)):
                shown = value if isinstance(value, str | int | float) else "..."
                raise UserError(
                    f"{self._path} says {self._section}.{key} = {str(shown)[:40]}, which is not"
                    " understood here, so the file is refused."
                )


@dataclass(frozen=True)
class GgufFile:
    """What a GGUF file holds.

    Attributes:
        path: the file.
        architecture: llama.cpp's name of it.
        model: settings of the architecture.
        tokenizer: settings of the tokenizer.
        tensors: by their names.
    """

    path: Path
    architecture: str
    model: Settings
    tokenizer: Settings
    tensors: "Mapping[str, ReaderTensor]"

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor, rows first."""
        return tuple(int(size) for size in reversed(self.tensors[name].shape))

    def values(self, name: str) -> "np.ndarray":
        """A tensor as float32; given as one row, since gguf works off 16 rows at a time."""
        from gguf import dequantize

        tensor = self.tensors[name]
        values: np.ndarray = dequantize(tensor.data.reshape(1, -1), tensor.tensor_type)
        return values.reshape(self.shape(name))


def open_gguf(path: Path) -> GgufFile:
    """Read settings and the table of tensors; no tensor is expanded yet.

    Raises:
        UserError: the file is damaged, one part of several, no language model by itself, or holds
            a tensor of a type that cannot be expanded.
    """
    from gguf import GGUFReader

    try:
        reader = GGUFReader(path)
        fields = {name: field.contents() for name, field in reader.fields.items()}
        architecture = str(fields["general.architecture"])
        tensors = {tensor.name: tensor for tensor in reader.tensors}
    except Exception as error:
        reason = first_line(error)
        raise UserError(f"{path} cannot be read as a GGUF language model ({reason}).") from error
    _check_whole(path, fields)
    for name, tensor in tensors.items():
        if tensor.tensor_type.name not in QUANTISATIONS:
            raise UserError(
                f"{path} holds {name} as {tensor.tensor_type.name}, which cannot be expanded here:"
                " give a file of another quantisation, such as Q8_0 or Q4_K_M."
            )
    return GgufFile(
        path,
        architecture,
        Settings(path, architecture, _section(fields, architecture)),
        Settings(path, "tokenizer", _section(fields, "tokenizer")),
        tensors,
    )


def _section(fields: Mapping[str, Any], name: str) -> dict[str, Any]:
    start = f"{name}."
    return {key.removeprefix(start): v for key, v in fields.items() if key.startswith(start)}


def _check_whole(path: Path, fields: Mapping[str, Any]) -> None:
    shards = int(fields.get("split.count") or 1)
    if shards > 1:
        raise UserError(
            f"{path} is one of {shards} parts of a split file: join them with"
            " `llama-gguf-split --merge`."
        )
    kind = fields.get("general.type", "model")
    if kind != "model" or any(key.startswith("adapter.") for key in fields):
        raise UserError(f"{path} holds a part of a model ({kind}): give the whole model's file.")
