"""What both models did on the texts, kept until a transplant is done: a kill leaves it whole."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from analysis.code_version import code_version
from analysis.engines.ridge import Sums
from analysis.engines.transfer import Transfer
from analysis.experiments.transplant.texts import Text
from analysis.loading.assets import cache_root
from analysis.neuron import Neuron
from analysis.results import atomic
from analysis.subject import Subject

NAMES = [field.name for field in fields(Sums)]


@dataclass(frozen=True)
class Pair:
    """Donor and recipient of one neuron, and another neuron of the donor's layer."""

    donor: Subject
    neuron: Neuron
    other: Neuron
    recipient: Subject


def checkpoints() -> Path:
    """The folder of all that is kept until it is done."""
    return cache_root() / "transplants"


class Checkpoint:
    """The sums of each fold, a file each, written whole or not at all.

    Args:
        folder: where they are kept; None keeps nothing.
        pair: of whom they are.
        texts: over which.
        seed: of the draws.
    """

    def __init__(self, folder: Path | None, pair: Pair, texts: Sequence[Text], seed: int) -> None:
        models = [[m.origin.name, m.origin.revision] for m in (pair.donor, pair.recipient)]
        key = [models, str(pair.neuron), str(pair.other), [text.text for text in texts], seed]
        text = json.dumps(
            [*key, pair.donor.arithmetic.name, code_version("analysis.engines.transfer")]
        )
        self._folder, self._key = folder, hashlib.sha256(text.encode()).hexdigest()[:16]

    def load(self, fold: int) -> Transfer | None:
        """The sums that were saved; None where there are none, or none that can be read."""
        path = self._path(fold)
        if path is None or not path.is_file():
            return None
        try:
            with safe_open(path, framework="pt") as file:
                return _unpacked({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
        except (SafetensorError, OSError, KeyError):
            return None

    def save(self, fold: int, sums: Transfer) -> None:
        """Keep the sums of a fold; a disk that has no room keeps nothing, and harms nothing."""
        path = self._path(fold)
        if path is None:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic(path) as scratch:
                save_file(_packed(sums), scratch)
        except (SafetensorError, OSError):
            return

    def remove(self) -> None:
        """Let go of all folds."""
        if self._folder is not None:
            for path in self._folder.glob(f"{self._key}-*.safetensors"):
                path.unlink(missing_ok=True)

    def _path(self, fold: int) -> Path | None:
        return None if self._folder is None else self._folder / f"{self._key}-{fold}.safetensors"


def _packed(sums: Transfer) -> dict[str, Tensor]:
    groups = {"known": sums.known, "unknown": sums.unknown, "stream": [sums.stream]}
    return {
        f"{group}.{name}": torch.stack(
            [torch.as_tensor(getattr(each, name), dtype=torch.float64) for each in some]
        )
        for group, some in groups.items()
        for name in NAMES
    }


def _unpacked(tensors: dict[str, Tensor]) -> Transfer:
    def group(name: str) -> list[Sums]:
        rows = zip(*(tensors[f"{name}.{part}"] for part in NAMES), strict=True)
        return [Sums(a, b, c, d, float(count)) for a, b, c, d, count in rows]

    return Transfer(group("known"), group("unknown"), group("stream")[0])
