"""A word that lacks its space is told of, whatever the model would say, and by whoever asks."""

import pytest

from analysis.hints import hints
from space import service
from tests.questions import PAIR
from tests.space.questions import VIEW, ask
from tests.space.server import tiny
from tests.subjects import kept


@pytest.mark.parametrize(
    ("target", "foil", "message"),
    [
        (" an", " a", []),
        ("I", " a", ["'I' has no space before it"]),
        ("I", "The", ["'I' has no space before it"]),  # " The" is no token here
        (".", ",", []),
    ],
)
def test_a_word_without_its_space_is_told_where_it_is_a_token_with_it(target, foil, message):
    question = PAIR.replaced(target=target, foil=foil)
    found = hints(kept("llama").subject(), question)
    assert [hint.split(",")[0] for hint in found] == message


def test_prompts_of_unequal_length_are_told():
    subject = kept("llama").subject()
    (found,) = hints(subject, PAIR.replaced(clean=PAIR.clean, corrupted=f"{PAIR.clean} an"))
    assert found.startswith("The clean prompt has 8 tokens and the corrupted one 9: places")
    assert hints(subject, PAIR) == hints(subject, PAIR.replaced(clean=PAIR.clean)) == ()


def test_it_stands_below_the_answer_of_the_app():
    service.open_session(tiny())
    service.session().warm()
    words = {"target": "I", "foil": "The"}
    answer = ask("next_token", VIEW.__class__(**{**vars(VIEW), **words}))
    assert [hint[:3] for hint in answer.hints] == ["'I'"]
    assert ask("next_token", VIEW).hints == ()


def test_a_token_that_is_asked_for_by_itself_is_told_of_in_place_of_the_questions_words(
    analysis, llama_folder
):
    given = ("writers", "--model", llama_folder, "--json", "--token")
    code, _, err = analysis(*given, "I")
    assert code == 0, err
    assert "note: 'I' has no space before it" in err
    assert "note" not in analysis(*given, " I")[2]


def test_the_command_line_notes_it(analysis, llama_folder):
    given = ("next-token", "--model", llama_folder, "--clean", PAIR.clean, "--json")
    code, out, err = analysis(
        *given, "--corrupted", PAIR.corrupted, "--target", "I", "--foil", " a"
    )
    assert code == 0, err
    assert "note: 'I' has no space before it" in err
    assert out.startswith("{")


@pytest.mark.parametrize(
    ("clean", "corrupted", "target", "told"),
    [
        (" ", " ", " an", "Both prompts end in a space, and ' an' begins with one"),
        (
            "",
            "\n",
            " an",
            "The corrupted prompt ends in a line's end, and ' an' begins with a space",
        ),
        (" ", " ", "I", ""),
        ("", "", " an", ""),
    ],
)
def test_a_space_behind_a_prompt_is_told_where_words_begin_with_one(clean, corrupted, target, told):
    prompts = {"clean": PAIR.clean + clean, "corrupted": PAIR.corrupted + corrupted}
    question = PAIR.replaced(**prompts, target=target, foil=" a" if target[0] == " " else "The")
    found = [h for h in hints(kept("llama").subject(), question) if "prompt" in h and " in a " in h]
    assert [each.split(":")[0] for each in found] == [told] * bool(told)
