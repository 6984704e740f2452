"""What is shown of an answer and can be taken away."""

import csv
import io
import json
import shlex
import sys
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from analysis import __main__ as cli
from analysis import results, running
from analysis.declaration import Experiment
from analysis.errors import UserError
from analysis.experiments import named
from analysis.loading import models
from analysis.study import folder_of
from space import html, service
from space.kept import Kept
from space.own import question_of
from space.session import Session
from space.settings import Settings
from space.view import View, library
from tests import tiny
from tests.space.questions import ASKED, FOLLOWING, LIVE, NAMES, VIEW, ask
from tests.verbs import made_once

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("computed_once")]

only_llama = pytest.mark.parametrize("folder", ["llama"], indirect=True)


@pytest.fixture(scope="module", params=["gpt2", "llama"])
def folder(request, folders):
    """One model that reads a mark before each text, and one that does not."""
    return folders[request.param]


@pytest.fixture(scope="module", autouse=True)
def loaded_once():
    """A model is read from its folder once: the command line asks for it with every command."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "load", cache(models.load))
        yield


@pytest.fixture(scope="module")
def session(folder):
    return Session(
        Settings(models=(folder.name,)), lambda name, _: models.load(name, "cpu", "float32")
    )


@pytest.fixture
def view(folder, session, monkeypatch, tmp_path):
    """The question to a model in a folder, which both the Space and the command line can load."""
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("AN_NEURON_CACHE", str(tmp_path))
    service.open_session(session)
    return replace(VIEW, model=folder.name)


def on_the_command_line(command, monkeypatch, capsys):
    words = shlex.split(command)
    assert words[0] == "an-neuron"
    made_once(monkeypatch)
    monkeypatch.setattr(sys, "argv", [*words, "--json"])
    code = cli.main()
    text = capsys.readouterr()
    assert code == 0, text.err
    return text.out.strip()


@pytest.mark.parametrize("name", ASKED)
def test_every_answer_has_a_finding_figures_that_draw_and_files_that_read_back(view, name):
    answer = ask(name, view)
    assert answer.finding.endswith(".")
    assert isinstance(json.loads(answer.json, parse_constant=pytest.fail), dict)
    live = [figure for figure in answer.experiment.figures if figure.live]
    drawn = [answer.experiment.draw(figure, answer.result) for figure in live]
    assert len(answer.figures) == sum("Nothing to draw" not in each.to_json() for each in drawn)
    for figure in answer.figures:
        assert figure.data
        json.loads(figure.to_json())
    rows = list(csv.DictReader(io.StringIO(answer.csv, newline="")))
    assert len(rows) == len(answer.rows)
    for read, row in zip(rows, answer.rows, strict=True):
        assert {k: as_text(v) for k, v in read.items() if as_text(v)} == {
            k: str(v).lower() if isinstance(v, bool) else str(v)
            for k, v in row.items()
            if v not in (None, "")
        }


def as_text(cell):
    """A cell as it was: tokens, and what a spreadsheet could take for a formula, are quoted."""
    return json.loads(cell) if cell.startswith('"') else cell


@pytest.mark.parametrize("name", ASKED)
def test_the_command_that_is_shown_gives_the_very_same_json(
    view, name, computed_once, monkeypatch, capsys
):
    """Computed anew for one of the models."""
    answer = ask(name, view)
    if view.model == "tiny-llama":
        monkeypatch.setattr(running, "compute", computed_once.anew)
    same(answer, monkeypatch, capsys)


def same(answer, monkeypatch, capsys):
    """The command that is shown answers what is shown."""
    assert without_kept(on_the_command_line(answer.command, monkeypatch, capsys)) == answer.json


def without_kept(answer):
    """The answer without the place of the file that only the command line writes."""
    document = json.loads(answer)
    document.pop("kept", None)
    return json.dumps(document, ensure_ascii=False)


OTHER_OPTIONS = [
    (FOLLOWING, {"place": "2:1", "seed": 0}),
    ("activations", {}),
    ("writers", {"token": ""}),
    ("writers", {"token": VIEW.foil, "top": 3}),
    ("patching", {"component": "z"}),
    ("neuron_sweep", {}),
    ("neuron_sweep", {"screen": 0}),
    ("find", {"screen": 16}),
    ("corpus_scan", {}),
    ("corpus_scan", {"documents": 3.0, "seed": 1.0}),
    ("direct_effect", {"seed": 7}),
    ("intervention", {}),
    ("intervention", {"factor": 3.0, "length": 2}),
]


@only_llama
@pytest.mark.parametrize(("name", "options"), OTHER_OPTIONS)
def test_the_command_names_every_option_that_the_command_line_takes_otherwise(
    view, name, options, monkeypatch, capsys
):
    same(ask(name, view, options), monkeypatch, capsys)


USUAL = View()
VIEWS = {
    "dashes, quotes, dollars and other words": {
        "text": '--json\' "and" $(a pear) \\ é 🍎\n',
        "clean": "-a $ tree",
        "corrupted": "-a $ dog",
        "target": " egg",
        "foil": " owl",
    },
    "all as usual": {"neuron": "", "clean": USUAL.clean, "corrupted": USUAL.corrupted},
    "one usual prompt": {"clean": USUAL.clean, "corrupted": USUAL.clean.replace("apple", "dog")},
}


@only_llama
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("parts", VIEWS.values(), ids=list(VIEWS))
def test_the_command_asks_the_same_whatever_the_words(
    view, name, parts, computed_once, session, monkeypatch, capsys
):
    """Most are asked and not computed: in its place stands what is known of the usual words."""
    if "target" in parts and "words" in named(name).needs:
        pytest.skip("these words have no others")
    other = replace(view, **parts)
    if name in THEIR_OWN:
        same(ask(name, other), monkeypatch, capsys)
        return
    ask(name, view)
    asked = []

    def compute(experiment, subject, given, _progress=None):
        asked.append(running.provenance(experiment, subject, given).key)
        return computed_once.last[experiment.name]

    monkeypatch.setattr(running, "compute", compute)
    monkeypatch.setattr(session, "answers", Kept())
    same(ask(name, other), monkeypatch, capsys)
    assert len(asked) == 2
    assert len(set(asked)) == 1


THEIR_OWN = [each.name for each in LIVE if each.has("command")]
"""Those whose command does more than compute and print."""


@only_llama
@pytest.mark.parametrize("name", ["generality", "next_token"])
def test_the_command_names_the_question_whose_words_are_asked(view, name, monkeypatch, capsys):
    """One of them reads the question's other words, the other one its prompts."""
    other = library()[1]
    found = ask(name, replace(view, target=other.target, foil=other.foil))
    assert f"--question {other.name}" in found.command
    assert ("--clean" in found.command) == (name == "next_token")
    same(found, monkeypatch, capsys)


