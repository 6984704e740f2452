"""What is shown of an answer and can be taken away, and what a wrong question is told."""

import csv
import io
import json
import math
import shlex
import sys
from dataclasses import replace

import pytest

from analysis import __main__ as cli
from analysis.errors import UserError
from space import service
from space.questions import QUESTIONS
from space.session import Session
from space.settings import Settings
from space.view import View
from tests import tiny
from tests.space.asked import ARTICLES, OPTIONS, VIEW, is_one_sentence, tiny_loader


@pytest.fixture(scope="module", params=["gpt2", "llama", "neox"])
def folder(request, tmp_path_factory):
    model, tokenizer = getattr(tiny, f"tiny_{request.param}")()
    path = tmp_path_factory.mktemp("models") / f"tiny-{request.param}"
    model.save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


@pytest.fixture
def view(folder, monkeypatch, tmp_path):
    """The question to a model in a folder, which both the Space and the command line can load."""
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("AN_NEURON_CACHE", str(tmp_path))
    service.open_session(Session(Settings(models=(folder.name,))))
    return replace(VIEW, model=folder.name)


def on_the_command_line(command, monkeypatch, capsys):
    words = shlex.split(command)
    assert words[:3] == ["python", "-m", "analysis"]
    monkeypatch.setattr(sys, "argv", ["analysis", *words[3:], "--json"])
    code = cli.main()
    told = capsys.readouterr()
    assert code == 0, told.err
    return told.out.strip()


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_answer_has_a_finding_figures_that_draw_and_files_that_read_back(tiny_session, name):
    view = replace(VIEW, model=tiny_session.settings.models[0])
    answer = service.ask(name, view, OPTIONS.get(name, {}))
    assert answer.finding.endswith(".")
    assert isinstance(json.loads(answer.json, parse_constant=pytest.fail), dict)
    assert len(answer.figures) == len(QUESTIONS[name].figures)
    for figure in answer.figures:
        assert figure.data
        json.loads(figure.to_json())
    rows = list(csv.DictReader(io.StringIO(answer.csv, newline="")))
    assert len(rows) == len(answer.rows)
    for read, row in zip(rows, answer.rows, strict=True):
        assert {k: v for k, v in read.items() if v} == {
            k: str(v) for k, v in row.items() if v not in (None, "")
        }


@pytest.mark.parametrize("options", ["as the tabs ask", "none"])
@pytest.mark.parametrize("name", QUESTIONS)
def test_the_command_that_is_shown_gives_the_very_same_json(
    view, name, options, monkeypatch, capsys
):
    usual = {"row": 2, "position": 0} if name == "following" else {}
    given = OPTIONS.get(name, {}) if options == "as the tabs ask" else usual
    answer = service.ask(name, view, given)
    assert without_kept(on_the_command_line(answer.command, monkeypatch, capsys)) == answer.json


def without_kept(answer):
    """The answer without the place of the file that only the command line writes."""
    document = json.loads(answer)
    document.pop("kept", None)
    return json.dumps(document, ensure_ascii=False)


VIEWS = {
    "the model's own neuron": {"neuron": ""},
    "a text of one's own": {"text": " -- an egg' \"and\" $(a pear) \\ é 🍎\n"},
    "a text that begins with dashes": {"text": "--json", "clean": "-a tree", "corrupted": "-a dog"},
    "other words": {"target": " egg", "foil": " owl"},
    "the usual prompts": {"clean": View().clean, "corrupted": View().corrupted},
    "one usual prompt": {"clean": View().clean, "corrupted": View().clean.replace("apple", "egg")},
}


@pytest.mark.parametrize("name", [name for name in QUESTIONS if name != "following"])
@pytest.mark.parametrize("parts", VIEWS.values(), ids=list(VIEWS))
def test_the_command_asks_the_same_whatever_the_words(view, name, parts, monkeypatch, capsys):
    answer = service.ask(name, replace(view, **parts), OPTIONS.get(name, {}))
    assert without_kept(on_the_command_line(answer.command, monkeypatch, capsys)) == answer.json


def test_one_prompt_is_asked_alone(view, monkeypatch, capsys):
    answer = service.ask("next_token", replace(view, corrupted=""), {})
    assert on_the_command_line(answer.command, monkeypatch, capsys) == answer.json


@pytest.mark.parametrize("row", [0, 1, 2])
def test_what_follows_a_pressed_token_is_what_follows_the_text_up_to_it(view, row):
    """The row of the view's text, of the corrupted prompt, and of a random text."""
    seen = service.ask("activations", view, {"beside": True, "seed": 5}).result
    tokens = seen.tokens[seen.text(row)]
    told = service.ask("following", view, {"row": row, "position": 2, "seed": 5})
    assert tuple(json.loads(told.json)["tokens"]) == tuple(tokens[:3])
    assert len(ARTICLES) > 5


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


@pytest.fixture(scope="module")
def llama():
    session = Session(Settings(models=("tiny",)), tiny_loader)
    service.open_session(session)


@pytest.mark.parametrize("value", WRONG.values(), ids=list(WRONG))
@pytest.mark.parametrize(("name", "option"), NUMBERS)
def test_a_number_that_is_none_or_out_of_bounds_is_refused_in_a_sentence(
    llama, name, option, value
):
    with pytest.raises(UserError) as told:
        service.ask(name, VIEW, {**OPTIONS.get(name, {}), option: value})
    assert is_one_sentence(str(told.value))


@pytest.mark.parametrize("value", [None, 0, False, [], [" egg"], math.nan, "egg " * 100, " eggs egg"])
def test_a_token_that_is_none_is_refused_in_a_sentence(llama, value):
    with pytest.raises(UserError) as told:
        service.ask("writers", VIEW, {"token": value})
    assert is_one_sentence(str(told.value))


HALF = "\ud800"
WRONG_VIEWS = {
    "an unknown model": {"model": "gpt5"},
    "a model that is a path": {"model": "../../../../../etc"},
    "a model with a zero byte": {"model": "tiny\x00"},
    "a model that is half a character": {"model": HALF},
    "no prompts": {"clean": "", "corrupted": "", "text": ""},
    "prompts that are the same": {"corrupted": VIEW.clean},
    "prompts of different lengths": {"corrupted": VIEW.clean + " an egg"},
    "long prompts": {"clean": " an" * 125, "corrupted": " egg" * 125},
    "half a character": {"clean": HALF, "corrupted": HALF, "text": HALF},
    "half a target": {"target": HALF},
    "two targets": {"target": " an egg"},
    "no target": {"target": ""},
    "a foil that is the target": {"foil": VIEW.target},
    "no neuron": {"neuron": "the best"},
    "a neuron beyond": {"neuron": "L9N9999999"},
    "digits of another script": {"neuron": "L١N٣"},
}


@pytest.mark.parametrize("neuron", ["", VIEW.neuron], ids=["own", "named"])
@pytest.mark.parametrize("parts", WRONG_VIEWS.values(), ids=list(WRONG_VIEWS))
@pytest.mark.parametrize("name", QUESTIONS)
def test_a_view_that_cannot_be_asked_is_refused_in_a_sentence_or_does_not_matter(
    llama, name, parts, neuron
):
    try:
        answer = service.ask(name, replace(VIEW, **{"neuron": neuron, **parts}), OPTIONS.get(name, {}))
    except UserError as error:
        assert is_one_sentence(str(error))
    else:
        assert not set(parts) & {"model", *QUESTIONS[name].shares} or answer.json
