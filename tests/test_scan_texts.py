"""What a scan reads: files of any size, as documents; and its table, read neuron by neuron."""

import io
import json
import os
import sys
import tracemalloc
from dataclasses import replace
from types import SimpleNamespace

import pyarrow as pa
import pytest
import torch
from pyarrow import parquet

from analysis.engines.reading import windows
from analysis.errors import UserError
from analysis.experiments.corpus_scan import sources
from analysis.loading import texts as engine
from analysis.loading.datasets import Dataset, version
from analysis.loading.texts import Texts, found, spooled
from analysis.scanning.scan import scan
from tests.subjects import make_subject

STORIES = [
    "She ate an apple. The owl saw a red bird and an egg under the tree.",
    "He found an orange, a lemon and an old umbrella; it is his.",
    "We saw the house. The engine was big and the cat ate a small leaf.",
]


def write_json_lines(path, stories, field="text"):
    path.write_text("".join(json.dumps({field: story}) + "\n" for story in stories))
    return path


def write_parquet(path, stories, field="text"):
    parquet.write_table(pa.table({"id": range(len(stories)), field: stories}), path)
    return path


def read(*paths, **how):
    return list(Texts(paths, **how).documents())


def test_a_row_without_a_text_is_left_out_of_every_kind_of_file(tmp_path):
    rows = [STORIES[0], None, STORIES[1]]
    expected = [(0, STORIES[0]), (1, STORIES[1])]
    assert read(write_json_lines(tmp_path / "a.jsonl", rows)) == expected
    assert read(write_parquet(tmp_path / "a.parquet", rows)) == expected


@pytest.mark.parametrize(
    "kind",
    [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())],
)
def test_every_kind_of_text_that_parquet_has_is_read(tmp_path, kind):
    column = pa.array(STORIES).cast(kind)
    parquet.write_table(pa.table({"text": column}), tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet") == list(enumerate(STORIES))


def test_texts_that_could_be_left_out_are_others_once_they_can_be_read(tmp_path, monkeypatch):
    paths = [write_json_lines(tmp_path / name, STORIES) for name in ("a.jsonl", "b.jsonl")]
    before = Texts(tuple(paths)).identity()
    monkeypatch.setattr(os, "access", lambda path, _: path != paths[0])
    assert Texts(tuple(paths)).identity() != before


def test_texts_that_change_while_they_are_read_are_refused(tmp_path):
    path = write_json_lines(tmp_path / "a.jsonl", STORIES)
    with sources.files([str(path)], Texts(()), tmp_path) as source:
        assert [*source.again()] == list(enumerate(STORIES))
        write_json_lines(path, STORIES[:2])
        with pytest.raises(UserError, match="not those any more that were scanned"):
            list(source.again())


def test_a_file_whose_name_is_in_no_letters_is_read_and_named(tmp_path):
    path = write_json_lines(tmp_path / os.fsdecode(b"\xff.jsonl"), STORIES)
    texts = Texts((path,))
    assert list(texts.documents()) == list(enumerate(STORIES))
    assert r"\xff.jsonl" in json.dumps(texts.identity(), ensure_ascii=False).encode().decode()


def test_the_same_documents_come_out_of_every_kind_of_file(tmp_path):
    plain = []
    for number, story in enumerate(STORIES):
        plain.append(tmp_path / f"{number}.txt")
        plain[-1].write_text(story)
    expected = list(enumerate(STORIES))
    assert read(*plain) == expected
    assert read(write_json_lines(tmp_path / "all.jsonl", STORIES)) == expected
    assert read(write_parquet(tmp_path / "all.parquet", STORIES)) == expected
    other = write_parquet(tmp_path / "story.PARQUET", STORIES, "story")
    assert read(other, field="story") == expected
    unnamed = write_json_lines(tmp_path / "data", [*STORIES, "", " "])
    assert read(unnamed, plain[0], form="jsonl", unreadable=lambda _: None) == expected


def test_documents_are_numbered_through_all_files_and_empty_ones_are_left_out(tmp_path):
    first = write_parquet(tmp_path / "a.parquet", [STORIES[0], None, " ", STORIES[1]])
    second = write_json_lines(tmp_path / "b.jsonl", [STORIES[2]])
    fractions = []
    documents = list(Texts((first, second)).documents(fractions.append))
    assert [text for _, text in documents] == STORIES
    numbers = [number for number, _ in documents]
    assert numbers == sorted({*numbers})
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


def test_a_long_text_is_read_in_parts_that_make_the_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "PART", 40)
    path = tmp_path / "long.txt"
    path.write_text("\n".join(STORIES * 3) + "x" * 200)
    parts = [text for _, text in read(path)]
    assert "".join(parts) == path.read_text()
    assert max(map(len, parts)) <= 40


