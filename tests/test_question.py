import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import UserError
from analysis.neuron import Neuron, parse_neuron
from analysis.question import make_contrast, make_pair, make_prompt
from tests import tiny
from tests.conftest import CLEAN, CORRUPTED, make_subject


def test_a_pair_knows_where_its_prompts_part(subject, pair):
    assert [pair.clean.strings[i] for i in pair.differing] == [" apple"]
    assert pair.start == pair.differing[0]
    assert pair.clean.strings[: pair.start] == pair.corrupted.strings[: pair.start]


@pytest.mark.parametrize(
    ("clean", "corrupted", "target", "foil", "says"),
    [
        (CLEAN, CLEAN, " an", " a", "identical: change one word"),
        (CLEAN, "I climbed up the red lemon tree and picked", " an", " a",
         r"' apple'\] stands against \[' red', ' lemon'\]"),
        ("", CORRUPTED, " an", " a", "clean prompt is empty"),
        (CLEAN, "", " an", " a", "corrupted prompt is empty"),
        (CLEAN, CORRUPTED, " an egg", " a",
         r"2 tokens \(' an', ' egg'\) and must be one: try ' an'"),
        (CLEAN, CORRUPTED, " an", "", "foil is empty"),
        (CLEAN, CORRUPTED, " an", " an", "both ' an'"),
        (CLEAN + " an egg" * 100, CORRUPTED, " an", " a", "reads at most 128: shorten it"),
    ],
)  # fmt: skip
def test_a_bad_pair_is_refused_in_one_sentence(subject, clean, corrupted, target, foil, says):
    with pytest.raises(UserError, match=says) as caught:
        make_pair(subject, clean, corrupted, target, foil)
    assert "\n" not in str(caught.value)


def test_a_word_without_its_space_is_put_right(embedded):
    with pytest.raises(UserError, match=re.escape("try ' umbrella'")):
        make_contrast(embedded, "umbrella", " a")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([w for w in tiny.VOCABULARY if w[0] == " "]), min_size=1))
def test_prompts_over_the_vocabulary_survive_tokenisation(words):
    subject = make_subject("llama")
    prompt = make_prompt(subject, "".join(words))
    assert "".join(prompt.strings) == "".join(words)


@given(st.integers(0, 29), st.integers(0, 1535))
def test_a_neurons_name_is_read_back(layer, number):
    assert parse_neuron(str(Neuron(layer, number)), 30, 1536) == Neuron(layer, number)


@pytest.mark.parametrize("text", ["", "L1", "L1N", "1.5", "L-1N3", "L1N2x", "L٣N٤", "L1 N2", "🍎"])
def test_a_malformed_neuron_is_refused(text):
    with pytest.raises(UserError, match="is not a neuron: write layer and"):
        parse_neuron(text, 30, 1536)


@pytest.mark.parametrize("text", ["L30N0", "L0N1536", "L9999N9999999"])
def test_a_neuron_that_the_model_lacks_is_refused(text):
    with pytest.raises(UserError, match="layers go from 0 to 29 and neurons from 0 to 1535"):
        parse_neuron(text, 30, 1536)
