"""One pass over a corpus for every neuron, shard by shard, that can be taken up where it stopped.

It reads and tallies; files are its caller's (``scan_files``).
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import islice

import torch
from jaxtyping import Float
from torch import Tensor

from analysis.contrast import Contrast
from analysis.engines.reading import NO_TOKEN, Reading, Window, batches, has_factors, read
from analysis.neuron import Neuron
from analysis.scanning.extremes import Extremes, add_both
from analysis.scanning.tallies import CPU, Moments, Quadrants, Records, Sample, place_of, priority
from analysis.subject import Subject

WINDOW_TOKENS = 256
"""Tokens that are read at once, BOS not counted: no token sees more of its document."""

BATCH_TOKENS = WINDOW_TOKENS + 1
"""Tokens in a pass. From about 250 on a token costs least (measured on a processor: 4.9 ms at 32
tokens, 3.7 at 64, 3.1 at 256, 3.3 at 1,028), and logits of no more need be held."""

CACHED_ROWS = 8
"""Tokens whose logits are added up at once."""

SHARD_WINDOWS = 48
"""Windows between two checkpoints, about 12,000 tokens on a processor."""

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

    def move(self, device: torch.device) -> None:
        """Go on there."""
        for part in fields(self)[1:]:
            getattr(self, part.name).move(device)

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


Engine = Callable[
    [Subject, Iterable[Window], Sequence[Neuron], Contrast | None, int, Scan | None], Iterator[Scan]
]
"""What reads windows and yields, after each shard, all that has been read: ``scan`` in this
process, ``on_ray`` in others."""


def scan(
    subject: Subject,
    windows: Iterable[Window],
    chosen: Sequence[Neuron],
    contrast: Contrast | None,
    seed: int = 0,
    so_far: Scan | None = None,
    layers: Collection[int] | None = None,
) -> Iterator[Scan]:
    """Read windows and yield, after each shard, all that has been read so far.

    Args:
        subject: the model.
        windows: what to read, in order (``reading.windows``).
        chosen: neurons of which every token is recorded.
        contrast: target and foil, whose coming is recorded; without them nothing is recorded, and
            no logits are computed.
        seed: of the random sample of tokens.
        so_far: an earlier scan of the first windows, taken up where it stopped; it is changed.
        layers: whose neurons are tallied, those of the chosen among them; by itself all. Of other
            neurons nothing is known then, and the pass takes less time.
    """
    so_far = so_far or started(subject, chosen)
    wanted = range(subject.n_layers) if layers is None else layers
    for shard in shards(subject, windows, so_far):
        so_far.move(tallied_on(subject))
        _Shard(so_far, subject, shard, seed).take_in(chosen, contrast, wanted)
        so_far.move(CPU)
        yield so_far


def tallied_on(subject: Subject) -> torch.device:
    """Where tallies are while a shard is read: with the model, if there are doubles."""
    return subject.device if subject.device.type == "cuda" else CPU


def shards(subject: Subject, windows: Iterable[Window], so_far: Scan) -> Iterator[list[Window]]:
    """The windows behind those that have been read, in shards; no more than one is held."""
    rest = islice(windows, so_far.windows, None)
    while shard := list(
        islice(rest, subject.arithmetic.tokens_a_pass(SHARD_WINDOWS, subject.d_mlp))
    ):
        yield shard


def started(subject: Subject, chosen: Sequence[Neuron]) -> Scan:
    """A scan of a model that has read nothing yet."""
    return Scan.empty(subject.n_layers * subject.d_mlp, len(chosen), has_factors(subject))


class _Shard:
    """Some windows on their way into a scan: every neuron, but for each window's first token.

    Models park their attention on the first token, which makes its activations unlike all others.
    Windows of like lengths share a pass, so that little is padded. Each layer is tallied as the
    pass goes through it, while its activations are still in the processor's cache. Moments, in
    whose sums the order counts, are those of the shard by itself until it ends: a shard that is
    scanned elsewhere and merged gives the same bits.
    """

    def __init__(self, scan: Scan, subject: Subject, windows: Sequence[Window], seed: int) -> None:
        self.scan, self.subject, self.seed = scan, subject, seed
        self.device = scan.moments.mean.device
        self.moments = Moments.empty(len(scan.moments.mean), self.device)
        self.windows = sorted(enumerate(windows), key=lambda each: -len(each[1].tokens))
        places = torch.cat([_places(subject, window) for window in windows]).to(self.device)
        self.last = scan.sample.limit(SAMPLE, priority(places, seed)) if len(places) else -1

    def take_in(
        self, chosen: Sequence[Neuron], contrast: Contrast | None, layers: Collection[int]
    ) -> None:
        """Read all windows, the longest first; records keep the windows' own order."""
        recorded: list[tuple[int, Records]] = []
        sampled: list[tuple[Tensor, Tensor]] = []
        waiting = iter(self.windows)
        width = self.subject.d_mlp if contrast is None else self.subject.d_vocab
        most = self.subject.arithmetic.tokens_a_pass(BATCH_TOKENS, width)
        for batch in batches((window for _, window in self.windows), most):
            numbers = [next(waiting)[0] for _ in batch]
            tally = _Tally(self, batch, chosen)
            reading = tally.read(layers, logits=contrast is not None)
            sampled.append((tally.places[tally.rows], tally.sampled))
            if contrast is not None:
                pieces = _records(reading, tally, contrast)
                recorded += zip(numbers, pieces, strict=True)
        self.scan.moments.merge(self.moments)
        self.scan.records.merge(*(piece for _, piece in sorted(recorded, key=lambda r: r[0])))
        places, values = map(torch.cat, zip(*sampled, strict=True))
        self.scan.sample.add(SAMPLE, priority(places, self.seed), places, values)
        self.scan.windows += len(self.windows)


