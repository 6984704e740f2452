"""Settings and tensors of a GGUF file as a plain transformers model, or a refusal that names why.

Every tensor has to have a place in the model, every place a tensor, and every setting a meaning.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from analysis.errors import UserError
from analysis.loading.gguf_architectures import ARCHITECTURES, ROPE_FACTORS, Architecture
from analysis.loading.gguf_file import GgufFile

if TYPE_CHECKING:
    import numpy as np
    from transformers import PreTrainedModel

HARMLESS = ("rope.scaling.finetuned", "tensor_data_layout")


def check_architecture(file: GgufFile) -> Architecture:
    """The architecture of a file.

    Raises:
        UserError: it is not supported.
    """
    if file.architecture not in ARCHITECTURES:
        raise UserError(
            f"{file.path} holds a model of architecture {file.architecture!r}; of GGUF files these"
            f" are supported: {', '.join(ARCHITECTURES)}."
        )
    return ARCHITECTURES[file.architecture]


def build_model(file: GgufFile) -> "PreTrainedModel":
    """The model in float32, with every parameter from the file.

    Raises:
        UserError: a setting is missing or not understood, a tensor is missing, has no place or is
            of another shape.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    architecture = check_architecture(file)
    settings = _config(file, architecture)
    config = AutoConfig.for_model(settings.pop("model_type"), **settings)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    places = _places(file, architecture)
    _check_places(file, architecture, places, model)
    weights = {}
    for name, place, arranged in placements(file, config):
        values = arranged(file.values(name))
        if architecture.gains_less_one and _parts(name)[1].endswith("norm"):
            values = values - 1
        weights[place] = torch.from_numpy(values.copy())
    model.load_state_dict(weights, assign=True, strict=False)  # a tied head comes next
    model.tie_weights()
    return model


def placements(
    file: GgufFile, config: Any
) -> "Iterator[tuple[str, str, Callable[[np.ndarray], np.ndarray]]]":
    """Where each tensor of a file goes.

    Args:
        file: of a supported architecture.
        config: the transformers configuration.

    Yields:
        The tensor's name, the parameter's, and what arranges values of the one as in the other.

    Raises:
        UserError: a tensor belongs nowhere.
    """
    architecture = check_architecture(file)
    for name, place in _places(file, architecture).items():
        yield name, place, partial(_arrange, architecture=architecture, name=name, config=config)


def _config(file: GgufFile, architecture: Architecture) -> dict[str, Any]:
    settings = file.model
    settings.expect("expert_count", 0)
    settings.expect("expert_used_count", 0)
    settings.expect("attention.causal", True)
    if "token_embd.weight" not in file.tensors:
        raise UserError(f"{file.path} lacks the tensor token_embd.weight: get the whole file.")
    settings.expect("vocab_size", file.shape("token_embd.weight")[0])
    values = architecture.config(file)
    settings.check_all_understood(HARMLESS)
    return {
        **values,
        "vocab_size": file.shape("token_embd.weight")[0],
        "tie_word_embeddings": "output.weight" not in file.tensors,
        "bos_token_id": None,  # the tokenizer's matter
        "eos_token_id": None,
    }


def _places(file: GgufFile, architecture: Architecture) -> dict[str, str]:
    """Where each tensor belongs in the model.

    Raises:
        UserError: one belongs nowhere.
    """
    places = {}
    for name in file.tensors:
        if name == ROPE_FACTORS and file.architecture == "llama":
            continue  # is part of the configuration
        block, module, kind = _parts(name)
        known = architecture.names if block is None else architecture.block_names
        if module not in known:
            raise UserError(
                f"{file.path} holds the tensor {name}, which has no place in a"
                f" {file.architecture} model here, so it is refused."
            )
        inside = "" if block is None else architecture.block.format(block) + "."
        places[name] = f"{inside}{known[module]}.{kind}"
    return places


def _parts(name: str) -> tuple[int | None, str, str]:
    """Block number if any, module, and ``weight`` or ``bias`` of a tensor's name."""
    found = re.fullmatch(r"(?:blk\.(\d+)\.)?(.+)\.(weight|bias)", name)
    if found is None:
        return None, name, ""
    block, module, kind = found.groups()
    return (None if block is None else int(block)), module, kind


def _check_places(
    file: GgufFile, architecture: Architecture, places: Mapping[str, str], model: "PreTrainedModel"
) -> None:
    """Refuse a file whose tensors are not one to one the model's parameters.

    Raises:
        UserError: names the tensor, or the parameter that would be left without.
    """
    wanted = {name: tuple(weight.shape) for name, weight in model.named_parameters()}
    if model.config.tie_word_embeddings:
        wanted.pop("lm_head.weight", None)
    for name, place in places.items():
        if place not in wanted:
            raise UserError(
                f"{file.path} holds the tensor {name}, for which a {file.architecture} of its"
                " settings has no place, so it is refused."
            )
        shape = file.shape(name)
        if wanted[place] != (shape[::-1] if _is_transposed(architecture, name) else shape):
            raise UserError(
                f"{file.path} holds the tensor {name} of shape {shape}, which does not fit its"
                " settings: the file is damaged."
            )
    absent = sorted(set(wanted) - set(places.values()))
    if absent:
        raise UserError(f"{file.path} holds no tensor for {absent[0]}: get the whole file.")


def _is_transposed(architecture: Architecture, name: str) -> bool:
    return architecture.transposed and name.startswith("blk.")


def _arrange(
    values: "np.ndarray", architecture: Architecture, name: str, config: Any
) -> "np.ndarray":
    module = _parts(name)[1]
    if _is_transposed(architecture, name):
        return values.T
    if not architecture.paired or module not in ("attn_q", "attn_k"):
        return values
    heads = config.num_attention_heads if module == "attn_q" else config.num_key_value_heads
    pairs = values.reshape(heads, -1, 2, *values.shape[1:])
    return pairs.swapaxes(1, 2).reshape(values.shape)
