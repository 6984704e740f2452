"""The scan by workers: each reads whole shards by itself, and one process merges them in order.

A shard is scanned as in one process and merged as there, so that both give the same bits where the
machines' arithmetic does.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor

from analysis.contrast import Contrast
from analysis.engines.reading import Window
from analysis.errors import UserError
from analysis.neuron import Neuron
from analysis.scanning.scan import Scan, scan, shards, started
from analysis.scanning.scan_files import model_key
from analysis.subject import Subject
from analysis.workers import Each


def checked(load: Callable[[], Subject], key: dict[str, Any]) -> Subject:
    """The model, where a worker loads it.

    Raises:
        UserError: it cannot be loaded, or is not what the scan is of.
    """
    subject = load()
    for name, value in model_key(subject).items():
        if value != key[name]:
            raise UserError(
                f"A worker has another {name} than this process ({value}, not {key[name]}): "
                "install the same version and the same model everywhere."
            )
    return subject


@dataclass(frozen=True)
class Workers:
    """An engine of the scan: ``scan`` is what ``scan.scan`` is, with every shard read by a worker.

    Attributes:
        each: hands the shards to the workers.
    """

    each: Each

    def scan(
        self,
        subject: Subject,
        windows: Iterable[Window],
        chosen: Sequence[Neuron],
        contrast: Contrast | None,
        seed: int = 0,
        so_far: Scan | None = None,
    ) -> Iterator[Scan]:
        """What ``scan.scan`` yields.

        Raises:
            UserError: a worker cannot load the model, cannot scan with it, or died too often.
        """
        so_far = so_far or started(subject, chosen)
        asked = chosen, contrast, seed
        for done in self.each(partial(_scanned, asked), shards(subject, windows, so_far)):
            so_far.merge(Scan.restored(done))
            yield so_far


def _scanned(
    asked: tuple[Any, ...], model: Callable[[], Subject], shard: Sequence[Window]
) -> dict[str, Tensor]:
    """The scan of one shard by itself."""
    (done,) = scan(model(), shard, *asked)
    return done.tensors()
