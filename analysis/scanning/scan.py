"""One pass over a corpus for every neuron, shard by shard, that can be taken up where it stopped.

It reads and tallies; files are its caller's (``scan_files``).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from analysis.contrast import Contrast
from analysis.engines.reading import NO_TOKEN, Reading, Window, batches, read
from analysis.neuron import Neuron
from analysis.scanning.tallies import Extremes, Moments, Records, Sample, place_of, priority
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
        records: every token, for the chosen neurons.
    """

    windows: int
    moments: Moments
    highest: Extremes
    lowest: Extremes
    sample: Sample
    records: Records

    @classmethod
    def empty(cls, neurons: int, chosen: int) -> "Scan":
        """Nothing read yet."""
        return cls(
            0,
            Moments.empty(neurons),
            Extremes.empty(neurons, TOP),
            Extremes.empty(neurons, TOP),
            Sample.empty(neurons),
            Records.empty(chosen),
        )

    def merge(self, later: "Scan") -> None:
        """Take in the scan of a later part of the corpus."""
        self.windows += later.windows
        self.moments.merge(later.moments)
        self.highest.merge(later.highest)
        self.lowest.merge(later.lowest)
        self.sample.merge(later.sample, SAMPLE)
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
    so_far = so_far or Scan.empty(subject.n_layers * subject.d_mlp, len(chosen))
    while so_far.windows < len(windows):
        shard = windows[so_far.windows : so_far.windows + SHARD_WINDOWS]
        for batch in batches(shard, BATCH_TOKENS):
            reading = read(subject, batch, range(subject.n_layers))
            _take_in(so_far, subject, reading, batch, chosen, contrast, seed)
        yield so_far


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
        scan.records.merge(_records(reading, kept, batch, chosen, contrast))


def _places(subject: Subject, reading: Reading, batch: tuple[Window, ...]) -> Tensor:
    """Where in the corpus every token stands."""
    starts = torch.tensor([place_of(window.document, window.start) for window in batch])
    return starts[reading.window.cpu()] + reading.pos.cpu() - int(subject.prepend_bos)


def _records(
    reading: Reading,
    kept: Tensor,
    batch: tuple[Window, ...],
    chosen: Sequence[Neuron],
    contrast: Contrast,
) -> Records:
    documents = torch.tensor([window.document for window in batch])
    logits, following = reading.logits[kept], reading.following[kept]
    values = [reading.activations[n.layer][kept, n.number].float() for n in chosen]
    return Records(
        document=documents[reading.window[kept].cpu()],
        activations=torch.stack(values, 1).cpu(),
        p_target=(contrast.logits(logits)[0] - logits.logsumexp(-1)).exp().float().cpu(),
        logit_diff=contrast.of(logits).float().cpu(),
        top_is_target=contrast.is_target(logits.argmax(-1)).cpu(),
        next_is_target=contrast.is_target(following).cpu(),
        next_is_foil=contrast.is_foil(following).cpu(),
        next_is_known=(following != NO_TOKEN).cpu(),
    )
