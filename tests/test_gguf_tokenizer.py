"""Tokens of GGUF files are those of the real models: published rules, computed the slow way."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import corpus
from analysis.errors import UserError
from analysis.loading import models, pinned
from analysis.loading.gguf_file import open_gguf
from analysis.loading.gguf_tokenizer import build_tokenizer
from tests import made_gguf as made
from tests.slow_bpe import SlowBpe

HARD = [
    "a\n\n2 b",
    "In  2023",
    "1. one\n2. two\n\n10.  ten",
    "12,345.67 and 2½ of x² or ٣٤",
    "  They're  HERE,   aren't they? ",
    "\tdef f(x):\r\n        return x**2\n\n",
    "Él comió 3 manzanas; 他吃了2个苹果 🍎🍎",
]


def read(tmp_path, settings, tensors=None):
    """The tokenizer of a file with these settings."""
    _, shape, weights = made.llama()
    return build_tokenizer(open_gguf(made.write(tmp_path / "t.gguf", shape | settings, weights)))


def own_ids(tokenizer, text):
    return tokenizer(text, add_special_tokens=False).input_ids


@pytest.mark.parametrize("rule", ["gpt-2", "smollm", "llama-bpe"])
def test_text_is_cut_by_the_published_rule(tmp_path, rule):
    settings = made.tokenizer_settings(rule)
    found = read(tmp_path, settings)
    slow = SlowBpe(settings["tokenizer.ggml.tokens"], settings["tokenizer.ggml.merges"], rule)
    for text in (*HARD, made.TEXT):
        assert own_ids(found, text) == slow.encode(text)
        assert found.decode(own_ids(found, text)) == text


def test_rules_differ_where_they_should(tmp_path):
    settings = made.tokenizer_settings("smollm")
    pieces = settings["tokenizer.ggml.tokens"] + ["20", "23"]
    settings["tokenizer.ggml.tokens"] = pieces
    settings["tokenizer.ggml.token_type"] += [1, 1]
    settings["tokenizer.ggml.merges"] = ["2 0", "2 3", *settings["tokenizer.ggml.merges"]]
    digits = [pieces.index(digit) for digit in "2023"]
    pairs = [pieces.index(pair) for pair in ("20", "23")]
    for rule, expected in (("smollm", digits), ("gpt-2", pairs)):
        assert own_ids(read(tmp_path, settings | {"tokenizer.ggml.pre": rule}), "2023") == expected


def test_a_word_of_llama_3_that_is_a_token_stays_whole_whatever_the_merges_say(tmp_path):
    settings = made.tokenizer_settings("llama-bpe")
    settings["tokenizer.ggml.tokens"] += ["qzx"]  # no merge leads to it
    settings["tokenizer.ggml.token_type"] += [1]
    whole = len(settings["tokenizer.ggml.tokens"]) - 1
    assert own_ids(read(tmp_path, settings), "qzx") == [whole]
    assert len(own_ids(read(tmp_path, settings | {"tokenizer.ggml.pre": "gpt-2"}), "qzx")) == 3


@pytest.mark.slow
def test_llama_3_starts_with_bos_unless_the_file_says_otherwise(tmp_path):
    for rule, said, expected in (
        ("llama-bpe", None, True),
        ("llama-bpe", False, False),
        ("smollm", None, False),
        ("smollm", True, True),
    ):
        settings = made.tokenizer_settings(rule)
        if said is not None:
            settings["tokenizer.ggml.add_bos_token"] = said
        ids = read(tmp_path, settings)("an apple").input_ids
        assert (ids[0] == 0) is expected
        _, shape, weights = made.llama()
        path = made.write(tmp_path / "b.gguf", shape | settings, weights)
        assert models.load(str(path)).prepend_bos is expected


def test_qwen_composes_characters_and_cuts_digits_one_by_one(tmp_path):
    found = read(tmp_path, made.tokenizer_settings("qwen2"))
    assert own_ids(found, "e\u0301") == own_ids(found, "é")


def test_special_tokens_are_found_in_the_text_and_others_of_the_user_too(tmp_path):
    settings = made.tokenizer_settings()
    settings["tokenizer.ggml.tokens"] += ["<think>"]
    settings["tokenizer.ggml.token_type"] += [4]
    found = read(tmp_path, settings)
    assert own_ids(found, f"{made.SPECIAL}<think>")[:2] == [1, len(found) - 1]
    assert made.SPECIAL in found.all_special_tokens or found.convert_ids_to_tokens(1) == (
        made.SPECIAL
    )


PIECES = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
LETTERS = [*"▁abcdeilnopr"]
WORDS = ["▁a", "▁an", "an", "pp", "le", "pple", "▁apple", "▁o", "▁on", "ran"]


def sentencepiece_settings(**changes):
    pieces = [*PIECES, *LETTERS, *WORDS]
    fixed = [2, 3, 3, *[6] * 256]
    scores = [0.0] * len(PIECES) + [-1000.0] * len(LETTERS) + [-float(i) for i in range(len(WORDS))]
    return {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": pieces,
        "tokenizer.ggml.scores": scores,
        "tokenizer.ggml.token_type": [*fixed, *[1] * (len(LETTERS) + len(WORDS))],
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.unknown_token_id": 0,
        **changes,
    }


def slow_sentencepiece(text, prefix=True):
    """SentencePiece by its definition: join the neighbours whose union scores best, leftmost first;
    what is no piece in the end is spelled in bytes."""
    settings = sentencepiece_settings()
    pieces = settings["tokenizer.ggml.tokens"]
    scores = dict(
        zip(pieces[len(PIECES) :], settings["tokenizer.ggml.scores"][len(PIECES) :], strict=True)
    )
    parts = [*((" " if prefix and text else "") + text).replace(" ", "▁")]
    while True:
        joined = [scores.get(a + b, -1e9) for a, b in pairwise(parts)]
        if not joined or max(joined) == -1e9:
            break
        place = joined.index(max(joined))
        parts[place : place + 2] = [parts[place] + parts[place + 1]]
    spelled = [
        [part] if part in scores else [f"<0x{byte:02X}>" for byte in part.encode()]
        for part in parts
    ]
    return [pieces.index(piece) for part in spelled for piece in part]


@given(st.text("abcdeilnopr gXé\n", max_size=24))
def test_sentencepiece_joins_by_score_and_spells_the_rest_in_bytes(made_sentencepiece, text):
    assert own_ids(made_sentencepiece, text) == slow_sentencepiece(text)


@pytest.fixture(scope="module")
def made_sentencepiece(tmp_path_factory):
    return read(tmp_path_factory.mktemp("spm"), sentencepiece_settings())


def test_a_sentencepiece_file_starts_with_bos_and_adds_a_space_unless_it_says_otherwise(tmp_path):
    usual = read(tmp_path, sentencepiece_settings())
    assert usual("an").input_ids == [1, *slow_sentencepiece("an")]
    settings = sentencepiece_settings(
        **{"tokenizer.ggml.add_bos_token": False, "tokenizer.ggml.add_space_prefix": False}
    )
    assert read(tmp_path, settings)("an").input_ids == slow_sentencepiece("an", prefix=False)


def test_settings_of_a_tokenizer_that_are_not_supported_are_refused(tmp_path):
    for key in ("remove_extra_whitespaces", "add_sep_token"):
        with pytest.raises(UserError, match=key):
            read(tmp_path, sentencepiece_settings(**{f"tokenizer.ggml.{key}": True}))


@pytest.mark.slow
def test_the_embedded_models_tokens_are_those_of_the_real_one_on_ten_thousand_lines(embedded):
    settings = open_gguf(pinned.MODEL.path).tokenizer
    slow = SlowBpe(settings.array("ggml.tokens"), settings.array("ggml.merges"), "smollm")
    lines = [*HARD, *hard_lines(10_000)]
    assert sum("  " in line for line in lines) > 1000
    assert sum(any(c.isdigit() for c in line) for line in lines) > 3000
    for line in lines:
        assert own_ids(embedded.tokenizer, line) == slow.encode(line), line


def hard_lines(count):
    """Sentences of news: some with double spaces, some with numbers and line breaks before them."""
    generator = random.Random(0)
    text = "\n".join(corpus.documents()).replace(". ", ".\n")
    lines = generator.sample([line for line in text.split("\n") if line], count)
    doubled = [line.replace(" ", "  ", 5) if n % 3 == 0 else line for n, line in enumerate(lines)]
    return [f"\n\n{n}. {line}" if n % 4 == 0 else line for n, line in enumerate(doubled)]
