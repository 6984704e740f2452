"""An experiment that is registered is asked by the app with no other line: a toy."""

import inspect
from dataclasses import replace

import pytest

from analysis import experiments
from analysis.errors import UserError
from space import service, tabs
from space.controls import controls
from space.endpoints import endpoint, endpoints
from tests.space.questions import VIEW, is_one_sentence
from tests.space.server import tiny
from tests.toy_experiment import EXPERIMENT as TOY


@pytest.fixture(scope="module", autouse=True)
def registered():
    experiments.register(TOY)
    service.open_session(tiny())
    yield
    experiments.EXPERIMENTS.remove(TOY)


def test_it_stands_on_a_tab_of_its_own_before_what_is_committed():
    *_, tab, _, _ = tabs.tabs()
    assert (tab.name, tab.title, tab.experiments) == (TOY.name, TOY.title, (TOY,))
    assert endpoints()[-1].__name__ == TOY.name


def test_it_stands_beside_others_where_its_declaration_says_so(monkeypatch):
    others = experiments.EXPERIMENTS[:-1]
    monkeypatch.setattr(tabs, "EXPERIMENTS", [*others, replace(TOY, tab="find")])
    *_, tab, _, _ = tabs.tabs()
    assert (tab.name, tab.title) == ("find", "Find")
    assert [each.name for each in tab.experiments] == ["find", TOY.name]


def test_its_control_and_its_parameter_are_what_is_declared_of_its_option():
    found = replace(TOY, app={"least": 3})
    slider = controls(found)["least"]
    assert (slider.label, slider.value) == (TOY.options[0].live.label, 3)
    assert (slider.minimum, slider.maximum, slider.step) == (1, 20, 1)
    parameter = inspect.signature(endpoint(found)).parameters["least"]
    assert (parameter.annotation, parameter.default) == (int, 3)
    assert f"least: {TOY.options[0].help} From 1 to 20." in inspect.getdoc(endpoint(found))


def test_its_answer_is_all_that_is_declared():
    answer = service.ask(TOY, VIEW, {"least": 6})
    assert answer.command == (
        "an-neuron toy-experiment --clean 'I climbed up the apple tree and picked' --corrupted "
        "'I climbed up the lemon tree and picked' --model tiny --least 6"
    )
    assert answer.finding.startswith("Few tokens are long: 2 of 8")
    assert (len(answer.figures), len(answer.rows)) == (1, 8)


@pytest.mark.parametrize("value", [0, 21, 2.5, "5", None])
def test_its_bounds_for_visitors_hold(value):
    with pytest.raises(UserError) as found:
        service.ask(TOY, VIEW, {"least": value})
    assert is_one_sentence(str(found.value))
    assert TOY.options[0].check(50) == 50
