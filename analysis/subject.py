"""Subject: a loaded model, its hooks, its tokenizer and its weights in the field's notation.

It does not know where models come from (``models``) nor what is asked of it (``question``).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from transformers.pytorch_utils import Conv1D

from analysis.arithmetic import Arithmetic
from analysis.errors import UserError
from analysis.family import Family, activation_of, part, share_weights
from analysis.neuron import Neuron
from analysis.norms import Norm, read_norm
from analysis.read_out import ReadOut, read_out
from analysis.vocabulary import Vocabulary

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge

USUAL_CONTEXT = 2048
"""Tokens that a model without a longest prompt is asked to read, as most of its time were."""


@dataclass(frozen=True)
class Origin:
    """Where a model came from: its name here, its source, and a commit hash or weight checksum.

    ``gguf`` is the file that it was converted from, where that is one that the user named.
    """

    name: str
    source: str
    revision: str
    gguf: Path | None = None


@dataclass(frozen=True, eq=False)
class Subject(Vocabulary):
    """A language model under study.

    Attributes:
        model: the plain transformers model (fast passes), evaluation mode, no gradients wanted.
        tokenizer: its tokenizer.
        origin: name, source and revision, for provenance.
        family: where it keeps its parts.
        prepend_bos: whether prompts start with the beginning-of-sequence token, a policy per model.
        scales_behind: what the norms behind its MLPs are taken to divide by in ``writes``, one a
            layer; None where there are none, or they are not frozen (``linearity.frozen``).
        frozen_at: the prompt at whose end that is so.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    origin: Origin
    family: Family
    prepend_bos: bool
    scales_behind: Float[Tensor, " layer"] | None = None
    frozen_at: str = ""

    @cached_property
    def bridge(self) -> "TransformerBridge":
        """TransformerLens hooks over the same parameter tensors (nothing is copied)."""
        from analysis.hooks import hooked

        return hooked(self.model)

    @cached_property
    def blocks(self) -> list[nn.Module]:
        """The plain model's blocks."""
        return self.family.layers(self.model)

    @cached_property
    def sharing_blocks(self) -> list[nn.Module]:
        """The same over the same weights, for batches that share a prefix (``engines.tail``)."""
        twin = share_weights(self.model)
        twin.config._attn_implementation = "shared_prefix"
        return self.family.layers(twin)

    @property
    def config(self) -> Any:
        """The transformers configuration."""
        return self.model.config

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.model.device

    @property
    def dtype(self) -> torch.dtype:
        """The type of the weights."""
        return self.model.dtype

    @property
    def arithmetic(self) -> Arithmetic:
        """In which type it computes."""
        return Arithmetic(self.device, self.dtype)

    @property
    def n_layers(self) -> int:
        """Number of blocks."""
        return len(self.blocks)

    @property
    def d_model(self) -> int:
        """Width of the residual stream."""
        return int(self.config.hidden_size)

    @cached_property
    def d_mlp(self) -> int:
        """Neurons per MLP."""
        return int(self.W_out(0).shape[0])

    @property
    def d_vocab(self) -> int:
        """Number of tokens the model can predict."""
        return int(self.unembedding.shape[0])

    @property
    def context(self) -> int:
        """Longest prompt in tokens; without position embeddings (ALiBi) what is usual."""
        return int(getattr(self.config, "max_position_embeddings", None) or USUAL_CONTEXT)

    @property
    def final_norm(self) -> nn.Module:
        """The plain model's last norm, gain included."""
        return part(self.model, self.family.final_norm)

    @cached_property
    def folded_norm(self) -> Norm:
        """What the final norm does, for folding.

        Raises:
            UserError: it is of an unknown kind.
        """
        return read_norm(self.final_norm, self.W_out(0)[0])

    @cached_property
    def read_out(self) -> ReadOut:
        """From there to logits.

        Raises:
            UserError: the unembedding does not read the residual stream.
        """
        head = read_out(self.model.get_output_embeddings(), self.config)
        if head.weight.shape[1] != self.d_model:
            raise UserError(f"{self.origin.name} has a projection before its unembedding.")
        return head

    @property
    def unembedding(self) -> Float[Tensor, "d_vocab d_model"]:
        """The raw unembedding, without the final norm's gain."""
        return self.read_out.weight

    @property
    def activation(self) -> Callable[[Tensor], Tensor]:
        """The function between what a neuron reads and its activation (of the gate, if gated)."""
        return activation_of(self.config)

    @cached_property
    def residual_scale(self) -> float:
        """What all that attention and MLPs write is multiplied by (Granite); mostly 1."""
        return float(getattr(self.config, "residual_multiplier", 1.0))

    @torch.inference_mode()
    def before_norm(
        self, layer: int, activations: Float[Tensor, "*row d_mlp"]
    ) -> Float[Tensor, "*row d_model"] | None:
        """The MLP's output, where a norm stands between it and the residual stream, else None."""
        if self.family.mlp_post is None:
            return None
        output: Tensor = part(self.blocks[layer], self.family.mlp_out)(activations)
        return output

    @torch.inference_mode()
    def added(
        self,
        layer: int,
        before: Float[Tensor, "*row d_model"] | None,
        change: Float[Tensor, "*more d_model"],
    ) -> Float[Tensor, "*more d_model"]:
        """What the residual stream gets more when the MLP's output changes.

        Args:
            layer: whose MLP.
            before: its ``before_norm`` at the positions that change.
            change: of its output: changes of activations times their rows of ``W_out``.
        """
        if before is not None and self.family.mlp_post is not None:
            norm = part(self.blocks[layer], self.family.mlp_post)
            change = norm(before + change) - norm(before)
        return change if self.residual_scale == 1 else change * self.residual_scale

    def W_out(self, layer: int) -> Float[Tensor, "d_mlp d_model"]:  # noqa: N802
        """What each neuron of ``layer`` writes to the residual stream per unit of activation."""
        module = part(self.blocks[layer], self.family.mlp_out)
        weight = module.weight
        assert isinstance(weight, Tensor)
        return weight.detach() if isinstance(module, Conv1D) else weight.detach().T

    @property
    def W_E(self) -> Float[Tensor, "d_vocab d_model"]:  # noqa: N802
        """Token embeddings."""
        return self.model.get_input_embeddings().weight.detach()

    @cached_property
    def W_U(self) -> Float[Tensor, "d_model d_vocab"]:  # noqa: N802
        """Unembedding with the final norm folded in: ``logits = x / scale(x) @ W_U + b_U``.

        A LayerNorm also subtracts the mean of ``x``; that is a linear map and is folded too, as is
        a scale of the logits. A cap (Gemma 2) is not: these are logits before it.
        """
        return self.read_out.scaled(self.folded_norm.fold(self.unembedding.detach())).T

    @cached_property
    def b_U(self) -> Float[Tensor, " d_vocab"]:  # noqa: N802
        """Bias of the logits: that of the head, and what the final norm's own bias makes."""
        bias = self.unembedding.detach() @ self.folded_norm.bias
        own = self.read_out.bias
        return self.read_out.scaled(bias if own is None else bias + own.detach())

    def batch(self, tokens: Sequence[int]) -> Int[Tensor, "batch pos"]:
        """One prompt as a batch of one on the model's device."""
        return torch.tensor([list(tokens)], device=self.device)

    @torch.inference_mode()
    def logits(self, tokens: Sequence[int]) -> Float[Tensor, "pos d_vocab"]:
        """Raw logits of the plain model after every token of one prompt.

        Raises:
            UserError: one is not finite.
        """
        output: Tensor = self.model(self.batch(tokens), use_cache=False).logits
        return self.finite(output[0], "logits").float()

    def cache(self, tokens: Sequence[int], *names: str) -> dict[str, Float[Tensor, "layer pos _"]]:
        """Activations of one prompt by hook name, layers stacked.

        Args:
            tokens: one prompt.
            names: hook names inside a block, such as ``hook_attn_out`` or ``mlp.hook_post``.

        Raises:
            UserError: an activation is not finite.
        """
        wanted = {name: [f"blocks.{i}.{name}" for i in range(self.n_layers)] for name in names}
        flat = [hook for hooks in wanted.values() for hook in hooks]
        with torch.no_grad():
            _, cache = self.bridge.run_with_cache(
                self.batch(tokens), prepend_bos=False, names_filter=flat
            )
        stacked = {
            name: torch.stack([cache[hook][0].flatten(1) for hook in hooks])
            for name, hooks in wanted.items()
        }
        return {name: self.finite(values, "activations") for name, values in stacked.items()}

    def direction(self, target: int, foil: int) -> Float[Tensor, " d_model"]:
        """The residual direction whose dot product, after the final norm, is the logit difference.

        The bias ``b_U[target] - b_U[foil]`` comes on top.
        """
        return self.W_U[:, target] - self.W_U[:, foil]

    def finite(self, values: Float[Tensor, "..."], what: str) -> Float[Tensor, "..."]:
        """The same values, which are numbers: one that is none would pass for a rank or a tie.

        Args:
            values: what the model computed.
            what: its name, in the plural.

        Raises:
            UserError: one of them is NaN or infinite.
        """
        if values.numel() and not all(end.isfinite() for end in values.aminmax()):
            kind = self.arithmetic.name
            cause = (
                "it overflows in float16: use float32 or bfloat16"
                if kind == "float16"
                else f"its weights or its configuration are damaged, or too large for {kind}"
            )
            raise UserError(f"Some {what} of {self.origin.name} are not finite: {cause}.")
        return values

    def writes(self, layer: int) -> Float[Tensor, "d_mlp d_model"]:
        """What each neuron adds to the residual stream per unit of activation: ``W_out``, mostly.

        Where a norm stands behind the MLP it is folded in, and what is added is over its scale,
        unless that is frozen.
        """
        writes = self.W_out(layer)
        norm = self.norm_behind(layer)
        writes = writes if norm is None else norm.pass_on(writes)
        writes = writes if self.scales_behind is None else writes / self.scales_behind[layer]
        return writes if self.residual_scale == 1 else writes * self.residual_scale

    def norm_behind(self, layer: int) -> Norm | None:
        """The norm between an MLP and the residual stream, if there is one."""
        path = self.family.mlp_post
        return None if path is None else read_norm(part(self.blocks[layer], path), self.W_out(0)[0])

    def write(self, neuron: Neuron) -> Float[Tensor, " d_model"]:
        """The neuron's row of ``writes``."""
        return self.writes(neuron.layer)[neuron.number]
