import ast
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import questions
from analysis.contrast import make_contrast
from analysis.errors import UserError
from analysis.experiments import EXPERIMENTS
from analysis.neuron import Neuron, parse_neuron
from analysis.prompts import make_pair, make_prompt
from analysis.questions import Question
from analysis.questions.parts import Pair
from tests import tiny
from tests.questions import CLEAN, CORRUPTED, PAIR, TREES, TREES_FILE
from tests.subjects import make_subject

ROOT = Path(__file__).resolve().parent.parent


def test_a_pair_knows_where_its_prompts_part(subject, pair):
    assert [pair.clean.strings[i] for i in pair.differing] == [" apple"]
    assert pair.start == pair.differing[0]
    assert pair.clean.strings[: pair.start] == pair.corrupted.strings[: pair.start]


@pytest.mark.parametrize(
    ("clean", "corrupted", "target", "foil", "says"),
    [
        (CLEAN, CLEAN, " an", " a", "identical: change one word"),
        (CLEAN, "I climbed up the red lemon tree and picked", " an", " a",
         r"' apple'\] stands against \[' red', ' lemon'\]"),
        ("", CORRUPTED, " an", " a", "clean prompt is empty"),
        (CLEAN, "", " an", " a", "corrupted prompt is empty"),
        (CLEAN, CORRUPTED, " an egg", " an", "' an egg' begins with ' an', so that the one is no"),
        (CLEAN, CORRUPTED, " an", "", "foil is empty"),
        (CLEAN, CORRUPTED, " an", " an", "both ' an'"),
        (CLEAN + " an egg" * 100, CORRUPTED, " an", " a", "reads at most 128: shorten it"),
    ],
)  # fmt: skip
def test_a_bad_pair_is_refused_in_one_sentence(subject, clean, corrupted, target, foil, says):
    with pytest.raises(UserError, match=says) as caught:
        make_pair(subject, clean, corrupted, target, foil)
    assert "\n" not in str(caught.value)


def test_a_word_without_its_space_is_put_right(embedded):
    with pytest.raises(UserError, match=re.escape("try ' umbrella'")):
        make_contrast(embedded, "umbrella", " a")


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("     \n\n  \t ", "must be one: choose another word."),  # never a space
        (" a|antidisestablishment", "must be one: choose another word."),  # never its piece ' ant'
        (
            " a|\U0001f9ec\U0001f9ec",
            "tokens and must be one: choose another word.",
        ),  # never half of one
        ("  an", "The target '  an' is 2 tokens (' ', ' an') and must be one: try ' an'."),
    ],
)
def test_what_is_suggested_is_a_word(embedded, word, says):
    with pytest.raises(UserError) as caught:
        make_contrast(embedded, word, " the")
    assert says in str(caught.value)
    assert "\ufffd" not in str(caught.value)


@pytest.mark.slow
@settings(max_examples=60)
@given(st.lists(st.sampled_from([w for w in tiny.VOCABULARY if w[0] == " "]), min_size=1))
def test_prompts_over_the_vocabulary_survive_tokenisation(words):
    subject = make_subject("llama")
    prompt = make_prompt(subject, "".join(words))
    assert "".join(prompt.strings) == "".join(words)


@given(st.integers(0, 29), st.integers(0, 1535))
def test_a_neurons_name_is_read_back(layer, number):
    assert parse_neuron(str(Neuron(layer, number)), 30, 1536) == Neuron(layer, number)


@pytest.mark.parametrize("text", ["L1N2", "l1n2", " L1N2\u2212", "L1N2-"])
def test_a_neuron_may_be_typed_with_the_minus_that_the_answers_put_behind_it(text):
    assert parse_neuron(text, 30, 1536) == Neuron(1, 2)


@pytest.mark.parametrize(
    "text", ["L1N2+", "L1N2\u2212\u2212", "\u2212L1N2", "L1N\u22122", "L1N2\u2013"]
)
def test_no_other_sign_belongs_to_a_neurons_name(text):
    with pytest.raises(UserError, match="is not a neuron"):
        parse_neuron(text, 30, 1536)


@pytest.mark.parametrize("text", ["", "L1", "L1N", "1.5", "L-1N3", "L1N2x", "L٣N٤", "L1 N2", "🍎"])
def test_a_malformed_neuron_is_refused(text):
    with pytest.raises(UserError, match="is not a neuron: write layer and"):
        parse_neuron(text, 30, 1536)


