import json
import shlex

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analysis.answer import as_json, command_line

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1)


@given(TEXT, TEXT)
def test_a_command_line_survives_the_shell_whatever_its_texts_hold(clean, target):
    words = shlex.split(command_line("neuron-sweep", clean=clean, target=target, neuron=None))
    assert words[:2] == ["an-neuron", "neuron-sweep"]
    assert "--neuron" not in words
    given = dict(zip(*[iter(_parted(words[2:]))] * 2, strict=True))
    assert given == {"--clean": clean, "--target": target}


def _parted(words):
    """Options and values apart, ``--name=-value`` too."""
    for word in words:
        yield from word.split("=", 1) if word.startswith("--") and "=-" in word else [word]


def test_a_value_that_begins_with_a_dash_stays_a_value():
    assert command_line("ablation", factor=-2.5) == "an-neuron ablation --factor=-2.5"


@given(st.floats(width=32), st.text())
def test_every_answer_is_json_that_any_reader_takes(number, text):
    document = {"a": np.float32(number), "b": [np.array([number]), (text, None)]}

    def refuse(constant):
        raise AssertionError(constant)

    json.loads(as_json(document), parse_constant=refuse)


def test_a_switch_stands_without_a_value_and_one_that_is_off_with_its_no():
    assert command_line("census", behaviour=True, top=None) == "an-neuron census --behaviour"
    found = command_line("census", behaviour=False, top=3)
    assert found == "an-neuron census --no-behaviour --top 3"
