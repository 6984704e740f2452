"""Texts as tokens and back, by a model's tokenizer."""

from collections.abc import Sequence
from functools import cached_property

from transformers import PreTrainedTokenizerBase

from analysis.errors import UserError


class Vocabulary:
    """What a model has to do with text.

    Attributes:
        tokenizer: its tokenizer.
        prepend_bos: whether prompts start with the beginning-of-sequence token.
    """

    tokenizer: PreTrainedTokenizerBase
    prepend_bos: bool

    def tokens(self, text: str) -> list[int]:
        """Token ids of a text, led by the beginning-of-sequence token where the model wants it.

        Raises:
            UserError: the text is not valid Unicode.
        """
        if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
            raise UserError("The text holds half a character (a lone surrogate): remove it.")
        ids = self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        assert isinstance(ids, list)
        return [self._bos, *ids] if self.prepend_bos else ids

    @property
    def _bos(self) -> int:
        bos = self.tokenizer.bos_token_id
        assert isinstance(bos, int), "a model that wants a BOS token has one"
        return bos

    def pieces(self, word: str) -> list[int]:
        """Tokens of a word as it stands within a text: no BOS, and no space that is not its own.

        SentencePiece puts a space before every text; behind another character it does not.
        """
        own = self.tokens(word)[int(self.prepend_bos) :]
        if self.text(own) == word:
            return own
        before, both = self.tokens("\n"), self.tokens("\n" + word)
        behind = both[len(before) :]
        parted = both[: len(before)] == before and self.text(behind) == word
        return behind if parted else own

    def spans(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Tokens of a text, BOS left out, and where in it the characters of each begin and end."""
        self.tokens(text)  # says what is wrong with it
        found = self.tokenizer(
            text, add_special_tokens=False, return_offsets_mapping=True, verbose=False
        )
        return found["input_ids"], found["offset_mapping"]

    @cached_property
    def _anchor(self) -> tuple[list[int], str]:
        """A few tokens, and their text."""
        tokens = self.tokenizer("a", add_special_tokens=False)["input_ids"]
        return tokens, self._decoded(tokens)

    def _decoded(self, tokens: Sequence[int]) -> str:
        return str(self.tokenizer.decode(list(tokens), clean_up_tokenization_spaces=False))

    def text(self, tokens: Sequence[int]) -> str:
        """The text of tokens that stand behind others, leading space included.

        Decoded by themselves, SentencePiece's tokens would lose that space.
        """
        before, text = self._anchor
        return self._decoded([*before, *tokens]).removeprefix(text)

    def string(self, token: int) -> str:
        """The text of one token, leading space included."""
        return self.text([token])
