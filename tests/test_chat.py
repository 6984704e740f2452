"""Prompts in a model's own chat template, as its tokenizer renders them."""

import pytest

from analysis.chat import in_chat, rendered
from analysis.errors import UserError
from analysis.questions import Question
from tests import tiny
from tests.questions import CLEAN, TREES
from tests.subjects import make_subject

TEMPLATE = (
    "{{ bos_token }}{% for turn in messages %}{% if turn.role == 'system' and not turn.content %}"
    "{{ raise_exception('Say something') }}{% endif %}"
    "{{ turn.role }}: {{ turn.content }}. {% endfor %}"
    "{% if add_generation_prompt %}I saw{% endif %}"
)


@pytest.fixture
def tuned():
    subject = make_subject("gpt2")
    subject.tokenizer.chat_template = TEMPLATE
    return subject


@pytest.mark.parametrize("system", [None, "You are a pear"])
def test_the_model_reads_what_its_tokenizer_makes_of_the_turns(tuned, system):
    turns = [] if system is None else [{"role": "system", "content": system}]
    expected = tuned.tokenizer.apply_chat_template(
        [*turns, {"role": "user", "content": CLEAN}],
        add_generation_prompt=True,
        return_dict=False,
    )
    text = rendered(tuned, CLEAN, system)
    assert tuned.tokens(text) == expected
    assert not text.startswith(tiny.BOS)


@pytest.mark.parametrize("system", [None, "Answer in one word."])
def test_the_embedded_model_reads_the_turns_of_its_own_template(embedded, system):
    turns = [] if system is None else [{"role": "system", "content": system}]
    expected = embedded.tokenizer.apply_chat_template(
        [*turns, {"role": "user", "content": "Is Paris in France?"}],
        add_generation_prompt=True,
        return_dict=False,
    )
    assert embedded.tokens(rendered(embedded, "Is Paris in France?", system)) == expected


def test_every_prompt_and_sentence_of_a_question_becomes_a_turn(tuned):
    found = in_chat(tuned, TREES)
    assert found.clean == rendered(tuned, TREES.clean) == found.template.format("apple")
    assert found.natural[0].text == rendered(tuned, TREES.natural[0].text)
    assert (found.target_words, found.target) == (TREES.target_words, TREES.target)
    assert found.crossed is None
    assert found.key != TREES.key
    assert in_chat(tuned, Question(clean=CLEAN, target=" an", foil=" a")).corrupted == ""


def test_what_no_template_takes_is_told_in_a_sentence(tuned):
    with pytest.raises(UserError, match="The chat template of tiny-gpt2 takes no such turns: Say"):
        rendered(tuned, CLEAN, "")
    tuned.tokenizer.chat_template = None
    with pytest.raises(UserError, match="tiny-gpt2 has no chat template: leave out --chat"):
        rendered(tuned, CLEAN)


def test_braces_in_a_system_prompt_are_refused_where_they_would_mark_the_place_of_a_word(tuned):
    with pytest.raises(UserError, match="The system prompt has braces"):
        in_chat(tuned, TREES, "Answer as {json}.")
    pair = Question(clean=CLEAN, target=" an", foil=" a")
    assert "as {json}" in in_chat(tuned, pair, "Answer as {json}.").clean


@pytest.mark.slow
def test_a_verb_shows_the_rendered_prompt_and_a_model_without_template_says_so(
    analysis, folders, tmp_path
):
    from transformers import AutoTokenizer

    folder = folders["llama"]
    code, out, err = analysis("prompt", "--model", folder, "--chat", "--clean", CLEAN)
    assert (code, out) == (2, "")
    assert "has no chat template" in err
    code, _, err = analysis("prompt", "--model", folder, "--system", "x", "--clean", CLEAN)
    assert code == 2
    assert "--system is a part of a chat: give --chat too." in err
    for file in folder.iterdir():
        (tmp_path / file.name).symlink_to(file)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template = TEMPLATE
    for name in ("tokenizer_config.json", "tokenizer.json", "special_tokens_map.json"):
        (tmp_path / name).unlink(missing_ok=True)
    tokenizer.save_pretrained(tmp_path)
    code, out, err = analysis("prompt", "--model", tmp_path, "--chat", "--clean", CLEAN, "--json")
    assert code == 0, err
    assert f"user: {CLEAN}. I saw" in out
    assert f"in its chat template the clean prompt is '{tiny.BOS}user: {CLEAN}. I saw'" in err
