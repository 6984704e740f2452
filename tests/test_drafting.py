import itertools
import json

import pytest

from analysis import corpus, questions
from analysis.contrast import make_contrast
from analysis.criteria import GAP
from analysis.drafting import contexts as contexts_module
from analysis.drafting.checking import checked
from analysis.drafting.contexts import contexts, minimal_pairs
from analysis.drafting.words import try_words
from analysis.drafting.writing import choosing, save_new, words_file
from analysis.errors import UserError
from analysis.hints import hints
from tests.questions import CLEAN, CORRUPTED, TREES
from tests.subjects import make_subject

TEMPLATE = "I climbed up the {} tree and picked"
GROUPS = ["apple", "orange", "egg", "owl"], ["lemon", "pear", "bird", "dog", "cat"]
TEXTS = [
  "She saw a big dog and then an owl. He found the old house and a small cat was in it.",
  "They picked an apple from the tree. I found my red umbrella and ate a green pear.",
  "We saw an egg under the big tree. You found her old dog and then an onion.",
]  # fmt: skip


@pytest.fixture(scope="module")
def model():
    return make_subject("llama")


@pytest.fixture(scope="module")
def contrast(model):
    return make_contrast(model, " an", " a")


def diff(subject, text, contrast):
    """The slow way: one prompt at a time through the plain model."""
    logits = subject.logits(subject.tokens(text))[-1]
    return float(logits[contrast.target_id] - logits[contrast.foil_id])


def test_pairs_are_kept_that_the_model_tells_apart_and_all_else_is_named(model, contrast):
    tried = try_words(model, TEMPLATE, *GROUPS, contrast)
    for pair in tried.pairs:
        assert pair.clean_diff == pytest.approx(diff(model, pair.clean, contrast), abs=1e-4)
        assert pair.corrupted_diff == pytest.approx(diff(model, pair.corrupted, contrast), abs=1e-4)
        assert pair.gap >= GAP
    named = [word for each in tried.dropped for word in each.words]
    kept = [word for pair in tried.pairs for word in (pair.clean_word, pair.corrupted_word)]
    assert sorted(named + kept) == sorted([*GROUPS[0], *GROUPS[1]])
    assert [each.words for each in tried.dropped if each.why == "no_partner"] == [("cat",)]
    untold = [each for each in tried.dropped if each.why == "not_told_apart"]
    assert tried.pairs
    assert untold
    assert all(each.gap < GAP for each in untold)


def test_a_draft_is_a_question_that_asks_the_very_pairs_that_were_kept(model, contrast, tmp_path):
    tried = try_words(model, TEMPLATE, *GROUPS, contrast)
    text = words_file((" an", " a"), TEMPLATE, ["She ate the {} and"], tried.pairs, tried.dropped)
    path = tmp_path / "mine.toml"
    save_new(path, text)
    question = questions.load(str(path))
    asked = [question.pair(model), *question.other_pairs(model)]
    kept = [(pair.clean, pair.corrupted) for pair in tried.pairs]
    assert [(each.clean.text, each.corrupted.text) for each in asked] == kept
    assert all(each in text for each in ("cat", "hardly tells them apart"))
    found = checked(model, question)
    assert found["pairs"] == found["told_apart"] == len(kept)


def test_prompts_of_unequal_length_make_no_pair_although_their_words_are_as_long(embedded):
    """At the beginning of a sentence a word has no space, and may be more tokens for that."""
    contrast = make_contrast(embedded, " are", " is")
    words = ["keys", "doctors"], ["key", "doctor"]
    tried = try_words(embedded, "{} in the garden", *words, contrast)
    uneven = [each.words for each in tried.dropped if each.why == "unequal"]
    assert uneven == [("doctors", "doctor")]
    for pair in uneven:
        assert len({len(embedded.pieces(f" {word}")) for word in pair}) == 1
        assert len({len(embedded.tokens(f"{word} in the garden")) for word in pair}) == 2
    for pair in tried.pairs:
        assert len(embedded.tokens(pair.clean)) == len(embedded.tokens(pair.corrupted))


def test_a_draft_writes_over_no_file(tmp_path):
    path = tmp_path / "mine.toml"
    save_new(path, "one")
    with pytest.raises(UserError, match="is there already"):
        save_new(path, "two")
    assert path.read_text() == "one"
    with pytest.raises(UserError, match=r"is no \.toml file"):
        save_new(tmp_path / "mine.txt", "one")
    with pytest.raises(UserError, match="There is no folder"):
        save_new(tmp_path / "nowhere" / "mine.toml", "one")


@pytest.mark.parametrize(("pairs", "many"), [(1, 1), (2, 1), (5, 3), (24, 12), (80, 12)])
def test_half_of_the_pairs_choose_and_at_most_twelve(pairs, many):
    assert choosing(pairs) == many


