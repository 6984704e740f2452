"""What a question that cannot be asked is told: one sentence, whatever was wrong with it."""

import math
from dataclasses import replace

import gradio as gr
import pytest

from analysis import running
from analysis.errors import UserError
from analysis.experiments import named
from space import service
from space.endpoints import is_open
from space.session import Session
from space.settings import PAIR_TOKENS, Settings
from tests.space.questions import (
    FOLLOWING,
    LIVE,
    NAMES,
    OPTIONS,
    VIEW,
    ask,
    is_one_sentence,
    tiny_loader,
)

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
    *(
        (each.name, o.name)
        for each in LIVE
        for o in each.options
        if is_open(o) and o.kind is not str
    ),
    (FOLLOWING, "seed"),
]


@pytest.fixture(scope="module", autouse=True)
def tiny():
    session = Session(Settings(models=("tiny",)), tiny_loader)
    service.open_session(session)


@pytest.mark.parametrize("value", WRONG.values(), ids=list(WRONG))
@pytest.mark.parametrize(("name", "option"), NUMBERS)
def test_a_number_that_is_none_or_out_of_bounds_is_refused_in_a_sentence(name, option, value):
    with pytest.raises(UserError) as found:
        ask(name, VIEW, {**OPTIONS.get(name, {}), option: value})
    assert is_one_sentence(str(found.value))


@pytest.mark.parametrize("value", [0, False, [], [" egg"], math.nan, "egg " * 100, " eggs egg"])
def test_a_token_that_is_none_is_refused_in_a_sentence(value):
    with pytest.raises(UserError) as found:
        ask("writers", VIEW, {"token": value})
    assert is_one_sentence(str(found.value))


def test_what_fails_here_is_told_apart_from_mistakes_and_where_is_in_the_log(monkeypatch, capsys):
    secret = "weights of the model"
    monkeypatch.setattr(running, "compute", lambda *_: {}[secret])
    with pytest.raises(service.FailedError) as found, service.told():
        service.ask(named("logit_lens"), VIEW, {})
    error = service.as_error(found.value)
    assert (error.title, error.message) == (service.FAILED, service.HERE)
    assert is_one_sentence(service.HERE)
    logged = capsys.readouterr().err
    assert logged.startswith("error: KeyError at ")
    assert secret not in logged


@pytest.mark.parametrize("own", [gr.Error("The quota is used up."), UserError("It is no pair.")])
def test_what_the_platform_or_a_refusal_says_is_told_as_it_is(monkeypatch, own):
    def refused(*_):
        raise own

    monkeypatch.setattr(running, "compute", refused)
    with pytest.raises(type(own)) as found, service.told():
        service.ask(named("logit_lens"), VIEW, {})
    assert found.value is own


PLACES = ["", "a", "0", ":", "0:", "0:-1", "9:0", "0:99", "0:٣", "0:1:2", "0:99999", None, [], 1.5]


@pytest.mark.parametrize("value", PLACES, ids=repr)
def test_a_place_where_no_token_is_is_refused_in_a_sentence(value):
    with pytest.raises(UserError) as found:
        ask(FOLLOWING, VIEW, {"place": value, "seed": 0})
    assert is_one_sentence(str(found.value))


def test_a_visitors_bounds_are_those_that_are_declared_for_visitors():
    """The command line may ask more."""
    declared = {o.name: o for o in named("corpus_scan").options}["documents"]
    with pytest.raises(UserError, match="from 1 to 8"):
        ask("corpus_scan", VIEW, {"documents": 9})
    assert declared.check(9) == 9


HALF = "\ud800"
LONG = PAIR_TOKENS + 5
FOR_A_PAIR = {"clean": " an" * LONG, "corrupted": " egg" * LONG}
WRONG_VIEWS = {
    "an unknown model": {"model": "gpt5"},
    "a model that is a path": {"model": "../../../../../etc"},
    "a model with a zero byte": {"model": "tiny\x00"},
    "a model that is half a character": {"model": HALF},
    "no prompts": {"clean": "", "corrupted": "", "text": ""},
    "prompts that are the same": {"corrupted": VIEW.clean},
    "long prompts": {"clean": " an" * 500, "corrupted": " egg" * 500, "text": " an" * 500},
    "prompts too long for a pair": FOR_A_PAIR,
    "half a letter": {"clean": HALF, "corrupted": HALF, "text": HALF},
    "half a target": {"target": HALF},
    "two targets": {"target": "  an"},
    "no target": {"target": ""},
    "a foil that is the target": {"foil": VIEW.target},
    "no neuron": {"neuron": "the best"},
    "a neuron beyond": {"neuron": "L9N9999999"},
    "digits of another script": {"neuron": "L١N٣"},
}


@pytest.mark.parametrize("name", ["patching", "upstream"])
def test_prompts_of_different_lengths_are_refused_where_positions_are_compared(name):
    with pytest.raises(UserError) as found:
        ask(name, replace(VIEW, corrupted=VIEW.clean + " an egg"))
    assert "same number of tokens" in str(found.value)
    assert is_one_sentence(str(found.value))


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (FOR_A_PAIR, "the longest pair allowed here"),
        ({"clean": " an" * 100, "corrupted": " egg" * 100}, "one answer may take"),
    ],
)
def test_no_model_is_swept_for_a_neuron_where_that_is_too_dear(parts, said, monkeypatch):
    monkeypatch.setattr(running, "best_neuron", lambda *_: pytest.fail("it was swept"))
    monkeypatch.setattr(service.session(), "budget", lambda _: 1000)
    view = replace(VIEW, neuron="", text="an egg", target=" egg", foil=" tree", **parts)
    with pytest.raises(UserError, match="No neuron is named, and to find one: ") as found:
        service.complete(view, named("activations"))
    assert said in str(found.value)


@pytest.mark.parametrize("parts", WRONG_VIEWS.values(), ids=list(WRONG_VIEWS))
@pytest.mark.parametrize("name", NAMES)
def test_a_view_that_cannot_be_asked_is_refused_in_a_sentence(name, parts, monkeypatch):
    experiment, view = named(name), replace(VIEW, **parts)
    if not reads(experiment, parts):
        monkeypatch.setattr(running, "compute", lambda *_: "computed")
        given = service.given(experiment, view, {})
        assert service.result(experiment, view, given) == "computed"
        return
    with pytest.raises(UserError) as found:
        ask(name, view, {} if name == "writers" else None)
    assert is_one_sentence(str(found.value))


def reads(experiment, parts):
    """Whether the experiment reads a part of the view that is wrong."""
    if parts == FOR_A_PAIR:
        return "pair" in experiment.needs
    if set(parts) == {"corrupted"} and experiment.name == "activations":
        return False  # it reads the two prompts each by itself
    read = {"model", "target", "foil"}
    if experiment.asks_about_a_neuron:
        read |= {"neuron"}
    if {"prompts", "pair"} & set(experiment.needs):
        read |= {"clean"} if experiment.name == "intervention" else {"clean", "corrupted"}
    if any(option.name == "text" for option in experiment.options):
        read |= {"text"}
    return read & set(parts)
