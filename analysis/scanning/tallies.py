"""What a corpus scan keeps of what it has read: tallies that can be merged, and saved whole.

They hold tensors, on a processor or on the GPU that reads. A corpus read in two halves and merged,
the earlier one first, gives what one pass gives.
"""

from dataclasses import dataclass, fields

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

CPU = torch.device("cpu")

POSITION_BITS = 24
"""A place in a corpus is one number: document, then position in these many bits."""


def place_of(document: int, position: int) -> int:
    """One number for a position of a document; places sort as the corpus is read."""
    return (document << POSITION_BITS) + position


def document_and_position(place: int) -> tuple[int, int]:
    """The document and the position that a place stands for."""
    return place >> POSITION_BITS, place & ((1 << POSITION_BITS) - 1)


@dataclass
class Tally:
    """Named tensors."""

    def tensors(self) -> dict[str, Tensor]:
        """All that there is to save."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def move(self, device: torch.device) -> None:
        """Go on there."""
        for name, values in self.tensors().items():
            setattr(self, name, values.to(device))


@dataclass
class Moments(Tally):
    """Count, mean and summed squared deviation of every neuron, merged pairwise."""

    # Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample
    # variances", 1979.
    count: Int[Tensor, ""]
    mean: Float[Tensor, " neuron"]
    deviation: Float[Tensor, " neuron"]

    @classmethod
    def empty(cls, neurons: int, device: torch.device = CPU) -> "Moments":
        """Nothing seen yet."""
        zeros = torch.zeros(neurons, dtype=torch.float64, device=device)
        return cls(torch.tensor(0), zeros, zeros.clone())

    def fill(self, neurons: slice, values: Float[Tensor, "token neuron"]) -> None:
        """Put in one batch of some neurons, all of whose are filled with the same tokens."""
        self.count = torch.tensor(len(values))
        where = self.mean.device  # where there are doubles, which not every GPU knows
        mean, deviation = _moments(values)
        self.mean[neurons] = mean.to(where).double()
        self.deviation[neurons] = deviation.to(where).double()

    def merge(self, later: "Moments") -> None:
        """Count another part of the corpus too."""
        total = int(self.count + later.count)
        if total == 0:
            return
        shift = later.mean - self.mean
        weight = int(later.count) / total
        self.deviation += later.deviation + shift**2 * int(self.count) * weight
        self.mean += shift * weight
        self.count += later.count

    @property
    def variance(self) -> Float[Tensor, " neuron"]:
        """Variance over all tokens seen."""
        return self.deviation / self.count.clamp_min(1)


def _moments(
    values: Float[Tensor, "token neuron"],
) -> tuple[Float[Tensor, " neuron"], Float[Tensor, " neuron"]]:
    """Mean and summed squared deviation: on a GPU in one pass, which is slow on a processor."""
    if values.is_cuda:
        variance, mean = torch.var_mean(values, 0, correction=0)
        return mean, variance * len(values)
    mean = values.mean(0)
    return mean, (values - mean).square_().sum(0)


@dataclass
class Sample(Tally):
    """A uniform random sample of tokens, with every neuron's activation on each."""

    # Kept are the lowest hashes of places, however the corpus is cut: bottom-k sampling (Cohen and
    # Kaplan, 2007).
    priorities: Int[Tensor, " sample"]
    places: Int[Tensor, " sample"]
    values: Float[Tensor, "sample neuron"]

    @classmethod
    def empty(cls, neurons: int) -> "Sample":
        """Nothing drawn yet."""
        none = torch.zeros(0, dtype=torch.long)
        return cls(none, none.clone(), torch.zeros(0, neurons))

    def limit(self, size: int, priorities: Int[Tensor, " row"]) -> int:
        """The highest priority that is kept of these and those kept."""
        return int(torch.cat([self.priorities, priorities]).sort().values[:size][-1])

    def add(
        self,
        size: int,
        priorities: Int[Tensor, " row"],
        places: Int[Tensor, " row"],
        values: Float[Tensor, "row neuron"],
    ) -> None:
        """Keep the ``size`` tokens of lowest priority among those kept and these."""
        full = len(self.priorities) >= size
        limit = int(self.priorities[size - 1]) if full else torch.iinfo(torch.long).max
        rows = (priorities < limit).nonzero()[:, 0]
        merged = torch.cat([self.priorities, priorities[rows]]).sort(stable=True)
        keep = merged.indices[:size]
        self.priorities = merged.values[:size]
        self.places = torch.cat([self.places, places[rows]])[keep]
        self.values = torch.cat([self.values, values[rows]])[keep]

    def merge(self, later: "Sample", size: int) -> None:
        """Take in the sample of another part of the corpus."""
        self.add(size, later.priorities, later.places, later.values)


