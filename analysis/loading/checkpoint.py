"""A folder of safetensors read into a plain transformers model and its tokenizer, and checked.

It knows neither the catalogue nor the hub; nothing it reads can run code.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.errors import UserError, first_line, lacks_memory
from analysis.loading.assets import sha256
from analysis.loading.weight_files import WEIGHTS, check_headers, read_json, weight_files

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

TOKENIZERS = ("tokenizer.json", "vocab.json", "tokenizer.model")
WINDOWS = ("sliding_window", "attention_chunk_size", "layer_types")
SETTINGS = (
    "config.json",
    *TOKENIZERS,
    *("merges.txt", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"),
    "chat_template.jinja",
)
"""What changes a model's numbers beside its weights: its configuration, and how text is cut."""


def read(folder: Path, dtype: "torch.dtype") -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """The model, in evaluation mode and without gradients, and its tokenizer.

    Raises:
        UserError: a file is missing or damaged, the architecture is not supported, or a weight
            is NaN or infinite.
    """
    check(folder)
    quieten()
    tokenizer = _read_tokenizer(folder)
    model = fused(_read_model(folder, dtype))
    check_tokenizer(tokenizer, model, folder)
    check_finite(model.named_parameters(), folder)
    return model.eval().requires_grad_(False), tokenizer


def check_tokenizer(
    tokenizer: "PreTrainedTokenizerBase", model: "PreTrainedModel", folder: Path | str
) -> None:
    """Refuse a tokenizer that is not the model's, or does not say where in a text its tokens are.

    Raises:
        UserError: says which.
    """
    if len(tokenizer) > model.get_input_embeddings().weight.shape[0]:
        raise UserError(
            f"The tokenizer in {folder} has more tokens ({len(tokenizer)}) than the model has"
            " embeddings: give the tokenizer that the model was trained with."
        )
    if not tokenizer.is_fast:
        raise UserError(
            f"The tokenizer in {folder} is a slow one, which does not say where its tokens stand:"
            " give one that has a tokenizer.json."
        )


def check(folder: Path) -> None:
    """Look at the files alone, before anything is loaded.

    Raises:
        UserError: says which file is missing or what kind of model it is instead.
    """
    _check_files(folder)
    check_kind(read_json(folder / "config.json"), folder)


def complete(folder: Path) -> bool:
    """Whether no file is missing; imports nothing heavy."""
    try:
        _check_files(folder)
    except UserError:
        return False
    return True