@pytest.mark.parametrize(
    ("template", "words", "says"),
    [
        ("The tree", GROUPS, r"'The tree' needs \{\} once"),
        ("The {} and {}", GROUPS, r"needs \{\} once"),
        (TEMPLATE, ([], ["egg"]), "Words of both kinds are needed"),
        (TEMPLATE, (["egg"], ["egg"]), "'egg' stands in both lists"),
        (TEMPLATE, (["egg", "egg"], ["owl"]), "names a word twice"),
    ],
)
def test_words_that_make_no_question_are_refused_in_a_sentence(
    model, contrast, template, words, says
):
    with pytest.raises(UserError, match=says):
        try_words(model, template, *words, contrast)


def test_contexts_end_where_a_word_follows_and_the_surest_come_first(model, contrast):
    found = contexts(model, TEXTS, contrast)
    assert {each.text for each in found if each.follows == " an"} == {
        "She saw a big dog and then",
        "They picked",
        "We saw",
        "You found her old dog and then",
    } - {each for each in ("They picked", "We saw") if len(model.tokens(each)) < 4}
    for each in found:
        assert each.logit_diff == pytest.approx(diff(model, each.text, contrast), abs=1e-4)
    calling = [each.logit_diff for each in found if each.follows == " an"]
    assert calling == sorted(calling, reverse=True)


def test_the_best_exchange_of_a_word_is_the_one_that_trying_all_of_them_finds(
    model, contrast, monkeypatch
):
    """With room for every word the gradient leaves none out; the reference tries each by itself."""
    for name in ("TRIED", "AT_ONE_PLACE", "EXPECTED"):
        monkeypatch.setattr(contexts_module, name, 10_000)
    (context,) = [c for c in contexts(model, TEXTS, contrast) if c.text.startswith("You found")]
    (pair,) = minimal_pairs(model, [context], TEXTS, contrast)
    words = context.text.split()
    vocabulary = {token for text in TEXTS for token in model.tokens(text)}
    known = [model.string(token).strip() for token in vocabulary]
    known = [w for w in known if len(w) > 2 and w.islower()]
    best = max(
        context.logit_diff - diff(model, " ".join([*words[:i], new, *words[i + 1 :]]), contrast)
        for i, new in itertools.product(range(1, len(words)), known)
        if len(words[i]) > 2
    )
    assert pair.gap == pytest.approx(best, abs=1e-3)
    first, second = pair.clean.split(), pair.corrupted.split()
    assert sum(a != b for a, b in zip(first, second, strict=True)) == 1


@pytest.mark.parametrize(
    ("word", "before"),
    [
        (" an", ["We saw"]),
        (" (", ["We saw an owl", "They had"]),
        (" $", ["It cost"]),
        (")", ["We saw an owl (big", "It cost $5 ("]),
    ],
)
def test_a_mark_stands_before_letters_and_a_word_does_not(word, before):
    texts = ["We saw an owl (big) there. We had anything ... They had ( one. It cost $5 ()."]
    assert list(contexts_module._before(texts, word)) == before


def test_what_chooses_in_a_draft_does_not_confirm_it(answer, folders, monkeypatch):
    monkeypatch.setattr(corpus, "articles", lambda: [*enumerate(TEXTS)])
    asked = ["--target", " an", "--foil", " a", "--model", folders["llama"]]
    drafted = answer("question", "draft", *asked)
    natural = {each["text"] for each in drafted["contexts"]}
    assert drafted["pairs"]
    assert not natural & {each["clean"] for each in drafted["pairs"]}


def test_another_sentence_without_a_slot_is_refused_before_the_work(analysis, folders):
    given = ["--template", TEMPLATE, "--target-words", "egg", "--foil-words", "pear"]
    asked = ["--target", " an", "--foil", " a", "--model", folders["llama"]]
    code, out, err = analysis("question", "draft", *asked, *given, "--held-out-template", "no slot")
    assert (code, out) == (2, "")
    assert "'no slot' needs {} once" in err


def test_without_either_word_in_the_corpus_a_template_is_asked_for(model, contrast):
    with pytest.raises(UserError, match="give a template and words"):
        contexts(model, ["I ate the egg."], contrast)


def test_a_check_names_all_that_keeps_a_model_from_being_asked(model):
    long = " and".join(["the tree"] * 80)
    question = TREES.model_copy(
        update={"target": " egg|  owl", "held_out_templates": (f"{long} {{}}",)}
    )
    with pytest.raises(UserError) as caught:
        checked(model, question)
    assert "'  owl' is 2 tokens" in str(caught.value)
    assert "sentence" in str(caught.value)
    assert "shorten it" in str(caught.value)


def test_the_verbs_write_check_and_list(answer, folders, tmp_path):
    folder = folders["llama"]
    out = tmp_path / "trees.toml"
    words = [",".join(group) for group in GROUPS]
    asked = ["--target", " an", "--foil", " a", "--model", folder]
    given = ["--template", TEMPLATE, "--target-words", words[0], "--foil-words", words[1]]
    drafted = answer("question", "draft", *asked, *given, "--out", out)
    assert {"pairs", "dropped"} == set(drafted)
    found = answer("question", "check", out, "--model", folder)
    assert found["told_apart"] == len(drafted["pairs"])
    rows = answer("question", "list")["questions"]
    assert rows[0]["name"] == "an"
    assert {"name", "target", "foil", "title", "words", "pairs"} == set(rows[0])