@pytest.mark.parametrize("kind", ["txt", "jsonl", "parquet"])
def test_memory_does_not_grow_with_the_file(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(engine, "PART", 1 << 14)
    path = tmp_path / f"large.{kind}"
    stories = [f"{i}. {STORIES[i % 3] * 60}" for i in range(1500)]
    whole = sum(map(len, stories))
    if kind == "txt":
        path.write_text("\n".join(stories))
    elif kind == "jsonl":
        write_json_lines(path, stories)
    else:
        table = pa.table({"text": stories})
        parquet.write_table(
            table, path, row_group_size=100, compression="none", use_dictionary=False
        )
    del stories
    list(Texts((path,)).documents())  # imports are not counted
    tracemalloc.start()
    before = pa.total_allocated_bytes()
    most = max(pa.total_allocated_bytes() - before for _ in Texts((path,)).documents())
    most += tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < whole / 4 < path.stat().st_size


BROKEN = {
    "missing.txt": (None, "cannot be read (No such file or directory)"),
    "latin.txt": (b"caf\xe9 is no UTF-8", "is not UTF-8 text"),
    "cut.jsonl": (b'{"text": "whole"}\n{"text": "cu', "Line 2 of .* is no JSON"),
    "field.jsonl": (b'{"story": "once"}\n', "Line 1 of .* has no text in a field 'text'"),
    "list.jsonl": (b"[1, 2]\n", "has no text in a field 'text'"),
    "half.jsonl": (b'{"text": "\\ud800"}\n', "half a character"),
    "deep.jsonl": (b"[" * 200_000 + b"\n", "is no JSON"),
    "endless.jsonl": (b'{"text": "' + b"a" * 300 + b'"}', "Line 1 of .* is longer than 200"),
    "no.parquet": (b"PAR1 but not whole", "is no whole Parquet file"),
    "empty.parquet": (b"", "is no whole Parquet file"),
    "what.csv": (b"text\nonce", "does not say what it is: name it with --format"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_cannot_be_read_ends_the_scan_in_a_sentence_or_is_named_and_left_out(
    tmp_path, monkeypatch, name
):
    content, says = BROKEN[name]
    if name.startswith("endless"):
        monkeypatch.setattr(engine, "LONGEST_LINE", 200)
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    good, after = (write_json_lines(tmp_path / f"{i}.jsonl", STORIES[:1]) for i in range(2))
    with pytest.raises(UserError, match=says.replace("(", r"\(").replace(")", r"\)")) as seen:
        read(good, path, after)
    assert "\n" not in str(seen.value)
    left_out = []
    documents = read(good, path, after, unreadable=left_out.append)
    assert left_out == [str(seen.value)]
    assert [documents[0][1], documents[-1][1]] == STORIES[:1] * 2


def test_a_column_that_is_missing_or_holds_no_text_is_named(tmp_path):
    path = write_parquet(tmp_path / "a.parquet", STORIES, "story")
    with pytest.raises(UserError, match="no column 'text', of id, story"):
        read(path)
    twice = pa.table([["x"], ["y"]], names=["text", "text"])
    parquet.write_table(twice, tmp_path / "b.parquet")
    with pytest.raises(UserError, match="2 columns 'text', of text, text"):
        read(tmp_path / "b.parquet")
    with pytest.raises(UserError, match=r"'id' of .* holds int64 and no text"):
        read(path, field="id")


def test_names_and_patterns_find_files_once_and_in_order(tmp_path):
    for name in ("b.txt", "a.txt", "c.jsonl", "[odd].txt"):
        (tmp_path / name).touch()
    names = [path.name for path in found([str(tmp_path / "*.txt"), str(tmp_path / "a.txt")])]
    assert names == ["[odd].txt", "a.txt", "b.txt"]
    assert found([str(tmp_path / "[odd].txt")]) == (tmp_path / "[odd].txt",)
    with pytest.raises(UserError, match="No file is named like"):
        found([str(tmp_path / "*.parquet")])
    with pytest.raises(UserError, match="is a folder: name its files"):
        found([str(tmp_path)])
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match="pipe is no file that can be read twice"):
        found([str(tmp_path / "pipe")])


def test_standard_input_is_kept_as_long_as_it_is_read(tmp_path, monkeypatch):
    content = "\n".join(STORIES).encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    with sources.files(["-"], Texts(()), tmp_path) as source:
        once, again = (list(source.documents(lambda _: None)) for _ in range(2))
    assert once == again == [(0, content.decode())]
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    with sources.files(["-"], Texts(()), tmp_path) as other:
        assert other.identity == source.identity
    with (
        pytest.raises(UserError, match="is read alone"),
        sources.files(["-", "a"], Texts(()), tmp_path),
    ):
        pass
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be kept in"), spooled(tmp_path / "file"):
        pass


def test_standard_input_that_is_closed_or_left_behind_by_a_killed_scan(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(UserError, match="Standard input is closed"), spooled(tmp_path):
        pass
    for name in ("stdin-dead", "stdin-dead.lock"):
        (tmp_path / name).touch()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"once")))
    with spooled(tmp_path) as (held, _):
        assert {path.name for path in tmp_path.iterdir()} == {held.name, f"{held.name}.lock"}
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"twice")))
        with spooled(tmp_path) as (other, _):
            assert (held.read_bytes(), other.read_bytes()) == (b"once", b"twice")