@pytest.mark.parametrize("text", ["L30N0", "L0N1536", "L9999N9999999"])
def test_a_neuron_that_the_model_lacks_is_refused(text):
    with pytest.raises(UserError, match="layers go from 0 to 29 and neurons from 0 to 1535"):
        parse_neuron(text, 30, 1536)


def written(folder, *changes, text=None):
    """The tests' own question file with some lines exchanged, or another text."""
    text = TREES_FILE.read_text(encoding="utf-8") if text is None else text
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = folder / "mine.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    return path


TEMPLATE = 'template = "I climbed up the {} tree and picked"'


MISTAKES = [
    ('title = "', 'titel = "', "titel: no such key; the keys are clean, corrupted, target, foil,"),
    ('target = " an"', "", "target: is missing"),
    ('target = " an"', "target = 3", "target: input should be a valid string"),
    ('foil = " a"', 'foil = " an"', "target and foil are both ' an': give two different tokens"),
    ("climbed up the {}", "climbed up the", "template 'I climbed up the tree and picked' needs {}"),
    ("climbed up the {}", "climbed {} {}", "and picked' needs {} once, where the word goes"),
    (
        "climbed up the {}",
        "climbed up {word}",
        "template 'I climbed up {word} tree and picked' needs",
    ),
    (TEMPLATE, "", "target_words need a template to stand in"),
    ("She saw the {}", "She saw the", "held_out_templates 'She saw the and ate' needs {} once"),
    ('["apple", ', '["egg", ', "target_words names a word twice"),
    ('["apple", ', '["pear", ', "'pear' stands in target_words and in foil_words"),
    ('["apple", ', '[" ", ', "target_words has an empty word"),
    ("foil_words = [", "# foil_words = [", "target_words and foil_words go together: give both"),
    ('"foil" }', '"both" }', "natural.1.calls_for: input should be 'target' or 'foil'"),
    ('calls_for = "foil"', 'call_for = "foil"', "natural.1.call_for: no such key"),
    ('target_words = ["', 'target_words = "x" # ["', "target_words: input should be a valid tuple"),
    (
        'title = "',
        'name = "x"\ntitle = "',
        "name: no such key; a question has the name of its file",
    ),
    ('title = "', 'source = "x"\ntitle = "', "source: no such key; a question has the name of its"),
    (
        'title = "',
        f'pairs = [{{ clean = "{CORRUPTED}", corrupted = "{CLEAN}", target = " a", foil = " an" }}]'
        '\ntitle = "',
        "pairs.0 is the same as the question's own: leave one out",
    ),
    (
        'title = "',
        'pairs = [{ clean = "x", corrupted = "y" }, { clean = "x", corrupted = "y" }]\ntitle = "',
        "pairs.1 is the same as pairs.0: leave one out",
    ),
    (
        'title = "',
        'pairs = [{ clean = "x", corrupted = "x" }]\ntitle = "',
        "pairs.0: clean and corrupted are identical: change one word",
    ),
    ('title = "', "title = ", " is no TOML: "),
    ('title = "', 'title = "\udcff', " is not UTF-8 text: save it as UTF-8."),
]


@pytest.mark.parametrize(("old", "new", "says"), MISTAKES)
def test_a_mistake_in_a_question_file_is_named_by_file_and_key(tmp_path, old, new, says):
    path = written(tmp_path, (old, new))
    with pytest.raises(UserError) as caught:
        questions.load(str(path))
    assert str(caught.value).startswith(str(path))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_all_mistakes_of_a_question_file_are_told_at_once(tmp_path):
    form = written(tmp_path, ("title", "titel"), ('target = " an"', ""), ('"target" }', '"both" }'))
    with pytest.raises(UserError, match=r"target: is missing; natural\.0.*; titel: no such key"):
        questions.load(str(form))
    sense = written(tmp_path, ('foil = " a"', 'foil = " an"'), ("apple", "pear"), (TEMPLATE, ""))
    with pytest.raises(UserError) as caught:
        questions.load(str(sense))
    assert str(caught.value).count("; ") >= 2


def test_a_question_file_may_begin_with_a_mark_of_its_encoding(tmp_path):
    path = written(tmp_path, text="\ufeff" + TREES_FILE.read_text(encoding="utf-8"))
    assert questions.load(str(path)).target_words == TREES.target_words