@only_llama
def test_one_prompt_is_asked_alone(view, monkeypatch, capsys):
    answer = ask("next_token", replace(view, corrupted=""))
    assert on_the_command_line(answer.command, monkeypatch, capsys) == answer.json


@pytest.mark.parametrize("row", [0, 1, 2])
def test_what_follows_a_pressed_token_is_what_follows_the_text_up_to_it(tiny_session, row):
    """The row of the view's text, of the corrupted prompt, and of a random text."""
    view = replace(VIEW, model=tiny_session.settings.models[0])
    seen = ask("activations", view, {"seed": 5}).result
    tokens = seen.tokens[seen.text(row)]
    document = json.loads(ask(FOLLOWING, view, {"place": f"{row}:2", "seed": 5}).json)
    assert document["tokens"] == list(tokens[:3])
    assert document["prompt"] == "".join(token for token in tokens[:3] if token != tiny.BOS)


@pytest.mark.parametrize("tiny_session", ["gpt2"], indirect=True)
def test_the_mark_before_a_text_has_an_answer_but_no_command(tiny_session):
    """No text is read as the mark alone: the command line has nothing to be given."""
    view = replace(VIEW, model=tiny_session.settings.models[0])
    answer = ask(FOLLOWING, view, {"place": "0:0", "seed": 0})
    assert json.loads(answer.json)["tokens"] == [tiny.BOS]
    assert answer.command == ""
    assert "command line" not in html.foot(answer)


@pytest.fixture
def committed_lens(tiny_session, tmp_path, monkeypatch):
    """A committed study of the tiny model that has the lens, and a session that is busy."""
    (model,) = tiny_session.settings.models
    view, lens = replace(VIEW, model=model), named("logit_lens")
    with tiny_session.alone(model):
        subject = tiny_session.subject(model)
    given = running.inputs(lens, subject, question_of(view, lens), view.neurons)
    result = running.compute(lens, subject, given)
    folder = folder_of(tmp_path, subject, given.question)
    results.save(folder, lens.name, result, replace(result.provenance, device="another machine"))
    monkeypatch.setattr(results, "COMMITTED", tmp_path)

    def busy(_name):
        raise UserError("The model is busy.")

    monkeypatch.setattr(tiny_session, "alone", busy)
    monkeypatch.setattr(tiny_session, "answers", Kept())
    return view, result


def test_what_the_committed_study_was_asked_waits_for_no_model(committed_lens):
    view, result = committed_lens
    answer = service.ask(named("logit_lens"), view, {})
    assert np.array_equal(answer.result.logit_diff, result.logit_diff)


@pytest.mark.parametrize("part", [{"target": " egg"}, {"clean": f"{VIEW.clean} the"}])
def test_another_question_waits_for_the_model(committed_lens, part):
    view, _ = committed_lens
    with pytest.raises(UserError, match="busy"):
        service.ask(named("logit_lens"), replace(view, **part), {})


def test_a_committed_answer_of_other_code_is_not_given(committed_lens, monkeypatch):
    view, _ = committed_lens
    monkeypatch.setattr(Experiment, "code", "0" * 16)
    with pytest.raises(UserError, match="busy"):
        service.ask(named("logit_lens"), view, {})