class _Tally:
    """One batch on its way into a scan, layer after layer.

    Attributes:
        places: where in the corpus each token stands, first tokens left out.
        rows: those of them that go into the random sample.
        sampled: every neuron's activation on these.
        values: the chosen neurons' on all.
        factors: gate and up of the first of these; no columns where it is not gated.
    """

    def __init__(self, shard: _Shard, batch: tuple[Window, ...], chosen: Sequence[Neuron]) -> None:
        self.shard, self.scan, self.subject = shard, shard.scan, shard.subject
        self.batch, self.chosen = batch, chosen
        here = shard.device
        self.places = torch.cat([_places(self.subject, window) for window in batch]).to(here)
        self.kept = _behind_first(batch, self.subject.device)
        self.rows = (priority(self.places, shard.seed) <= shard.last).nonzero()[:, 0]
        neurons = len(self.scan.moments.mean)
        self.sampled = torch.zeros((len(self.rows), neurons), device=here)
        self.values = torch.zeros((len(self.places), len(chosen)), device=here)
        factors = 2 * has_factors(self.subject)
        self.factors = torch.zeros((len(self.places), factors), device=here)
        self.moments = Moments.empty(neurons, here)

    def read(self, layers: Collection[int], logits: bool) -> Reading:
        """Pass the batch through the model, and take in what it does in some layers."""
        reading = read(
            self.subject, self.batch, layers, factors=True, tell=self.tell, logits=logits
        )
        self.subject.finite(self.moments.deviation, "activations")
        self.shard.moments.merge(self.moments)
        return reading

    def tell(
        self,
        layer: int,
        activations: Float[Tensor, "token d_mlp"],
        gates: Float[Tensor, "token d_mlp"] | None,
        ups: Float[Tensor, "token d_mlp"] | None,
    ) -> None:
        """Take in one layer."""
        own, here = activations[self.kept].float(), self.shard.device
        if not len(own):
            return
        at = slice(layer * own.shape[1], (layer + 1) * own.shape[1])
        self.moments.fill(at, own)
        add_both(self.scan.highest.part(at), self.scan.lowest.part(at), own, self.places)
        self.sampled[:, at] = own[self.rows.to(own.device)].to(here)
        for column, neuron in enumerate(self.chosen):
            if neuron.layer == layer:
                self.values[:, column] = own[:, neuron.number].to(here)
        if gates is not None and ups is not None:
            self._factors(layer, gates[self.kept], ups[self.kept])

    def _factors(
        self, layer: int, gates: Float[Tensor, "token d_mlp"], ups: Float[Tensor, "token d_mlp"]
    ) -> None:
        """Take in what the activations of a layer are products of."""
        self.scan.quadrants.add(layer * gates.shape[1], gates, ups)
        for first in self.chosen[:1]:
            if first.layer == layer:
                both = gates[:, first.number], ups[:, first.number]
                self.factors[:] = torch.stack(both, 1).to(self.factors)


def _places(subject: Subject, window: Window) -> Tensor:
    """Where in the corpus every token of a window stands, but its first."""
    first = place_of(window.document, window.start) - int(subject.prepend_bos)
    return torch.arange(first + 1, first + len(window.tokens))


def _behind_first(batch: Sequence[Window], device: torch.device) -> slice | Tensor:
    """What chooses all rows of a batch but each window's first."""
    if len(batch) == 1:
        return slice(1, None)  # copies nothing
    behind = torch.cat([torch.arange(len(window.tokens)) > 0 for window in batch])
    return behind.nonzero()[:, 0].to(device)


def _records(reading: Reading, tally: _Tally, contrast: Contrast) -> Iterator[Records]:
    """What is recorded of each window, its first token left out."""
    lengths = [len(window.tokens) for window in tally.batch]
    target, foil = contrast.logits(reading.logits)
    total = _logsumexp(
        reading.logits, tally.subject.arithmetic.tokens_a_pass(CACHED_ROWS, tally.subject.d_vocab)
    )
    after = reading.following
    of_tokens = (
        (target - total).exp(),
        target - foil,
        contrast.is_target(reading.logits.argmax(-1)),
        contrast.is_target(after),
        contrast.is_foil(after),
        after != NO_TOKEN,
    )
    shorter = [length - 1 for length in lengths]
    of_rows = tally.places, tally.values, tally.factors
    parts = [torch.split(each.cpu(), shorter) for each in of_rows]
    parts += [torch.split(each[tally.kept].cpu(), shorter) for each in of_tokens]
    return (Records(*each) for each in zip(*parts, strict=True))


def _logsumexp(logits: Float[Tensor, "token d_vocab"], rows: int) -> Float[Tensor, " token"]:
    """Of each row; a few rows at once stay in the processor's cache."""
    return torch.cat([some.logsumexp(-1) for some in torch.split(logits, rows)])