@dataclass
class Quadrants(Tally):
    """On how many tokens gate and up of every neuron have which signs (``quadrant``), if gated."""

    count: Int[Tensor, "quadrant neuron"]

    @classmethod
    def empty(cls, neurons: int) -> "Quadrants":
        """Nothing seen yet."""
        return cls(torch.zeros(4, neurons, dtype=torch.long))

    def add(
        self, first: int, gates: Float[Tensor, "row some"], ups: Float[Tensor, "row some"]
    ) -> None:
        """Count tokens of another part of the corpus, for the neurons from ``first`` on."""
        below = [
            torch.lt(each, 0, out=torch.empty_like(each, dtype=torch.float32))  # sums are faster so
            for each in (gates, ups)
        ]
        gate, up, both = (each.sum(0).long() for each in (*below, below[0] * below[1]))
        found = torch.stack([len(gates) - gate - up + both, up - both, gate - both, both])
        self.count[:, first : first + found.shape[1]] += found.to(self.count.device)

    def merge(self, later: "Quadrants") -> None:
        """Count those that were counted elsewhere."""
        self.count += later.count


def quadrant(gate: Float[Tensor, "*row"], up: Float[Tensor, "*row"]) -> Int[Tensor, "*row"]:
    """By the signs of gate and up: 0 for + +, 1 for + -, 2 for - +, 3 for - -; zero counts as +."""
    return 2 * (gate < 0).to(torch.int8) + (up < 0).to(torch.int8)


@dataclass
class Records(Tally):
    """Every token, for a few chosen neurons."""

    place: Int[Tensor, " token"]  # where in the corpus it stands
    activations: Float[Tensor, "token chosen"]  # of the chosen neurons
    factors: Float[Tensor, "token factor"]  # gate and up of the first; no columns if not gated
    p_target: Float[Tensor, " token"]  # probability of the target as the next token
    logit_diff: Float[Tensor, " token"]  # logit(target) - logit(foil)
    top_is_target: Bool[Tensor, " token"]  # whether the model's first choice is the target
    next_is_target: Bool[Tensor, " token"]  # whether the text's own next token is the target
    next_is_foil: Bool[Tensor, " token"]  # whether it is the foil
    next_is_known: Bool[Tensor, " token"]  # whether the window holds a next token

    @classmethod
    def empty(cls, chosen: int, factors: int = 0) -> "Records":
        """Nothing seen yet."""
        none, no = torch.zeros(0), torch.zeros(0, dtype=torch.bool)
        return cls(
            torch.zeros(0, dtype=torch.long),
            torch.zeros(0, chosen),
            torch.zeros(0, factors),
            none,
            none.clone(),
            no,
            no.clone(),
            no.clone(),
            no.clone(),
        )

    def move(self, device: torch.device) -> None:
        """They are few, and stay on the processor."""

    @property
    def document(self) -> Int[Tensor, " token"]:
        """Number of the document that each token stands in."""
        return self.place >> POSITION_BITS

    def merge(self, *later: "Records") -> None:
        """Append the tokens of later parts of the corpus."""
        for field in fields(self):
            parts = [getattr(each, field.name) for each in (self, *later)]
            setattr(self, field.name, torch.cat(parts))


def priority(places: Int[Tensor, " row"], seed: int) -> Int[Tensor, " row"]:
    """A hash of places and seed: SplitMix64's finaliser (Steele, Lea and Flood, 2014), from 0."""
    state = places + _signed(seed * 0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        state = (state ^ _shifted(state, shift)) * _signed(factor)
    return (state ^ _shifted(state, 31)) & torch.iinfo(torch.long).max


def _signed(number: int) -> int:
    """The signed 64-bit integer with the same lowest bits."""
    number &= (1 << 64) - 1
    return number - (1 << 64) if number >= 1 << 63 else number


def _shifted(state: Tensor, by: int) -> Tensor:
    """Logical shift to the right; the built-in one would draw the sign in."""
    return (state >> by) & ((1 << (64 - by)) - 1)
