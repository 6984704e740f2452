"""The tokenizer of a GGUF file, built from the published definition of its kind.

A file names the rule that cuts text before merges apply; it does not hold it. Only rules that are
known exactly are accepted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.errors import UserError
from analysis.loading.gguf_file import GgufFile, Settings

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from tokenizers.pre_tokenizers import PreTokenizer
    from transformers import PreTrainedTokenizerBase

NORMAL, UNKNOWN, CONTROL, USER_DEFINED = 1, 2, 3, 4
"""Kinds of tokens, by llama.cpp's numbers."""

LLAMA3_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2_WORDS = LLAMA3_WORDS.replace(r"\p{N}{1,3}", r"\p{N}")
"""The same, but digits stand alone."""

HARMLESS = ("_token_id", "chat_template", "chat_templates", "ggml.pre", "ggml.add_eos_token")


@dataclass(frozen=True)
class Rule:
    """What the name of a pre-tokenizer stands for.

    Attributes:
        cuts: makes what cuts text into words.
        adds_bos: whether texts start with BOS where the file does not say.
        ignores_merges: whether a word that is a token stays whole, whatever the merges say.
        composes: whether characters are composed first (Unicode's NFC).
    """

    cuts: "Callable[[], PreTokenizer]"
    adds_bos: bool = False
    ignores_merges: bool = False
    composes: bool = False


def _gpt2() -> "PreTokenizer":
    """GPT-2's own expression, which tokenizers has built in."""
    from tokenizers.pre_tokenizers import ByteLevel

    return ByteLevel(add_prefix_space=False, use_regex=True)


def _digits_then_gpt2() -> "PreTokenizer":
    """SmolLM's: digits one by one, then GPT-2's words of what lies between them."""
    from tokenizers.pre_tokenizers import Digits, Sequence

    return Sequence([Digits(individual_digits=True), _gpt2()])


def _words(expression: str) -> "PreTokenizer":
    from tokenizers import Regex
    from tokenizers.pre_tokenizers import ByteLevel, Sequence, Split

    cut = Split(Regex(expression), behavior="isolated")
    return Sequence([cut, ByteLevel(add_prefix_space=False, use_regex=False)])


RULES = {
    "gpt-2": Rule(_gpt2),
    "smollm": Rule(_digits_then_gpt2),
    "llama-bpe": Rule(lambda: _words(LLAMA3_WORDS), adds_bos=True, ignores_merges=True),
    "qwen2": Rule(lambda: _words(QWEN2_WORDS), composes=True),
}
"""As llama.cpp and the models' own tokenizer.json have them."""


def build_tokenizer(file: GgufFile) -> "PreTrainedTokenizerBase":
    """The tokenizer of a file.

    Raises:
        UserError: its kind, its rule or a setting of it is not known.
    """
    from transformers import PreTrainedTokenizerFast

    settings = file.tokenizer
    kind = settings.get("ggml.model")
    if kind not in ("gpt2", "llama"):
        raise UserError(
            f"{file.path} has a tokenizer of kind {kind!r}; of GGUF files gpt2 (bytes) and llama"
            " (SentencePiece) are supported."
        )
    pieces = _pieces(file)
    template = settings.get("chat_template")
    special = {
        f"{ours}_token": _named(pieces, settings, f"ggml.{theirs}_token_id")
        for ours, theirs in (
            ("bos", "bos"),
            ("eos", "eos"),
            ("unk", "unknown"),
            ("pad", "padding"),
        )
    }
    make = _byte_level if kind == "gpt2" else _sentencepiece
    words, adds_bos = make(file, pieces, special["unk_token"])
    _add_special(words, pieces, settings.array("ggml.token_type"))
    if settings.get("ggml.add_bos_token", adds_bos):
        _start_with(words, special["bos_token"], file)
    for key in ("add_sep_token", "remove_extra_whitespaces"):
        settings.expect(f"ggml.{key}", False)
    settings.check_all_understood(HARMLESS)
    made = PreTrainedTokenizerFast(
        tokenizer_object=words, clean_up_tokenization_spaces=False, **special
    )
    made.chat_template = template
    return made


