"""One pass over a corpus for every neuron, shard by shard, that can be taken up where it stopped.

It reads and tallies; files are its caller's (``scan_files``).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from analysis.engines.reading import NO_TOKEN, Reading, Window, batches, has_factors, read
from analysis.neuron import Neuron
from analysis.prompts import Contrast
from analysis.scanning.tallies import (
    Extremes,
    Moments,
    Quadrants,
    Records,
    Sample,
    place_of,
    priority,
)
from analysis.subject import Subject

WINDOW_TOKENS = 256
"""Tokens that are read at once, BOS not counted: no token sees more of its document."""

BATCH_TOKENS = WINDOW_TOKENS + 1
"""Tokens in a pass: of each, every neuron's activation is held some times over (1 MB in all for
46,080 neurons), so that the four windows of a usual batch would take a gigabyte."""

SHARD_WINDOWS = 48
"""Windows between two checkpoints, about 12,000 tokens."""

TOP = 10
"""How many highest and lowest activations of every neuron are kept."""

SAMPLE = 128
"""How many random tokens are kept with the activation of every neuron."""


@dataclass
class Scan:
    """What has been read so far.

    Attributes:
        windows: how many windows.
        moments: of every neuron, layers one after the other.
        highest: the highest activations of every neuron.
        lowest: the same of the activations with their sign turned.
        sample: every neuron on a uniform random sample of tokens.
        quadrants: the signs of every neuron's gate and up.
        records: every token, for the chosen neurons.
    """

    windows: int
    moments: Moments
    highest: Extremes
    lowest: Extremes
    sample: Sample
    quadrants: Quadrants
    records: Records

    @classmethod
    def empty(cls, neurons: int, chosen: int, gated: bool = False) -> "Scan":
        """Nothing read yet."""
        return cls(
            0,
            Moments.empty(neurons),
            Extremes.empty(neurons, TOP),
            Extremes.empty(neurons, TOP),
            Sample.empty(neurons),
            Quadrants.empty(neurons * gated),
            Records.empty(chosen, 2 * gated),
        )

    def merge(self, later: "Scan") -> None:
        """Take in the scan of a later part of the corpus."""
        self.windows += later.windows
        self.moments.merge(later.moments)
        self.highest.merge(later.highest)
        self.lowest.merge(later.lowest)
        self.sample.merge(later.sample, SAMPLE)
        self.quadrants.merge(later.quadrants)
        self.records.merge(later.records)

    def tensors(self) -> dict[str, Tensor]:
        """All that there is to save, by name."""
        saved = {"windows": torch.tensor(self.windows)}
        for part in fields(self)[1:]:
            for name, values in getattr(self, part.name).tensors().items():
                saved[f"{part.name}.{name}"] = values.contiguous()
        return saved

    @classmethod
    def restored(cls, saved: dict[str, Tensor]) -> "Scan":
        """The scan that was saved."""
        parts = {
            "moments": Moments,
            "highest": Extremes,
            "lowest": Extremes,
            "sample": Sample,
            "quadrants": Quadrants,
            "records": Records,
        }
        made = {
            part: kind(**{f.name: saved[f"{part}.{f.name}"] for f in fields(kind)})
            for part, kind in parts.items()
        }
        return cls(windows=int(saved["windows"]), **made)


def scan(
    subject: Subject,
    windows: Sequence[Window],
    chosen: Sequence[Neuron],
    contrast: Contrast,
    seed: int = 0,
    so_far: Scan | None = None,
) -> Iterator[Scan]:
    """Read windows and yield, after each shard, all that has been read so far.

    Args:
        subject: the model.
        windows: what to read, in order (``reading.windows``).
        chosen: neurons of which every token is recorded.
        contrast: target and foil, whose coming is recorded.
        seed: of the random sample of tokens.
        so_far: an earlier scan of the first windows, taken up where it stopped; it is changed.
    """
    so_far = so_far or started(subject, chosen)
    while so_far.windows < len(windows):
        shard = windows[so_far.windows : so_far.windows + SHARD_WINDOWS]
        for batch in batches(shard, BATCH_TOKENS):
            reading = read(subject, batch, range(subject.n_layers), factors=True)
            _take_in(so_far, subject, reading, batch, chosen, contrast, seed)
        yield so_far


def started(subject: Subject, chosen: Sequence[Neuron]) -> Scan:
    """A scan of a model that has read nothing yet."""
    return Scan.empty(subject.n_layers * subject.d_mlp, len(chosen), has_factors(subject))


def _take_in(
    scan: Scan,
    subject: Subject,
    reading: Reading,
    batch: tuple[Window, ...],
    chosen: Sequence[Neuron],
    contrast: Contrast,
    seed: int,
) -> None:
    """Tally one batch, every neuron of every layer, but for each window's first token.

    Models park their attention on the first token, which makes its activations unlike all others.
    """
    kept = reading.pos > 0
    layers = [reading.activations[layer][kept] for layer in range(subject.n_layers)]
    values = torch.cat(layers, 1).float()
    places = _places(subject, reading, batch)[kept.cpu()]
    scan.windows += len(batch)
    if len(values):
        scan.moments.merge(Moments.of(values))
        scan.highest.add(values, places[:, None])
        scan.lowest.add(-values, places[:, None])
        scan.sample.add(SAMPLE, priority(places, seed), places, values)
        for layer, gates in reading.gates.items():
            scan.quadrants.add(layer * subject.d_mlp, gates[kept], reading.ups[layer][kept])
        scan.records.merge(_records(reading, kept, places, chosen, contrast))


def _places(subject: Subject, reading: Reading, batch: tuple[Window, ...]) -> Tensor:
    """Where in the corpus every token stands."""
    starts = torch.tensor([place_of(window.document, window.start) for window in batch])
    return starts[reading.window.cpu()] + reading.pos.cpu() - int(subject.prepend_bos)


def _records(
    reading: Reading,
    kept: Tensor,
    places: Tensor,
    chosen: Sequence[Neuron],
    contrast: Contrast,
) -> Records:
    logits, following = reading.logits[kept], reading.following[kept]
    values = [reading.activations[n.layer][kept, n.number].float() for n in chosen]
    factors = [f[chosen[0].layer][kept, chosen[0].number].float() for f in _factors(reading)]
    return Records(
        place=places,
        activations=torch.stack(values, 1).cpu(),
        factors=torch.stack(factors, 1).cpu() if factors else torch.zeros(len(places), 0),
        p_target=(logits[:, contrast.target_id] - logits.logsumexp(-1)).exp().float().cpu(),
        logit_diff=(logits[:, contrast.target_id] - logits[:, contrast.foil_id]).float().cpu(),
        top_is_target=(logits.argmax(-1) == contrast.target_id).cpu(),
        next_is_target=(following == contrast.target_id).cpu(),
        next_is_foil=(following == contrast.foil_id).cpu(),
        next_is_known=(following != NO_TOKEN).cpu(),
    )


def _factors(reading: Reading) -> "list[dict[int, Tensor]]":
    """Gates and ups by layer, where there are any."""
    return [factor for factor in (reading.gates, reading.ups) if factor]
