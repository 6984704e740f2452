"""What a user may get wrong about a question, through the command line: a sentence, and exit 2."""

import pytest

from tests.questions import CLEAN, CORRUPTED, TREES_FILE

TREES = TREES_FILE.read_text(encoding="utf-8")
HEAD = "clean,corrupted,target,foil\n"
ROW = f"{CLEAN},{CORRUPTED}, an, a\n"


def changed(old, new):
    assert old in TREES
    return TREES.replace(old, new, 1)


BAD = {
    "unknown key": ("q.toml", changed('title = "', 'titel = "'), "titel: no such key"),
    "no slot": ("q.toml", changed("climbed up the {}", "climbed"), "needs {} once"),
    "token count": (
        "q.toml",
        changed('target = " an"', 'target = [" an", " old tree"]'),
        "The target ' old tree' is 2 tokens (' old', ' tree') and must be one",
    ),
    "target in foil set": ("q.toml", changed('foil = " a"', 'foil = [" a", " an"]'), "' an'"),
    "empty set": ("q.toml", changed('foil = " a"', "foil = []"), "foil: a set is a list of one"),
    "empty group": ("q.toml", changed("foil_words = [", "foil_words = [] # ["), "go together"),
    "both splits": (
        "q.toml",
        changed(
            'title = "', f'pairs = [{{ clean = "{CLEAN}", corrupted = "{CORRUPTED}" }}]\ntitle="'
        ),
        "pairs.0 is the same as the question's own",
    ),
    "wrong quotes": ("q.toml", changed('title = "', "title = \u201c"), "is no TOML"),
    "no column": ("p.csv", HEAD.replace(",foil", "") + ROW, "line 1 names the columns"),
    "open quote": ("p.csv", f'{HEAD}"{ROW}', "line 2 is no CSV"),
    "twice": ("p.csv", HEAD + ROW + ROW, "line 3 is the pair of line 2"),
    "BOM, CRLF and a gap": (
        "p.csv",
        "\ufeff" + (HEAD + "a,b,, d\n").replace("\n", "\r\n"),
        "line 2",
    ),
    "100,000 rows": ("p.csv", HEAD + ROW * 100_000, "larger than 1,000,000 bytes"),
}


@pytest.mark.parametrize("what", BAD)
def test_it_is_told_in_a_sentence_with_file_and_key_or_line(analysis, llama_folder, tmp_path, what):
    name, text, says = BAD[what]
    path = tmp_path / name
    path.write_bytes(text.encode())
    code, out, err = analysis("question", "check", path, "--model", llama_folder)
    assert (code, out) == (2, "")
    assert says in err
    assert err.lstrip().startswith("error: ")
    assert err.strip().count("\n") == 0
    assert name in err or what == "token count"  # a model's matter: the key is named


def test_a_draft_of_which_no_pair_is_left_names_the_words_it_dropped(analysis, llama_folder):
    """Exchanged, two words move the choice the other way: in one order or both they are dropped."""
    found = []
    for words in (("egg", "dog"), ("dog", "egg")):
        given = ("--template", "I saw the {} and", "--target", " an", "--foil", " a")
        lists = ("--target-words", words[0], "--foil-words", words[1])
        code, out, err = analysis("question", "draft", *given, *lists, "--model", llama_folder)
        found += [(words, out, err)] if code == 2 else []
    assert found
    for words, out, err in found:
        assert out == ""
        assert err.lstrip().startswith(
            "error: No pair is left: tiny-llama tells none of these words apart"
        )
        assert " and ".join(words) in err
        assert err.strip().count("\n") == 0


MISUSED = {
    "an empty target": (["--target", ""], "The target is empty"),
    "an unknown choice": (
        ["--positions", "everything"],
        "Invalid value for '--positions': 'everything' is not one of 'last', 'all'.",
    ),
    "no number": (["--screen", "many"], "for '--screen': It has to be a whole number."),
    "too small": (["--screen", "-1"], "for '--screen': It has to be at least 0."),
    "an unknown dtype": (["--dtype", "float8"], "Unknown dtype 'float8'"),
}


@pytest.mark.parametrize("what", MISUSED)
def test_what_is_refused_is_told_alone_with_no_note_before_it(analysis, llama_folder, what):
    given, says = MISUSED[what]
    code, out, err = analysis("neuron-sweep", "--model", llama_folder, *given)
    assert (code, out) == (2, "")
    assert says in err
    assert err.startswith("error: ")
    assert err.strip().count("\n") == 0
