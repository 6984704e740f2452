"""Story and Words show what is committed of the model and the words that are asked, or nothing."""

import gradio as gr
import pytest

from analysis import EMBEDDED, questions, results
from analysis.experiments import named
from analysis.sentences import alone
from space import html, library, story
from space.shelves import LIBRARY, STORY, Shelf, opened
from space.story import studied
from space.view import View
from tests.space.questions import sent
from tests.synthetic import Plan, save
from tests.synthetic.over_questions import over_questions, save_rows

pytestmark = pytest.mark.slow

OTHER = "gemma-3-270m"
HER = questions.load("her")


def shown(tab, open_tab=None, **parts):
    """What stands on a tab for a view: its texts, and the figures that are seen."""
    with gr.Blocks():
        shelf = Shelf(tab)
    values = opened([shelf], sent(**{**vars(View()), **parts, "tab": open_tab or tab}))
    assert len(values) == len(shelf.outputs)
    if values == shelf.keep():
        return None
    seen = [update["value"] for update in values[1:-1] if update["visible"]]
    texts = [each for each in seen if isinstance(each, str)]
    return " ".join([values[0], *texts, values[-1]]), [f for f in seen if not isinstance(f, str)]


def test_each_model_is_shown_its_own_study_and_its_own_table():
    ours, theirs = shown(STORY)[0], shown(STORY, model=OTHER)[0]
    assert f"committed study of {EMBEDDED} for" in ours
    assert OTHER not in ours
    assert f"committed study of {OTHER} for" in theirs
    assert EMBEDDED not in theirs
    assert shown(LIBRARY)[1]
    text, figures = shown(LIBRARY, model=OTHER)
    assert f"no committed table of {OTHER}" in text
    assert not figures


def test_who_has_a_neuron_stands_above_the_table_of_words_and_the_rest_below():
    with gr.Blocks():
        shelf = Shelf(LIBRARY)
    head, *_, foot = shelf.show(View())
    claims = alone(named(LIBRARY), library.committed(EMBEDDED).result)
    assert claims.who in head
    rest = claims.needed, claims.news, claims.untold
    assert all(rest)
    assert foot.endswith(html.foot(library.committed(EMBEDDED), embeds=False))
    assert all(said in foot and said not in head for said in rest)


def test_each_question_of_the_library_is_shown_its_own_story():
    parts = {"question": HER.name, "target": HER.target, "foil": HER.foil}
    text, figures = shown(STORY, **parts)
    found = story.story(EMBEDDED, "her")
    assert [figure.layout.title for figure in figures] == [f.layout.title for _, f in found.figures]
    assert all(caption in text for caption, _ in found.figures)
    assert text != shown(STORY)[0]


def test_words_of_a_visitors_own_have_no_study():
    for own in ({"target": " dog"}, {"lines": "a b, a c,  d,  e"}):
        text, figures = shown(STORY, **own)
        assert "no committed study" in text
        assert not figures


def test_only_the_open_tab_is_filled():
    assert shown(STORY, open_tab="find") is None
    with gr.Blocks():
        shelf = Shelf(STORY)
    assert opened([shelf], "no view") == shelf.keep()


def test_what_is_no_committed_model_is_never_looked_for(tmp_path, monkeypatch):
    (tmp_path / "kept").mkdir()
    (tmp_path / "outside").mkdir()
    monkeypatch.setattr(results, "COMMITTED", tmp_path / "kept")
    monkeypatch.setattr(story, "load_evidence", None)
    monkeypatch.setattr(library, "kept", None)
    for model in ("../outside", "", ".", "x" * 80, EMBEDDED):
        assert model not in studied()
        assert story.story(model) is None
        assert library.committed(model) is None


def test_what_cannot_be_read_is_told_and_shown_again_once_it_is_whole(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(results, "COMMITTED", tmp_path)
    study = save(Plan(), tmp_path)
    study = study.rename(study.parent / questions.DEFAULT)
    save_rows(tmp_path, over_questions(Plan()))
    row = next(tmp_path.glob("*/*/library.json"))
    for spoilt, read in ((study / "patching.json", story.story), (row, library.committed)):
        whole = spoilt.read_text()
        spoilt.write_text(whole[:-9])
        assert read(EMBEDDED) is None
        assert f"is not shown: The result {spoilt} is damaged" in capsys.readouterr().err
        spoilt.write_text(whole)
        assert read(EMBEDDED) is not None
        assert capsys.readouterr().err == ""


def test_a_question_that_has_no_study_is_no_trouble(capsys):
    assert story.story(EMBEDDED, "who") is None
    assert capsys.readouterr().err == ""