def test_what_fails_while_standard_input_is_read_keeps_its_own_reason(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"once")))
    with pytest.raises(OSError, match="No space left"), spooled(tmp_path):
        raise OSError(28, "No space left on device")


def test_a_curve_of_more_text_than_memory_should_hold_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "MOST_CHARACTERS", 100)
    path = write_json_lines(tmp_path / "a.jsonl", STORIES)
    with (
        sources.files([str(path)], Texts(()), tmp_path) as source,
        pytest.raises(UserError, match="give --no-curve, or fewer files"),
    ):
        source.held()


def test_windows_out_of_a_stream_are_scanned_as_those_of_a_list():
    subject = make_subject("llama")
    documents = list(enumerate(STORIES))
    *_, held = scan(subject, list(windows(subject, documents, 7)), (), None)
    *_, streamed = scan(subject, windows(subject, iter(documents), 7), (), None)
    for name, values in held.tensors().items():
        assert torch.equal(values, streamed.tensors()[name]), name


def test_a_data_set_streams_the_documents_of_its_rows(tmp_path, monkeypatch):
    pytest.importorskip("datasets")
    monkeypatch.setattr("analysis.loading.datasets.PART", 8)
    lines = ["The cat ate an apple", "", None, "an owl"]
    for split, rows in (("train", lines), ("test", ["a pear"])):
        with (tmp_path / f"{split}.jsonl").open("w") as file:
            file.writelines(json.dumps({"body": text, "n": 1}) + "\n" for text in rows)
    state = version(str(tmp_path))
    read = Dataset(str(tmp_path), state, field="body")
    parts = ["The cat ", "ate an a", "pple", "an owl"]
    assert [*read.documents()] == [*enumerate(parts)]
    assert [text for _, text in replace(read, rows=1).documents()] == parts[:3]
    assert [text for _, text in replace(read, split="test").documents()] == ["a pear"]
    for wrong, says in (
        ({"field": "text"}, "no field 'text', of body, n"),
        ({"field": "n"}, "no text"),
    ):
        with pytest.raises(UserError, match=says):
            next(replace(read, **wrong).documents())
    with pytest.raises(UserError, match="cannot be read"):
        next(replace(read, split="nowhere").documents())
    (tmp_path / "test.jsonl").write_text('{"body": "an egg", "n": 1}\n')
    assert version(str(tmp_path)) != state


def test_a_data_set_of_the_hub_is_read_at_the_commit_that_is_there_now(monkeypatch):
    datasets, hub = pytest.importorskip("datasets"), pytest.importorskip("huggingface_hub")
    asked = []

    def load(*named, **given):
        asked.append((*named, given))
        return [{"text": "an owl"}]

    monkeypatch.setattr(datasets, "load_dataset", load)
    monkeypatch.setattr(hub.HfApi, "dataset_info", lambda *_, **__: SimpleNamespace(sha="f00"))
    read = Dataset("owner/name", version("owner/name"), "english")
    assert [*read.documents()] == [(0, "an owl")]
    given = {"split": "train", "streaming": True, "revision": "f00"}
    assert asked == [("owner/name", "english", given)]


def test_without_a_network_or_the_package_a_data_set_is_refused_in_one_sentence(
    analysis, monkeypatch
):
    def unreachable(*_, **__):
        raise ConnectionError("no route to the hub\nof no use")

    hub = pytest.importorskip("huggingface_hub")
    monkeypatch.setattr(hub.HfApi, "dataset_info", unreachable)
    asked = ("corpus-scan", "--no-curve", "--dataset", "owner/name")
    code, _, err = analysis(*asked)
    assert code == 2
    assert (
        "owner/name is no folder, and no data set that the hub gives (no route to the hub)" in err
    )
    code, _, err = analysis(*asked, "--files", "*.txt")
    assert (code, "give one" in err) == (2, True)
    monkeypatch.setitem(sys.modules, "datasets", None)
    code, _, err = analysis(*asked)
    assert (code, "pip install '.[datasets]'" in err) == (2, True)
