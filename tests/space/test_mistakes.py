"""What a question that cannot be asked is told: one sentence, whatever was wrong with it."""

import math
from dataclasses import replace

import pytest

from analysis.errors import UserError
from space import service
from space.questions import QUESTIONS
from space.session import Session
from space.settings import Settings
from tests.space.asked import OPTIONS, VIEW, is_one_sentence, tiny_loader

WRONG = {
    "a word": "64",
    "nothing": None,
    "not a number": math.nan,
    "infinite": math.inf,
    "minus infinite": -math.inf,
    "a truth": True,
    "a falsehood": False,
    "huge": 10**400,
    "large": 1e308,
    "negative": -(10**30),
    "a list": [],
    "a list of one": [64],
    "a dictionary": {},
    "empty": "",
    "between": 64.5,
}
NUMBERS = [
    ("following", "row"),
    ("following", "position"),
    ("following", "seed"),
    ("activations", "seed"),
    ("direct_effect", "seed"),
    ("sweep", "screen"),
    ("find", "screen"),
    ("scan", "articles"),
    ("scan", "seed"),
    ("intervene", "length"),
    ("intervene", "factor"),
]


@pytest.fixture(scope="module", autouse=True)
def tiny():
    session = Session(Settings(models=("tiny",)), tiny_loader)
    service.open_session(session)


@pytest.mark.parametrize("value", WRONG.values(), ids=list(WRONG))
@pytest.mark.parametrize(("name", "option"), NUMBERS)
def test_a_number_that_is_none_or_out_of_bounds_is_refused_in_a_sentence(name, option, value):
    with pytest.raises(UserError) as told:
        service.ask(name, VIEW, {**OPTIONS.get(name, {}), option: value})
    assert is_one_sentence(str(told.value))


@pytest.mark.parametrize(
    "value", [None, 0, False, [], [" egg"], math.nan, "egg " * 100, " eggs egg"]
)
def test_a_token_that_is_none_is_refused_in_a_sentence(value):
    with pytest.raises(UserError) as told:
        service.ask("writers", VIEW, {"token": value})
    assert is_one_sentence(str(told.value))


HALF = "\ud800"
FOR_A_PAIR = {"clean": " an" * 125, "corrupted": " egg" * 125}
WRONG_VIEWS = {
    "an unknown model": {"model": "gpt5"},
    "a model that is a path": {"model": "../../../../../etc"},
    "a model with a zero byte": {"model": "tiny\x00"},
    "a model that is half a character": {"model": HALF},
    "no prompts": {"clean": "", "corrupted": "", "text": ""},
    "prompts that are the same": {"corrupted": VIEW.clean},
    "prompts of different lengths": {"corrupted": VIEW.clean + " an egg"},
    "long prompts": {"clean": " an" * 500, "corrupted": " egg" * 500, "text": " an" * 500},
    "prompts too long for a pair": FOR_A_PAIR,
    "half a letter": {"clean": HALF, "corrupted": HALF, "text": HALF},
    "half a target": {"target": HALF},
    "two targets": {"target": " an egg"},
    "no target": {"target": ""},
    "a foil that is the target": {"foil": VIEW.target},
    "no neuron": {"neuron": "the best"},
    "a neuron beyond": {"neuron": "L9N9999999"},
    "digits of another script": {"neuron": "L١N٣"},
}


@pytest.mark.parametrize("parts", WRONG_VIEWS.values(), ids=list(WRONG_VIEWS))
@pytest.mark.parametrize("name", QUESTIONS)
def test_a_view_that_cannot_be_asked_is_refused_in_a_sentence(name, parts):
    asked, options = replace(VIEW, **parts), OPTIONS.get(name, {}) if name != "writers" else {}
    shares = {"model", *QUESTIONS[name].shares}
    matters = "corrupted" in shares if parts == FOR_A_PAIR else shares & set(parts)
    if not matters:
        assert service.ask(name, asked, options).json
        return
    with pytest.raises(UserError) as told:
        service.ask(name, asked, options)
    assert is_one_sentence(str(told.value))