def test_a_question_file_that_is_not_there_or_none_is_told(tmp_path):
    (tmp_path / "folder.toml").mkdir()
    large = written(tmp_path, text="# " + "x" * questions.LARGEST)
    for path, says in (
        (tmp_path / "gone.toml", "gone.toml cannot be read (No such file or directory)."),
        (tmp_path / "folder.toml", "folder.toml cannot be read (Is a directory)."),
        (large, "mine.toml is larger than 1,000,000 bytes, too large for a question."),
        (tmp_path / "nul\0.toml", "embedded null "),
    ):
        with pytest.raises(UserError) as caught:
            questions.load(str(path))
        assert says in str(caught.value)


def test_a_name_that_is_not_in_the_library_is_told_what_is():
    with pytest.raises(UserError) as caught:
        questions.load("orchard")
    names = ", ".join(questions.library())
    assert (
        str(caught.value)
        == f"There is no question 'orchard': name one of {names}, or a .toml, .csv or .jsonl file."
    )


def test_a_question_takes_its_name_from_its_file_and_its_title_if_it_has_none(tmp_path):
    path = tmp_path / "my question, the 2nd.toml"
    written(tmp_path, ("title", "# title")).rename(path)
    read = questions.load(str(path))
    assert (read.name, read.title) == ("my_question_the_2nd", "my question, the 2nd")
    assert read.source == str(path)


@pytest.mark.parametrize("name", questions.library())
def test_every_question_of_the_library_has_all_that_an_experiment_can_need(name):
    question = questions.load(name)
    assert (question.name, question.key, question.source) == (name, name, name)
    lacking = {"crossed"} if question.crossed is None else set()
    lacking |= set() if question.has_words else {"words"}
    assert all(e.suits(question) for e in EXPERIMENTS if not lacking & {*e.needs})
    if question.has_words:
        assert len(question.held_out_templates) >= 3
    else:
        assert question.pairs
    assert question.title
    assert len(question.natural) >= 3
    assert len(question.about.split()) > 20
    assert {each.calls_for for each in question.natural} <= {"target", "foil"}
    texts = {question.clean, question.corrupted}
    words = question.target_words + question.foil_words
    assert not texts & {question.template.format(word) for word in words}, (
        "they would confirm themselves"
    )


def test_the_default_question_is_the_one_of_the_original_study():
    question = questions.default()
    assert question.name == questions.library()[0] == questions.DEFAULT
    tree = "I climbed up the pear tree and picked a pear. I climbed up the {} tree and picked"
    assert (question.clean, question.corrupted) == (tree.format("apple"), tree.format("lemon"))
    assert (question.template, question.target, question.foil) == (tree, " an", " a")
    assert question.target_words == (
        "orange", "olive", "almond", "apricot", "avocado", "elm", "oak", "ash", "acacia", "alder",
        "aspen", "ebony", "elder", "elderberry", "acorn", "akee", "araucaria", "acai",
        "umbrella", "iroko", "osage", "areca", "aloe", "argan", "arbutus", "orchid", "ironwood",
        "oleander", "eggfruit", "acerola", "atemoya", "ambarella",
    )  # fmt: skip
    assert question.foil_words == (
        "peach", "plum", "cherry", "mango", "fig", "lime", "coconut", "walnut", "chestnut",
        "palm", "pine", "maple", "cedar", "banana", "papaya", "hazel", "birch", "willow",
        "mulberry", "quince", "date", "nutmeg", "cashew", "pecan", "guava", "lychee",
        "pomegranate", "tangerine", "loquat", "longan", "durian", "damson", "hawthorn", "beech",
        "poplar", "breadfruit", "nectarine", "rambutan", "persimmon", "kumquat", "hickory",
        "mangosteen",
    )  # fmt: skip
    assert question.held_out_templates == (
        "She sat under the {} tree and ate",
        "The wind shook the {} tree, and down fell",
        "My favourite tree is the {} tree, so last spring I planted",
        "Everyone calls this the {} tree, because it is",
        "He reached up into the {} tree and pulled down",
        "The sign says that this is the {} tree. "
        "A sign like that tells you that you are looking at",
    )
    natural = {each.text: each.calls_for for each in question.natural}
    assert set(natural) == {
        "Every action has",
        "An eye for",
        "I'll be there in under half",
        "Ross Perot, who ran as",
        "Van der Bellen, who ran as",
        "Senator Angus King, who ran as",
        "Spot gold was up 0.7 percent at $1,340.90",
    }