def _pieces(file: GgufFile) -> list[str]:
    pieces = file.tokenizer.array("ggml.tokens")
    if not pieces or len(set(pieces)) != len(pieces):
        raise UserError(f"{file.path} lists no tokens, or one of them twice, so it is refused.")
    return pieces


def _named(pieces: list[str], settings: Settings, key: str) -> str | None:
    number = settings.get(key)
    return None if number is None else pieces[number]


def _byte_level(
    file: GgufFile, pieces: list[str], _unknown: str | None
) -> "tuple[Tokenizer, bool]":
    """Merges over bytes, and whether texts start with BOS by default."""
    from tokenizers import Tokenizer, decoders, models, normalizers

    settings = file.tokenizer
    name = settings.get("ggml.pre")
    if name not in RULES:
        known = ", ".join(RULES)
        raise UserError(
            f"{file.path} cuts text by the rule {name!r}, which is not known here, so its tokens"
            f" would be wrong; known are {known}."
        )
    settings.expect("ggml.add_space_prefix", False)
    rule = RULES[name]
    merges = [_merge(pair) for pair in settings.array("ggml.merges")]
    if not merges:
        raise UserError(f"{file.path} lacks tokenizer.ggml.merges: get the file again.")
    words = Tokenizer(models.BPE(_numbered(pieces), merges, ignore_merges=rule.ignores_merges))
    if rule.composes:
        words.normalizer = normalizers.NFC()
    words.pre_tokenizer = rule.cuts()
    words.decoder = decoders.ByteLevel()
    return words, rule.adds_bos


def _sentencepiece(
    file: GgufFile, pieces: list[str], unknown: str | None
) -> "tuple[Tokenizer, bool]":
    """SentencePiece's merges by score, as Llama's own fast tokenizer has them; BOS by default."""
    from tokenizers import Tokenizer, decoders, models, normalizers
    from transformers.tokenization_utils_base import generate_merges

    settings = file.tokenizer
    scores = settings.array("ggml.scores")
    kinds = settings.peek("ggml.token_type") or []
    if not len(pieces) == len(scores) == len(kinds):
        raise UserError(f"{file.path} lacks scores or kinds of its tokens: get the file again.")
    fixed = [piece for piece, kind in zip(pieces, kinds, strict=True) if kind != NORMAL]
    scored = dict(zip(pieces, scores, strict=True))
    merges = generate_merges(_numbered(pieces), scored, skip_tokens=fixed)
    words = Tokenizer(
        models.BPE(_numbered(pieces), merges, unk_token=unknown, fuse_unk=True, byte_fallback=True)
    )
    spaced = settings.get("ggml.add_space_prefix", True)
    lead: list[Any] = [normalizers.Prepend("▁")] if spaced else []
    strip: list[Any] = [decoders.Strip(" ", 1, 0)] if spaced else []
    words.normalizer = normalizers.Sequence([*lead, normalizers.Replace(" ", "▁")])
    words.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), *strip]
    )
    return words, True


def _numbered(pieces: list[str]) -> dict[str, int]:
    return {piece: number for number, piece in enumerate(pieces)}


def _merge(pair: str) -> tuple[str, str]:
    """The two halves of a merge, the first of which is at least one character long."""
    cut = pair.find(" ", 1)
    return pair[:cut], pair[cut + 1 :]


def _add_special(words: "Tokenizer", pieces: list[str], kinds: list[int]) -> None:
    """Tokens that are found in a text as they are, before anything else is cut."""
    from tokenizers import AddedToken

    for piece, kind in zip(pieces, kinds or [NORMAL] * len(pieces), strict=True):
        if kind in (UNKNOWN, CONTROL):
            words.add_special_tokens([AddedToken(piece, normalized=False, special=True)])
        elif kind == USER_DEFINED:
            words.add_tokens([AddedToken(piece, normalized=False, special=False)])


def _start_with(words: "Tokenizer", bos: str | None, file: GgufFile) -> None:
    from tokenizers.processors import TemplateProcessing

    if bos is None:
        raise UserError(f"{file.path} wants texts to start with a BOS token and names none.")
    words.post_processor = TemplateProcessing(
        single=f"{bos} $A",
        pair=f"{bos} $A $B:1",
        special_tokens=[(bos, words.token_to_id(bos))],
    )
