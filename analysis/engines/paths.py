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
    """How far some changes carried, against the unpatched run.

    Attributes:
        base: final residual of the unpatched run.
        finals: final residual of each changed run.
        z: change of every later head's ``z``, before its output weights.
        activations: change of every later neuron's activation.
    """

    base: Float[Tensor, " d_model"]
    finals: Float[Tensor, "change d_model"]
    z: Float[Tensor, "change later head d_head"]
    activations: Float[Tensor, "change later d_mlp"]


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
            base=rows[0, 0],
            finals=rows[1:, 0],
            z=rearrange(
                _against_first(z, rows, d_model), "row later (h d) -> row later h d", h=heads
            ),
            activations=_against_first(activations, rows, d_mlp),
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


def _against_first(layers: list[Tensor], rows: Tensor, width: int) -> Float[Tensor, "row later _"]:
    """What each changed row has more than the first, layer by layer; none behind the last."""
    if not layers:
        return rows.new_zeros(len(rows) - 1, 0, width)
    values = torch.stack([layer[:, -1] for layer in layers], 1)
    return values[1:] - values[:1]