def test_a_question_keeps_its_words_only_with_its_own_target_and_foil():
    other = TREES.replaced(clean="She saw the owl and", corrupted="She saw the dog and")
    assert (other.clean, other.target_words) == ("She saw the owl and", TREES.target_words)
    assert (other.name, other.natural) == ("", ())
    for words in ({"target": " the"}, {"foil": " my"}, {"target": " a", "foil": " an"}):
        assert not TREES.replaced(**words).has_words
        assert TREES.replaced(**words).clean == TREES.clean
    assert TREES.replaced(CLEAN, CORRUPTED, " an", " a") is TREES.replaced() is TREES


def test_one_prompt_given_alone_is_no_pair_with_the_questions_other_one():
    assert TREES.replaced(clean="She saw").corrupted == ""
    with pytest.raises(UserError, match="a pair needs the corrupted one too"):
        TREES.replaced(clean="She saw").pair(make_subject("llama"))


def test_results_of_two_bare_pairs_lie_in_two_folders():
    pairs = [
        PAIR,
        PAIR.replaced(clean=CLEAN + " the"),
        PAIR.replaced(clean=CORRUPTED, corrupted=CLEAN),
        PAIR.replaced(target=" An"),
        PAIR.replaced(target="🍎"),
        TREES.replaced(clean=CLEAN + " the"),
    ]
    keys = [each.key for each in pairs]
    assert len(set(keys)) == len(keys)
    assert keys[0].startswith("an_a_")
    assert all(re.fullmatch(r"[a-z]*_?[a-z]+_[0-9a-f]{6}", key) for key in keys), keys
    assert PAIR.key == Question(**PAIR.model_dump()).key


@given(*[st.text(st.characters(exclude_characters="|"), max_size=8)] * 2)
def test_the_folder_of_any_question_is_a_plain_name(target, foil):
    if target == foil:
        return
    key = Question(clean=CLEAN, target=target, foil=foil).key
    assert re.fullmatch(r"[a-z0-9_]+", key)


def test_held_out_pairs_are_of_words_of_one_length_and_leave_the_questions_own_out(subject):
    pairs = TREES.held_out_pairs(subject)
    text = [(pair.clean.text, pair.corrupted.text) for pair in pairs]
    expected = [
        tuple(TREES.template.format(word) for word in words)
        for words in zip(TREES.target_words, TREES.foil_words, strict=True)
    ]
    assert text == expected[2:]  # apple stands in the clean prompt, lemon in the corrupted one
    assert TREES.held_out_pairs(subject, 3) == pairs[:3]
    assert PAIR.held_out_pairs(subject) == ()


def string_literals(path):
    """Texts of the program: strings that stand alone document it, and are left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if text and id(node) not in alone:
            yield node.value


def test_a_pair_that_is_written_out_and_made_of_words_stands_once(subject):
    made = TREES.other_pairs(subject)
    first = Pair(clean=made[0].clean.text, corrupted=made[0].corrupted.text)
    turned = Pair(clean=made[1].corrupted.text, corrupted=made[1].clean.text)
    again = TREES.model_copy(update={"pairs": (first, turned)}).other_pairs(subject)
    assert len(again) == len(made)
    assert {(p.clean.text, p.corrupted.text) for p in again} != {
        (p.clean.text, p.corrupted.text) for p in made
    }  # the turned one stands as it was written


def test_no_word_of_a_question_stands_in_code():
    """But what computes the original's published numbers, which are of its question alone."""
    read = [questions.load(name) for name in questions.library()]
    trees = {*questions.default().target_words, *questions.default().foil_words} - {"date"}
    tokens = {token for q in read for token in (q.target, q.foil)}
    words = trees | {token for token in tokens if token.strip().isalpha()}  # a comma is none
    texts = [text for q in read for text in (q.clean, q.template, *q.held_out_templates)]
    texts += [each.text for q in read for each in q.natural]
    pieces = {piece.strip() for text in texts for piece in text.split("{}")}
    phrases = {piece for piece in pieces if len(piece.split()) > 2}
    assert len(phrases) > 20
    for top in ("analysis", "report", "space"):
        for path in (ROOT / top).glob("**/*.py"):
            if path.parent.name == "original":
                continue
            for literal in string_literals(path):
                where = f"{path.relative_to(ROOT)}: {literal!r}"
                assert literal not in words, where
                assert not any(phrase in literal for phrase in phrases), where
                assert not re.search(r"(?<!-)\b(apple|lemon|pear)s?\b", literal), where
