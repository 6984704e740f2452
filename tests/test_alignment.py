"""Positions of two tokenizers are paired where both have read the same text."""

from analysis.engines.alignment import aligned
from analysis.vocabulary import Vocabulary


class Cut(Vocabulary):
    """Cuts every text at the same places."""

    def __init__(self, cuts, bos=False):
        self.cuts, self.prepend_bos = cuts, bos

    def spans(self, text):
        return [0] * len(self.cuts), self.cuts


def reader(*tokens, bos=False):
    """Cuts a text into these tokens."""
    ends = [sum(map(len, tokens[: i + 1])) for i in range(len(tokens))]
    cuts = [(end - len(token), end) for token, end in zip(tokens, ends, strict=True)]
    return Cut(cuts, bos)


TEXT = "one apple pie"


def test_equal_tokens_are_paired_one_by_one_but_the_first():
    same = reader("one", " apple", " pie")
    assert aligned(same, same, TEXT) == [(1, 1), (2, 2)]


def test_bos_shifts_a_models_positions_and_leaves_its_first_word_a_place():
    ours, theirs = reader("one", " apple", " pie"), reader("one", " apple", " pie", bos=True)
    assert aligned(ours, theirs, TEXT) == [(1, 2), (2, 3)]
    assert aligned(theirs, theirs, TEXT) == [(1, 1), (2, 2), (3, 3)]


def test_a_donors_token_goes_to_the_first_position_that_has_seen_all_of_it():
    # " apple" ends inside of "ple pie": only that one has seen all of it
    assert aligned(reader("one", " apple", " pie"), reader("one", " ap", "ple pie"), TEXT) == [
        (2, 2)
    ]


def test_of_several_donors_tokens_in_one_of_the_recipients_the_last_stands_for_all():
    assert aligned(
        reader("one", " a", "pp", "le", " pie"), reader("one", " apple", " pie"), TEXT
    ) == [(3, 1), (4, 2)]


def test_a_token_with_part_of_a_character_has_not_seen_it():
    # two tokens hold a byte each of the one character at 3: only the second has seen it
    bytewise = Cut([(0, 3), (3, 4), (3, 4)])
    assert aligned(reader("one", "é"), bytewise, "oneé") == [(1, 2)]