def folder_sha256(folder: Path) -> str:
    """Checksum of all that a model is read from: weights, configuration and tokenizer."""
    settings = [folder / name for name in SETTINGS if (folder / name).is_file()]
    lines = [f"{path.name} {sha256(path)}\n" for path in (*weight_files(folder), *settings)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def memory_sha256(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase") -> str:
    """The same of a model in memory; of a weight its name, type, shape and values."""
    import torch

    digest = hashlib.sha256(model.config.to_json_string(use_diff=False).encode())
    digest.update(tokenizer.backend_tokenizer.to_str().encode())
    for name, tensor in model.named_parameters():
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def check_finite(weights: "Iterable[tuple[str, torch.Tensor]]", folder: Path | str) -> None:
    """Refuse a model with a weight that is no number.

    Raises:
        UserError: names the first tensor that holds NaN or infinity.
    """
    for name, tensor in weights:
        lowest, highest = tensor.aminmax()  # NaN spreads to both
        if not (lowest.isfinite() and highest.isfinite()):
            raise UserError(
                f"The tensor {name} in {folder} holds NaN or infinity as {tensor.dtype}: the file"
                " is damaged, or the type is too narrow for it."
            )


def _check_files(folder: Path) -> None:
    if not (folder / "config.json").is_file():
        raise UserError(f"{folder} has no config.json: give a folder saved by save_pretrained.")
    missing = [path.name for path in weight_files(folder) if not path.is_file()]
    if missing:
        raise UserError(
            f"{folder} has no {missing[0]}: weights are read from safetensors only, because"
            " pickled ones can run code."
        )
    if (folder / "adapter_config.json").is_file():
        raise UserError(f"{folder} holds an adapter beside its model: give the merged model.")
    if not any((folder / name).is_file() for name in TOKENIZERS):
        raise UserError(f"{folder} has no tokenizer: save it there with tokenizer.save_pretrained.")


def check_kind(config: dict[str, Any], folder: Path | str) -> None:
    """Refuse a model that is no causal language model in full precision, by its configuration.

    Raises:
        UserError: says what it is.
    """
    kinds = [str(kind) for kind in as_list(config.get("architectures"))]
    if kinds and not any(kind.endswith(("ForCausalLM", "LMHeadModel")) for kind in kinds):
        raise UserError(f"{folder} holds a {kinds[0]}, which is not a causal language model.")
    if (named := config.get("transformers_weights")) is not None:
        raise UserError(f"{folder} has its weights in {named}: name that file {WEIGHTS}.")
    if "quantization_config" in config:
        raise UserError(f"{folder} holds quantised weights: give the full-precision model.")
    check_architecture(config, folder)


def check_architecture(config: dict[str, Any], folder: Path | str) -> None:
    """Refuse an architecture that cannot be hooked, or has no neurons, before its weights are read.

    Raises:
        UserError: says what it is.
    """
    from transformers import AutoConfig
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as KINDS

    from analysis.loading.families import family_of

    values = dict(config)
    model_type = str(values.pop("model_type", None))
    if model_type not in KINDS:
        raise UserError(f"{folder} holds a {model_type}, which is not a causal language model.")
    named = [kind for kind in as_list(values.get("architectures")) if kind in KINDS.values()]
    if named and KINDS[model_type] not in named:
        raise UserError(
            f"{folder}/config.json names a {named[0]} and says model_type {model_type!r}: get"
            " weights and configuration of one model."
        )
    try:
        made = AutoConfig.for_model(model_type, **values)
    except Exception as error:
        raise UserError(
            f"{folder}/config.json cannot be understood ({first_line(error)})."
        ) from error
    family_of(made, KINDS[model_type])
    _check_windows(made, folder)


def _check_windows(config: "PreTrainedConfig", folder: Path | str) -> None:
    """Refuse a window that the model's class does not keep to: caches are made by it all the same.

    Keys and values behind it would be lost to what goes on from a cache, and to nothing else.

    Raises:
        UserError: names the setting.
    """
    known = {field.name for field in fields(config)}
    for name in WINDOWS:
        if name not in known and getattr(config, name, None) is not None:
            raise UserError(
                f"{folder}/config.json sets {name}, which a {config.model_type} has not: take it"
                " out, if the model was trained without."
            )


def as_list(value: Any) -> list[Any]:
    """A value as a list: itself, alone in one, or an empty one for nothing."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _read_tokenizer(folder: Path) -> "PreTrainedTokenizerBase":
    """The tokenizer, by the rules of its own tokenizer.json where there is one.

    AutoTokenizer takes the vocabulary from there, and the rules from the class that is named beside
    it: SmolLM2's names GPT-2's, which does not cut digits one by one.
    """
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    kind = PreTrainedTokenizerFast if (folder / TOKENIZERS[0]).is_file() else AutoTokenizer
    local = {"local_files_only": True, "trust_remote_code": False}
    try:
        tokenizer = kind.from_pretrained(folder, **local)
        if kind is PreTrainedTokenizerFast and None in (tokenizer.bos_token, tokenizer.eos_token):
            _name_ends(tokenizer, AutoTokenizer.from_pretrained(folder, **local))
        return tokenizer
    except Exception as error:
        raise UserError(
            f"The tokenizer in {folder} cannot be read ({first_line(error)}): get its files again."
        ) from error


def _name_ends(tokenizer: "PreTrainedTokenizerBase", usual: "PreTrainedTokenizerBase") -> None:
    """Fill in the BOS and EOS that a class has by itself, as GPT-2's files do not name them."""
    vocabulary = tokenizer.get_vocab()
    for name in ("bos_token", "eos_token"):
        token = getattr(usual, name)
        if getattr(tokenizer, name) is None and token in vocabulary:
            setattr(tokenizer, name, token)


def _read_model(folder: Path, dtype: "torch.dtype") -> "PreTrainedModel":
    from transformers import AutoModelForCausalLM

    try:
        check_headers(folder)
        model, report = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=dtype,
            attn_implementation="sdpa",
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # they are refused below, by name
        )
    except UserError:
        raise
    except Exception as error:
        if lacks_memory(error):
            raise
        raise UserError(
            f"The weights in {folder} cannot be read ({first_line(error)}): "
            "get the whole model again."
        ) from error
    absent = sorted(report["missing_keys"])
    if absent:
        raise UserError(f"The weights in {folder} lack {absent[0]}: get the whole model again.")
    unfit = sorted(str(each[0]) for each in report["mismatched_keys"])
    if unfit:
        raise UserError(
            f"The weights in {folder} hold {unfit[0]} in another shape than its config.json says:"
            " get weights and configuration of one model."
        )
    beside = sorted(report["unexpected_keys"])
    if beside:
        raise UserError(
            f"The weights in {folder} hold {beside[0]}, for which its config.json has no place, so"
            " they are refused: get weights and configuration of one model."
        )
    return model


def fused(model: "PreTrainedModel") -> "PreTrainedModel":
    """With GPT-2's activation function as torch has it: one kernel, where transformers has eight.

    The formula is the same; on a processor it takes a quarter of the time.
    """
    from torch import nn
    from transformers.activations import NewGELUActivation

    for module in list(model.modules()):
        for name, child in module.named_children():
            if isinstance(child, NewGELUActivation):
                setattr(module, name, nn.GELU(approximate="tanh"))
    return model


def quieten() -> None:
    """Keep transformers' loading bars and advice off the screen."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
