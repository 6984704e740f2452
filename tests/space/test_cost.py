"""What would keep all others waiting is refused before the model is asked, with a way out."""

import gradio as gr
import pytest

import space.asks
from analysis import EMBEDDED, questions, running
from analysis.cost import cost
from analysis.experiments import EXPERIMENTS, named
from space import limits, service, tabs
from space.asks import Ask, comes_unwished
from space.controls import at_first, settable
from space.limits import TooDearError
from space.question_bar import QuestionBar
from space.service import TOO_DEAR
from space.settings import BUDGET, RATE
from space.view import View
from tests.space.questions import VIEW, ask, is_one_sentence, sent
from tests.space.server import tiny


@pytest.fixture(autouse=True)
def session(monkeypatch):
    """A model that is loaded, on a machine of which the speed is known."""
    session = tiny()
    session.warm()
    service.open_session(session)
    monkeypatch.setattr(session, "rate", lambda _: 10.0)
    return session


@pytest.mark.parametrize(
    ("name", "options", "most", "cheaper"),
    [
        ("patching", {}, 400, "bring the difference within 3 tokens of the end, or use the"),
        ("neuron_sweep", {"screen": 0}, 300, "measure the 64 likeliest, or use the"),
        ("find", {"screen": 100}, 300, "measure the 64 likeliest, or use the"),
        ("corpus_scan", {}, 10, "read fewer articles, or use the"),
    ],
)
def test_above_the_budget_it_is_told_what_it_would_take_and_what_takes_less(
    session, monkeypatch, name, options, most, cheaper
):
    monkeypatch.setattr(session, "budget", lambda _: most)
    monkeypatch.setattr(running, "compute", lambda *_: pytest.fail("it was worked out"))
    monkeypatch.setattr(session, "alone", lambda *_: pytest.fail("it waited for the model"))
    with pytest.raises(TooDearError) as found:
        ask(name, VIEW, options)
    said = str(found.value)
    assert is_one_sentence(said)
    assert f"one answer may take {most // 10} s: {cheaper} command line." in said
    assert service.as_error(found.value).title == TOO_DEAR


@pytest.mark.embedded
@pytest.mark.parametrize("name", [each.name for each in EXPERIMENTS if each.app is not None])
def test_what_a_button_asks_at_first_fits_on_a_slow_machine(embedded, name):
    """On the model that the app opens with, of its own question."""
    experiment, question = named(name), questions.default()
    options = {o.name: at_first(experiment, o) for o in settable(experiment)}
    given = running.inputs(experiment, embedded, question, ("L25N1527",), options, live=True)
    most = BUDGET * experiment.patience
    assert cost(experiment, embedded, given, RATE, most).passes <= most


def test_what_is_offered_fits(session, monkeypatch):
    monkeypatch.setattr(session, "budget", lambda _: 400)
    nearer = {"clean": "I climbed up the old tree and the apple tree", "corrupted": ""}
    view = VIEW.__class__(**{**vars(VIEW), **nearer})
    view = VIEW.__class__(**{**vars(view), "corrupted": view.clean.replace("apple", "lemon")})
    monkeypatch.setattr(limits, "LONGEST", 400)
    assert ask("patching", view).json


def test_the_button_says_how_long_it_takes_and_follows_the_question():
    patching = named("patching")
    (short, long) = (
        service.estimate(patching, VIEW.__class__(**{**vars(VIEW), **pair}), {}).time
        for pair in (
            {},
            {
                "clean": VIEW.clean + " an egg from the tree and an apple",
                "corrupted": VIEW.corrupted + " an egg from the tree and an apple",
            },
        )
    )
    assert 20 < int(short.removesuffix(" s")) < 100
    assert long.endswith(" min")
    assert tabs.USUAL_LABEL == "Ask this"


def test_what_cannot_be_asked_has_no_estimate():
    view = VIEW.__class__(**{**vars(VIEW), "corrupted": VIEW.clean})
    assert service.estimate(named("patching"), view, {}) is None
    assert service.estimate(named("direct_effect"), VIEW, {}) is None


def asked_unwished(opened, view=VIEW, **parts):
    """What the page asks by itself on a tab."""
    with gr.Blocks():
        bar = QuestionBar(service.session().settings, VIEW)
        asks = tabs.build(next(each for each in tabs.tabs() if each.name == opened), bar)
    return comes_unwished(asks, sent(**{**vars(view), **parts, "tab": opened}))


@pytest.mark.slow
def test_on_a_tab_that_would_open_empty_what_is_cheap_comes_by_itself(monkeypatch):
    assert asked_unwished("find") == "find"
    assert asked_unwished("patching") == "", "two answers come there anyway"
    assert asked_unwished("find", corrupted=VIEW.clean) == "", "it cannot be asked"
    assert asked_unwished("story") == ""
    assert comes_unwished([], "no view") == ""
    dear = service.estimate(named("find"), VIEW, {}).passes - 1
    monkeypatch.setattr(space.asks, "AT_ONCE", dear)
    assert asked_unwished("find") == ""
    monkeypatch.setattr(Ask, "cheap", lambda *_: True)
    assert asked_unwished("upstream") == "upstream"
    assert asked_unwished("upstream", View(model=EMBEDDED)) == "", "the committed study answers it"