HEAD = "clean,corrupted,target,foil\n"
ROW = f"{CLEAN},{CORRUPTED}, an, a\n"
OTHER = "I saw the apple and,I saw the lemon and, then, from\n"


@pytest.mark.parametrize(
    "text",
    [
        HEAD + ROW + OTHER,
        "\ufeff" + HEAD + ROW + OTHER,
        (HEAD + ROW + OTHER).replace("\n", "\r\n"),
        HEAD + "\n" + ROW + "\n" + OTHER,
        "note,foil,target,corrupted,clean\n"
        f'"x, y", a, an,{CORRUPTED},{CLEAN}\n,from, then,I saw the lemon and,I saw the apple and\n'
        .replace(",from", ", from"),
    ],
    ids=["plain", "BOM", "CRLF", "empty lines", "columns in another order"],
)  # fmt: skip
def test_pairs_come_from_a_table_however_it_was_saved(text, tmp_path, model):
    path = tmp_path / "pairs.csv"
    path.write_bytes(text.encode())
    question = questions.load(str(path))
    assert (question.clean, question.corrupted, question.name) == (CLEAN, CORRUPTED, "pairs")
    (other,) = question.other_pairs(model)
    assert (other.contrast.target, other.contrast.foil) == (" then", " from")


def test_a_line_of_json_is_a_pair_too(tmp_path):
    path = tmp_path / "pairs.jsonl"
    rows = [dict(zip(HEAD.strip().split(","), row, strict=True)) for row in (
        (CLEAN, CORRUPTED, " an", " a"), ("I saw the egg and", "I saw the dog and", " an", " a"),
    )]  # fmt: skip
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n")
    question = questions.load(str(path))
    assert question.pairs == (
        questions.Pair(clean=rows[1]["clean"], corrupted=rows[1]["corrupted"]),
    )


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("p.csv", "", "line 1 names the columns none: it needs clean, corrupted, target, foil"),
        ("p.csv", HEAD, "holds no pair"),
        ("p.csv", "clean,corrupted,target\na,b,c\n", "line 1 names the columns clean, corrupted"),
        ("p.csv", HEAD + ROW + "a,b\n", "line 3 has 2 values for 4 columns"),
        ("p.csv", HEAD + ROW + "a,b,, d\n", "line 3 has no target: give a text"),
        ("p.csv", HEAD + "a,b, c, c\n", "line 2 has ' c' for both target and foil"),
        ("p.csv", HEAD + '"a,b, c, d\n' + ROW, "line 2 is no CSV (unexpected end of data): close"),
        ("p.csv", HEAD + '"a"x,b, c, d\n', "line 2 is no CSV"),
        ("p.csv", HEAD + ROW + OTHER + ROW, "line 4 is the pair of line 2: leave one out"),
        ("p.csv", HEAD + ROW + f"{CORRUPTED},{CLEAN}, a, an\n", "line 3 is the pair of line 2"),
        ("p.csv", HEAD + "a,b, c, d\n" * 1001, "more than 1,000 pairs"),
        ("p.csv", HEAD + ROW * 100_000, "larger than 1,000,000 bytes"),
        ("p.jsonl", "", "holds no pair"),
        ("p.jsonl", "[1]\n", "line 1 is no object with clean"),
        ("p.jsonl", "{}\r\n\u2028", "line 1 has no clean: give a text"),
        ("p.jsonl", "{'clean'}\n", "line 1 is no JSON"),
        ("p.jsonl", '\n{"clean": "a", "corrupted": 3}\n', "line 2 has no corrupted"),
        ("p.jsonl", "[" * 100_000, "line 1 is no JSON"),
    ],
)
def test_a_bad_table_is_refused_by_its_line_and_nothing_is_lost(name, text, says, tmp_path):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        questions.load(str(path))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("name", questions.library())
def test_every_question_of_the_library_has_pairs_to_choose_and_pairs_to_confirm(name):
    question = questions.load(name)
    words = min(len(question.target_words), len(question.foil_words))
    assert 1 + words + len(question.pairs) >= 24


def test_a_row_that_a_model_cannot_be_asked_is_named_and_the_others_stand(tmp_path, model):
    path = tmp_path / "pairs.csv"
    long = f"{CLEAN + ' an egg' * 100},{CORRUPTED}, an, a\n"
    words = "I saw the egg and,I saw the dog and, then an, from\n"
    path.write_text(HEAD + ROW + OTHER + long + words)
    question = questions.load(str(path))
    assert len(question.other_pairs(model)) == 1
    (hint,) = hints(model, question)
    assert hint.startswith("2 of 3 written pairs cannot be asked, first pairs.1 (The clean prompt")
    named, other = checked(model, question)["unreadable"]
    assert "several tokens long" in other["why"]
    assert named["pair"] == "pairs.1"
    assert "reads at most" in named["why"]
