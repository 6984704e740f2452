"""Text is cut by what stands in it, and tokens are told by what they are, with every tokenizer."""

import pytest
from tokenizers import processors
from transformers import PreTrainedTokenizerFast

from analysis.contrast import make_contrast
from analysis.errors import UserError
from analysis.loading import models
from analysis.loading.gguf_file import open_gguf
from analysis.loading.gguf_tokenizer import build_tokenizer
from analysis.prompts import excerpt, make_prompt, special_in
from analysis.scanning.examples import context
from tests import made_gguf as made
from tests import tiny
from tests.test_gguf_tokenizer import sentencepiece_settings

TEXT = "on an apple an apple  ran\nXé le"


def sentencepiece(tmp_path_factory, **changes):
    _, settings, tensors = made.llama()
    path = tmp_path_factory.mktemp("spm") / "a.gguf"
    made.write(path, settings | sentencepiece_settings(**changes), tensors)
    return build_tokenizer(open_gguf(path))


@pytest.fixture(scope="module")
def spaced(tmp_path_factory):
    """A Llama whose tokenizer puts a space before every text, as SentencePiece does."""
    return models.wrap(made.llama()[0], sentencepiece(tmp_path_factory), "spaced")


@pytest.fixture(scope="module")
def bytewise(tmp_path_factory):
    _, settings, tensors = made.llama()
    path = tmp_path_factory.mktemp("bpe") / "a.gguf"
    made.write(path, settings | made.tokenizer_settings(), tensors)
    return models.wrap(made.llama()[0], build_tokenizer(open_gguf(path)), "bytewise")


def test_tokens_of_sentencepiece_keep_their_spaces(spaced):
    prompt = make_prompt(spaced, "an apple")
    assert prompt.strings == ("<s>", " an", " apple")


def test_a_word_within_a_text_is_one_token_with_its_space_and_another_without(spaced):
    contrast = make_contrast(spaced, " an", "an")
    names = spaced.tokenizer.convert_ids_to_tokens([contrast.target_id, contrast.foil_id])
    assert names == ["▁an", "an"]


def test_a_word_that_lacks_its_space_is_refused_with_what_would_do(spaced):
    with pytest.raises(UserError, match=r"must be one: try ' apple'"):
        make_contrast(spaced, "apple", " an")


@pytest.mark.parametrize("kind", ["spaced", "bytewise"])
def test_an_excerpt_is_a_beginning_of_the_text_itself(kind, request):
    subject = request.getfixturevalue(kind)
    lead = int(subject.prepend_bos)
    whole = len(subject.tokens(TEXT)) - lead
    for tokens in range(1, whole + 2):
        begun = excerpt(subject, TEXT, tokens)
        assert TEXT.startswith(begun)
        assert len(subject.tokens(begun)) - lead <= tokens
    assert excerpt(subject, TEXT, whole) == TEXT


def test_an_excerpt_is_no_longer_than_the_model_reads(spaced):
    long = " an apple" * 100
    assert spaced.context == 64
    assert len(make_prompt(spaced, excerpt(spaced, long, 1000)).tokens) == 64


@pytest.mark.parametrize("kind", ["spaced", "bytewise"])
def test_the_context_of_a_token_is_cut_out_of_the_text(kind, request):
    subject = request.getfixturevalue(kind)
    spans = subject.spans(TEXT)
    tokens = subject.tokens(TEXT)[int(subject.prepend_bos) :]
    assert spans[0] == tokens
    for position in range(len(tokens)):
        before, token, after = context(subject, TEXT, spans, position)
        assert before in TEXT
        assert token == subject.string(tokens[position])
        assert after == "".join(map(subject.string, tokens[position + 1 : position + 2]))
        if position < 16 and "\ufffd" not in token:
            start = before + token
            assert TEXT.startswith(start if position else start.removeprefix(" "))


def test_what_a_model_writes_keeps_the_space_that_it_begins_with(spaced):
    from analysis.engines.continuation import written

    assert written(spaced, spaced.pieces(" an apple")) == " an apple"


def with_template(single):
    """A tokenizer that adds special tokens by itself."""
    tokenizer = tiny.tokenizer()
    token = (tiny.BOS, tokenizer.bos_token_id)
    words = tokenizer.backend_tokenizer
    words.post_processor = processors.TemplateProcessing(single=single, special_tokens=[token])
    return PreTrainedTokenizerFast(
        tokenizer_object=words, bos_token=tiny.BOS, eos_token=tiny.BOS, unk_token=tiny.UNKNOWN
    )


@pytest.mark.parametrize(
    ("single", "expected"),
    [(f"{tiny.BOS} $A", True), (f"$A {tiny.BOS}", False), ("$A", False)],
)
def test_a_token_at_the_end_of_texts_is_not_put_at_their_beginning(single, expected):
    model, _ = tiny.tiny_llama()
    assert models.wrap(model, with_template(single)).prepend_bos is expected


def test_a_special_token_that_is_typed_is_told(folders, analysis):
    texts = ("--target", " an", "--foil", " a", "--clean", f"I picked{tiny.BOS} an")
    _, _, err = analysis("next-token", "--model", folders["gpt2"], *texts, "--corrupted", "")
    assert err.count(f"note: your text holds {tiny.BOS};") == 1
    assert "puts one before the text too" in err
    _, _, err = analysis("next-token", "--model", folders["gpt2"], *texts[:4], "--clean", "I an")
    assert "your text holds" not in err


def test_the_token_before_a_text_is_shown(folders, answer):
    texts = ("--target", " an", "--foil", " a", "--clean", "I picked an", "--corrupted", "")
    for family, bos in (("gpt2", tiny.BOS), ("llama", None)):
        found = answer("next-token", "--model", folders[family], *texts)
        assert found["bos"] == bos


def test_special_tokens_are_those_that_stand_in_the_text(bytewise):
    assert special_in(bytewise, f"{made.SPECIAL}an {made.SPECIAL}") == (made.SPECIAL,)
    assert special_in(bytewise, "an apple") == ()
