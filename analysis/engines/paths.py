"""What a change at the last position does to every later head, MLP and neuron, many at once.

The tail's blocks are run with their component outputs watched. In a *frozen* run every component
reads the unpatched residual plus the change and nothing else, because what the components before it
answer is put back to the unpatched run's output: one pass gives every single path. In a *full* run
all answers are passed on.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from analysis.engines.tail import Tail
from analysis.subject import Subject


@dataclass(frozen=True)
class Passage:
    """What every run came to: the unpatched one, then each changed one.

    Attributes:
        resid: final residual.
        z: every later head's ``z``, before its output weights.
        activations: every later neuron's activation.
    """

    resid: Float[Tensor, "run d_model"]
    z: Float[Tensor, "run later head d_head"]
    activations: Float[Tensor, "run later d_mlp"]

    @property
    def base(self) -> Float[Tensor, " d_model"]:
        """Final residual of the unpatched run."""
        return self.resid[0]

    @property
    def finals(self) -> Float[Tensor, "change d_model"]:
        """Final residual of each changed run."""
        return self.resid[1:]


class Paths(Tail):
    """One prompt's last position, taken up behind any layer with its residual changed.

    Keys and values of all positions before the last are the unpatched run's, since nothing that is
    changed at the last position reaches them.

    Args:
        subject: the model.
        tokens: the unpatched prompt.
    """

    def __init__(self, subject: Subject, tokens: tuple[int, ...]) -> None:
        super().__init__(subject, tokens, len(tokens) - 1)

    @torch.inference_mode()
    def run(
        self,
        layer: int,
        resid: Float[Tensor, " d_model"],
        changes: Float[Tensor, "change d_model"],
        frozen: bool,
    ) -> Passage:
        """Send the residual that leaves a layer to the end, once as it is and once a change.

        Args:
            layer: the layer it leaves.
            resid: the unpatched residual there.
            changes: what is added to it.
            frozen: whether all later components' answers are put back to the unpatched run's
                before the next component reads them, so that the final residual keeps the change
                alone and ``z`` and ``activations`` are those of single paths (path patching:
                Goldowsky-Dill et al., "Localizing Model Behavior with Path Patching", 2023).
        """
        rows = torch.cat([resid[None], resid + changes])[:, None]
        z, activations = [], []
        for later in range(layer + 1, self.subject.n_layers):
            with self._watched(later, frozen) as seen:
                rows = self._step(rows, later)
            z.append(seen["z"])
            activations.append(seen["activations"])
        d_mlp, d_model = self.subject.d_mlp, self.subject.d_model
        heads = int(self.subject.config.num_attention_heads)
        return Passage(
            resid=rows[:, 0],
            z=rearrange(_stacked(z, rows, d_model), "run later (h d) -> run later h d", h=heads),
            activations=_stacked(activations, rows, d_mlp),
        )

    @contextmanager
    def _watched(self, layer: int, frozen: bool) -> Iterator[dict[str, Tensor]]:
        """Record what enters the two output projections of a block; if frozen, mend what leaves."""
        seen: dict[str, Tensor] = {}
        block, family = self._blocks[layer], self.subject.family
        with ExitStack() as hooks:
            for name, watch in (("z", family.heads), ("activations", family.activations)):
                hooks.enter_context(watch(block, partial(_see, seen, name, frozen)))
            yield seen


def _see(seen: dict[str, Tensor], name: str, frozen: bool, entering: Tensor) -> Tensor | None:
    """Keep what enters; if frozen, every row goes on as the unpatched run's, which stands first."""
    seen[name] = entering
    return entering[:1].expand_as(entering).contiguous() if frozen else None


def _stacked(layers: list[Tensor], rows: Tensor, width: int) -> Float[Tensor, "run later _"]:
    """What was seen at the last position, layer by layer; nothing behind the last layer."""
    if not layers:
        return rows.new_zeros(len(rows), 0, width)
    return torch.stack([layer[:, -1] for layer in layers], 1)
