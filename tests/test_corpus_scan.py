"""The corpus scan: one pass for every neuron, mergeable, and safe to break off at any moment."""

import json
import multiprocessing
import time
from copy import deepcopy
from dataclasses import fields, replace
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup
from pyarrow import parquet
from safetensors import SafetensorError

from analysis import corpus
from analysis.arithmetic import Arithmetic
from analysis.calls import Call
from analysis.claims import Claims
from analysis.contrast import make_contrast
from analysis.engines.reading import Window, read, windows
from analysis.errors import UserError
from analysis.experiments.corpus_scan import EXPERIMENT
from analysis.experiments.corpus_scan.compute import corpus_scan, summary
from analysis.experiments.corpus_scan.facts import facts
from analysis.experiments.corpus_scan.followed import EDGES, bands, separated
from analysis.experiments.corpus_scan.quadrants import SIGNS
from analysis.experiments.corpus_scan.sources import Source
from analysis.experiments.corpus_scan.tables import LISTING
from analysis.experiments.corpus_scan.work import Work
from analysis.neuron import Neuron
from analysis.numbers.discrimination import auc, auc_gain, auc_interval, detector
from analysis.numbers.estimates import share_of_tokens
from analysis.numbers.statistics import share_interval
from analysis.running import inputs
from analysis.scanning import scan as engine
from analysis.scanning import scan_files
from analysis.scanning.examples import examples, read_again
from analysis.scanning.scan import scan
from analysis.scanning.scan_table import QUADRANTS, QUANTILES, contexts, rows, schema, write_table
from analysis.scanning.scanned import read_neuron
from analysis.scanning.tallies import (
    POSITION_BITS,
    Moments,
    Records,
    Sample,
    document_and_position,
    place_of,
    priority,
)
from analysis.sentences import finding
from tests.questions import CLEAN, CORRUPTED, PAIR
from tests.subjects import make_subject
from tests.synthetic import Plan, changed, evidence

DOCUMENTS = [
    (3, f"{CLEAN} an apple. she saw a red bird. the owl ate an egg and an onion?"),
    (5, f"{CORRUPTED} a lemon. it was an old uncle. he found an orange under the tree."),
    (4, "I saw the house. the engine was big and the cat ate a small leaf. we saw it"),
    (9, "We picked an apple and a pear. they found my dog under an umbrella. it is his"),
]
CHOSEN = (Neuron(1, 5), Neuron(2, 7))
KEY = {"model": "m", "revision": "r"}


@pytest.fixture(autouse=True)
def small_scans(monkeypatch):
    """Several windows a document, several shards a scan, more tokens than are kept."""
    monkeypatch.setattr(engine, "WINDOW_TOKENS", 7)
    monkeypatch.setattr("analysis.experiments.corpus_scan.compute.WINDOW_TOKENS", 7)
    monkeypatch.setattr(engine, "SHARD_WINDOWS", 2)
    monkeypatch.setattr(engine, "TOP", 3)
    monkeypatch.setattr(engine, "SAMPLE", 11)


def whole(subject, documents, so_far=None):
    pieces = list(windows(subject, documents, engine.WINDOW_TOKENS))
    contrast = make_contrast(subject, " an", " a")
    *_, last = scan(subject, pieces, CHOSEN, contrast, seed=1, so_far=so_far)
    return last


def every_token(subject, documents=DOCUMENTS):
    """(document, position, activations of all neurons) of every token that counts, one by one."""
    lead = int(subject.prepend_bos)
    for number, text in documents:
        tokens = subject.tokens(text)
        for start in range(lead, len(tokens), engine.WINDOW_TOKENS):
            piece = [*tokens[:lead], *tokens[start : start + engine.WINDOW_TOKENS]]
            post = subject.cache(tuple(piece), "mlp.hook_post")["mlp.hook_post"]
            for pos in range(1, len(piece)):
                yield number, start - 2 * lead + pos, post[:, pos].flatten()


def test_a_scan_says_of_every_neuron_what_reading_token_by_token_says(subject):
    seen = list(every_token(subject))
    values = torch.stack([row[2] for row in seen])
    found = whole(subject, DOCUMENTS)
    assert int(found.moments.count) == len(values)
    torch.testing.assert_close(found.moments.mean.float(), values.mean(0), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(
        found.moments.variance.float(), values.var(0, correction=0), atol=1e-5, rtol=1e-3
    )
    for kept, sign in ((found.highest, 1), (found.lowest, -1)):
        expected = (sign * values).sort(0, descending=True).values[: engine.TOP]
        torch.testing.assert_close(kept.values, expected, atol=1e-5, rtol=1e-4)
    number, position, _ = seen[int(values[:, 40].argmax())]
    assert document_and_position(int(found.highest.places[0, 40])) == (number, position)
    column = CHOSEN[0].layer * subject.d_mlp + CHOSEN[0].number
    torch.testing.assert_close(found.records.activations[:, 0], values[:, column])


def test_a_scan_without_the_curve_tallies_the_same_and_asks_for_no_logits(subject):
    pieces = list(windows(subject, DOCUMENTS, engine.WINDOW_TOKENS))
    head, asked = subject.model.get_output_embeddings(), []
    handle = head.register_forward_pre_hook(lambda *_: asked.append(1))
    *_, bare = scan(subject, pieces, (), None, seed=1)
    handle.remove()
    assert not asked
    assert len(bare.records.document) == 0
    with_curve = whole(subject, DOCUMENTS).tensors()
    for name, values in bare.tensors().items():
        if not name.startswith("records"):
            assert torch.equal(values, with_curve[name]), name


def test_windows_of_like_lengths_share_a_pass(monkeypatch):
    subject = make_subject("llama")
    monkeypatch.setattr(engine, "SHARD_WINDOWS", 40)
    monkeypatch.setattr(engine, "BATCH_TOKENS", 16)
    lengths = [8, 2, 8, 2] * 10
    pieces = [Window(i, 0, (1,) * length) for i, length in enumerate(lengths)]
    shapes = []
    watched = subject.blocks[0].register_forward_pre_hook(
        lambda _, args, kwargs: shapes.append((*args, *kwargs.values())[0].shape[:2]),
        with_kwargs=True,
    )
    list(scan(subject, pieces, (), None))
    watched.remove()
    assert shapes == [(2, 8)] * 10 + [(8, 2)] * 2 + [(4, 2)]  # no token is padded


def test_passes_and_shards_of_the_size_that_a_gpu_takes_find_the_same(subject, monkeypatch):
    small = whole(subject, DOCUMENTS)
    monkeypatch.setattr(Arithmetic, "tokens_a_pass", lambda _self, tokens, _width: 8 * tokens)
    large = whole(subject, DOCUMENTS)
    assert torch.equal(large.sample.places, small.sample.places)
    for name, values in small.tensors().items():
        if not name.endswith("est.places"):  # of values that rounding alone sets apart
            torch.testing.assert_close(large.tensors()[name], values, atol=1e-5, rtol=1e-4)


def test_two_halves_merged_equal_one_pass(subject):
    together = whole(subject, DOCUMENTS)
    merged = whole(subject, DOCUMENTS[:2])
    merged.merge(whole(subject, DOCUMENTS[2:]))
    for name, values in together.tensors().items():
        torch.testing.assert_close(merged.tensors()[name], values, atol=1e-5, rtol=1e-4, msg=name)
    assert torch.equal(merged.highest.places, together.highest.places)
    assert torch.equal(merged.sample.places, together.sample.places)


@given(st.lists(st.lists(st.floats(-9, 9, width=32), min_size=1, max_size=9), max_size=5))
def test_moments_merge_to_those_of_all_values(parts):
    kept = Moments.empty(1)
    for part in parts:
        fresh = Moments.empty(1)
        fresh.fill(slice(0, 1), torch.tensor(part)[:, None])
        kept.merge(fresh)
    everything = np.array([value for part in parts for value in part])
    assert int(kept.count) == len(everything)
    if len(everything):
        assert float(kept.mean[0]) == pytest.approx(everything.mean(), abs=1e-5)
        assert float(kept.variance[0]) == pytest.approx(everything.var(), abs=1e-4)


def test_the_random_sample_is_uniform_over_places():
    places = torch.arange(20_000)
    kept = Sample.empty(1)
    kept.add(2_000, priority(places, seed=3), places, torch.zeros(20_000, 1))
    quarters = np.histogram(kept.places.numpy(), 4, (0, 20_000))[0]
    assert abs(quarters - 500).max() < 5 * np.sqrt(2_000 * 0.25 * 0.75)  # five standard deviations
    assert len(set(kept.places.tolist())) == 2_000
    assert not torch.equal(priority(places, 3), priority(places, 4))


def test_places_sort_as_the_corpus_is_read_and_come_back_whole():
    assert place_of(2, 5) > place_of(2, 4) > place_of(1, 10_000)
    assert document_and_position(place_of(3_823, 9_999)) == (3_823, 9_999)


@pytest.mark.slow
@pytest.mark.parametrize("stop", [1, 2, 3])
def test_a_scan_taken_up_where_it_stopped_ends_with_the_same_bytes(subject, tmp_path, stop):
    scan_files.save_scan(tmp_path / "whole", whole(subject, DOCUMENTS), KEY)
    pieces = list(windows(subject, DOCUMENTS, engine.WINDOW_TOKENS))
    assert len(pieces) > 3 * engine.SHARD_WINDOWS
    whole_shards = pieces[: stop * engine.SHARD_WINDOWS]
    contrast = make_contrast(subject, " an", " a")
    *_, broken_off = scan(subject, whole_shards, CHOSEN, contrast, seed=1)
    scan_files.save_scan(tmp_path / "stopped", broken_off, KEY)
    resumed = whole(subject, DOCUMENTS, scan_files.load_scan(tmp_path / "stopped", KEY))
    scan_files.save_scan(tmp_path / "stopped", resumed, KEY)
    assert (tmp_path / "stopped").read_bytes() == (tmp_path / "whole").read_bytes()


@pytest.fixture(scope="module")
def processes():
    """Starts processes from one that has imported all that they need, and nothing else."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def start(processes, work, *arguments):
    """A process and the end of the pipe on which it tells."""
    found, telling = processes.Pipe()
    child = processes.Process(target=work, args=(telling, *arguments))
    child.start()
    telling.close()
    return child, found


def write_scan(message, path, pause):
    """Scan shard by shard; tells where it begins, and each shard once it is kept."""
    engine.WINDOW_TOKENS, engine.SHARD_WINDOWS, engine.TOP, engine.SAMPLE = 7, 1, 3, 11
    subject = make_subject("llama")
    contrast = make_contrast(subject, " an", " a")
    texts = [(i, "The cat ate an apple and the owl saw " * 3) for i in range(20)]
    so_far = scan_files.load_scan(path, KEY)
    message.send(so_far.windows if so_far else 0)
    pieces = list(windows(subject, texts, 7))
    for done in engine.scan(subject, pieces, CHOSEN[:1], contrast, 0, so_far):
        scan_files.save_scan(path, done, KEY)
        message.send(done.windows)
        time.sleep(pause)


@pytest.mark.slow
def test_a_scan_killed_at_any_moment_loses_one_shard_at_most_and_ends_with_the_same_bytes(
    processes, tmp_path
):
    kept = 0
    for _ in range(2):
        child, found = start(processes, write_scan, tmp_path / "killed", 0.02)
        assert found.recv() >= kept
        for _ in range(7):
            kept = found.recv()
        time.sleep(0.015)
        child.kill()
        child.join()
    assert scan_files.load_scan(tmp_path / "killed", KEY).windows >= kept
    child, found = start(processes, write_scan, tmp_path / "killed", 0)
    assert found.recv() >= kept >= 14
    child.join()
    assert child.exitcode == 0
    pipe = processes.Pipe()
    write_scan(pipe[1], tmp_path / "whole", 0)
    assert (tmp_path / "killed").read_bytes() == (tmp_path / "whole").read_bytes()


def test_a_file_of_another_scan_or_a_damaged_one_is_refused_in_one_sentence(tmp_path):
    subject = make_subject("gpt2")
    path = tmp_path / "scan"
    assert scan_files.load_scan(path, KEY) is None
    scan_files.save_scan(path, whole(subject, DOCUMENTS[:1]), KEY)
    with pytest.raises(UserError, match="scan of something else"):
        scan_files.load_scan(path, {"model": "other"})
    right = path.read_bytes()
    for wrong in (right[:-100], right[:-1] + bytes([right[-1] ^ 1]), b"a text of somebody's own"):
        path.write_bytes(wrong)
        with pytest.raises(UserError, match="is no scan, or a damaged one"):
            scan_files.load_scan(path, KEY)
    assert scan_files.file_of(tmp_path, KEY) != scan_files.file_of(tmp_path, {"model": "n"})


def hold(message, path):
    """Hold a scan until one is told to let it go."""
    with scan_files.held(path):
        message.send("held")
        message.recv()


@pytest.mark.slow
def test_two_processes_never_write_one_scan_and_what_a_killed_one_left_is_cleared(
    processes, tmp_path
):
    path = tmp_path / "kept"
    (tmp_path / ".kept.0a_1b2c3.part").touch()
    others = {".kept.d", ".kept.local", ".kept.2.0a_1b2c3.part", "kept.2"}
    for name in others:
        (tmp_path / name).touch()
    child, found = start(processes, hold, path)
    assert found.recv() == "held"
    refused = pytest.raises(UserError, match="is being written by another process")
    with refused, scan_files.held(path):
        raise AssertionError("held twice")
    found.send("let go")
    child.join()
    with scan_files.held(path):
        assert {file.name for file in tmp_path.iterdir()} - {"kept.lock"} == others


def test_savers_of_one_scan_do_not_take_each_others_scratch_file(tmp_path, monkeypatch):
    done, save = whole(make_subject("gpt2"), DOCUMENTS[:1]), scan_files.save_file

    def slow(*arguments, **named):
        save(*arguments, **named)
        monkeypatch.setattr(scan_files, "save_file", save)
        scan_files.save_scan(tmp_path / "kept", done, KEY)

    monkeypatch.setattr(scan_files, "save_file", slow)
    scan_files.save_scan(tmp_path / "kept", done, KEY)
    assert [file.name for file in tmp_path.iterdir()] == ["kept"]


@pytest.mark.parametrize("error", [SafetensorError("No space left"), OSError(28, "No space left")])
def test_a_scan_that_cannot_be_written_says_so_in_one_sentence(tmp_path, monkeypatch, error):
    def full(*_, **__):
        raise error

    monkeypatch.setattr(scan_files, "save_file", full)
    with pytest.raises(UserError, match=r"cannot be written \(No space left\): make room"):
        scan_files.save_scan(tmp_path / "kept", whole(make_subject("gpt2"), DOCUMENTS[:1]), KEY)
    assert list(tmp_path.iterdir()) == []


def test_a_scan_is_of_its_device_and_its_libraries(monkeypatch):
    subject = make_subject("gpt2")

    asked = inputs(EXPERIMENT, subject, PAIR, tuple(map(str, CHOSEN)))

    call = Call(experiment=EXPERIMENT, options={"seed": 0})
    work = Work(call, Source(lambda _: iter(()), {"corpus": "some"}), curve=True)

    def key():
        return work.key(subject, asked)

    first = key()
    assert first["device"] == "cpu"
    monkeypatch.setattr(scan_files, "version", lambda name: f"another {name}")
    assert key() != first


def test_examples_that_are_read_again_say_what_the_scan_said_in_their_order(subject):
    pieces, neuron = list(windows(subject, DOCUMENTS, engine.WINDOW_TOKENS)), CHOSEN[0]
    done = whole(subject, DOCUMENTS)
    column = neuron.layer * subject.d_mlp + neuron.number
    places = done.highest.places[:, column].tolist()
    values = done.highest.values[:, column].tolist()
    shuffled = [("highest", 0.0, place) for place in places[::-1]]
    again = read_again(subject, neuron, shuffled, pieces)
    assert [each[2] for each in again] == places
    assert [each[1] for each in again] == pytest.approx(values, abs=1e-5)


def test_examples_of_a_model_in_bfloat16_are_what_it_says_in_float32(subject):
    coarse = replace(subject, model=deepcopy(subject.model).to(torch.bfloat16))
    widened = replace(subject, model=deepcopy(coarse.model).float())
    pieces, neuron = list(windows(subject, DOCUMENTS, engine.WINDOW_TOKENS)), CHOSEN[0]
    reading = read(widened, tuple(pieces), (neuron.layer,))
    exact = {
        place_of(pieces[window].document, pieces[window].start) + pos - subject.prepend_bos: value
        for window, pos, value in zip(
            reading.window.tolist(),
            reading.pos.tolist(),
            reading.activations[neuron.layer][:, neuron.number].tolist(),
            strict=True,
        )
    }
    done, column = whole(coarse, DOCUMENTS), neuron.layer * subject.d_mlp + neuron.number
    shown = examples(coarse, done, neuron, dict(DOCUMENTS), pieces)
    for kind, sign, kept in (("highest", 1, done.highest), ("lowest", -1, done.lowest)):
        expected = sorted((exact[p] for p in kept.places[:, column].tolist()), reverse=True)
        assert [e.value for e in shown if e.kind == kind] == pytest.approx(expected, abs=1e-5)
        assert expected[0] != pytest.approx(max(sign * kept.values[:, column]).item(), abs=1e-5)


def test_examples_show_the_token_that_was_read_in_its_document(subject):
    pieces = list(windows(subject, DOCUMENTS, engine.WINDOW_TOKENS))
    found = examples(subject, whole(subject, DOCUMENTS), CHOSEN[0], dict(DOCUMENTS), pieces)
    texts = dict(DOCUMENTS)
    for example in found:
        assert example.before + example.token + example.after in texts[example.document]
    kinds = [example.kind for example in found]
    assert kinds[:3] == ["highest"] * 3
    assert kinds[-3:] == ["lowest"] * 3
    for part in (found[:3], found[3:-3], found[-3:]):
        values = [example.value for example in part]
        assert values == sorted(values, reverse=True)
    assert {"0.5", "0.9"} <= set(kinds)


def test_the_curve_counts_every_token_once_in_bands_set_before_it_was_read(subject):
    contrast = make_contrast(subject, " an", " a")
    result = corpus_scan(subject, CHOSEN, contrast, DOCUMENTS)
    assert result.band_tokens.sum() == result.known
    np.testing.assert_array_equal(result.band_hits.sum(1), [result.next_count, result.foil_count])
    assert result.next_count == sum(text.count(" an ") for _, text in DOCUMENTS) - _at_ends(subject)
    records = whole(subject, DOCUMENTS).records
    values = records.activations[:, 0].double().numpy()[records.next_is_known.numpy()]
    bounds = np.quantile(values, (0, *sorted(EDGES), 1))
    np.testing.assert_allclose(result.band_edges, bounds)
    document = summary(result)
    assert json.dumps(document["neuron"]) == '"L1N5"'
    assert sum(row["tokens"] for row in document["curve"]) == result.known
    assert [row["value"] for row in document["top"]] == list(result.values[:3])


def test_a_scan_of_the_asked_layers_alone_says_the_same_of_their_neurons(subject):
    contrast = make_contrast(subject, " an", " a")
    every = corpus_scan(subject, CHOSEN[1:], contrast, DOCUMENTS)
    engine_of_one = partial(scan, layers={CHOSEN[1].layer})
    some = corpus_scan(subject, CHOSEN[1:], contrast, DOCUMENTS, engine=engine_of_one)
    for field in fields(every):
        np.testing.assert_array_equal(getattr(some, field.name), getattr(every, field.name))


def test_the_models_own_ceiling_is_the_auc_of_its_probability_and_of_its_logit_difference(subject):
    contrast = make_contrast(subject, " an", " a")
    result = corpus_scan(subject, CHOSEN, contrast, DOCUMENTS)
    chance, diff, following = [], [], []
    for window in windows(subject, DOCUMENTS, engine.WINDOW_TOKENS):
        logits = subject.logits(window.tokens)[1:-1]
        chance += logits.softmax(-1)[:, contrast.target_id].tolist()
        diff += (contrast.of(logits)).tolist()
        following += window.tokens[2:]
    follows, foil = (np.array(following) == t for t in (contrast.target_id, contrast.foil_id))
    chance, diff, one = np.array(chance), np.array(diff), follows | foil
    assert result.model_auc[1, 0] == pytest.approx(slow_auc(chance, follows))
    assert result.model_auc[2, 0] == pytest.approx(slow_auc(diff[one], follows[one]))
    assert np.isnan(result.model_auc[0]).all()


def _at_ends(subject):
    """Targets that start a window, which no counted token stands before."""
    target = make_contrast(subject, " an", " a").target_id
    lead = int(subject.prepend_bos)
    pieces = windows(subject, DOCUMENTS, engine.WINDOW_TOKENS)
    starts = [w.tokens[lead : lead + 2 - lead] for w in pieces]
    return sum(tokens.count(target) for tokens in starts)


def test_progress_ends_at_the_whole_and_every_shard_is_offered_for_keeping():
    subject = make_subject("llama")
    fractions, kept = [], []
    corpus_scan(
        subject,
        CHOSEN,
        make_contrast(subject, " an", " a"),
        DOCUMENTS,
        keep=lambda done: kept.append(done.windows),
        progress=fractions.append,
    )
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert len(kept) == len(fractions) - 2 > 3, "two more come between its bootstraps"


def table_of(subject):
    """The rows of every neuron, one after the other."""
    done = whole(subject, DOCUMENTS)
    layers = rows(subject, done, contexts(subject, done, iter(DOCUMENTS)))
    return [row for layer in layers for row in layer]


def test_the_table_says_of_every_neuron_what_reading_token_by_token_says(subject):
    table, seen = table_of(subject), list(every_token(subject))
    assert len(table) == subject.n_layers * subject.d_mlp
    column = CHOSEN[0].layer * subject.d_mlp + CHOSEN[0].number
    row, values = table[column], torch.stack([each[2][column] for each in seen])
    assert (row["neuron"], row["layer"], row["number"]) == (str(CHOSEN[0]), *CHOSEN[0])
    assert row["tokens"] == len(seen)
    assert row["mean"] == pytest.approx(float(values.mean()), abs=1e-5)
    assert row["variance"] == pytest.approx(float(values.var(correction=0)), abs=1e-5)
    assert sorted(row[name] for name in QUANTILES) == [row[name] for name in QUANTILES]
    for name, order in (("highest", -values), ("lowest", values)):
        best = order.argsort(stable=True)[: engine.TOP].tolist()
        places = [(each["document"], each["position"]) for each in row[name]]
        assert places == [seen[i][:2] for i in best]
        for each in row[name]:
            text = dict(DOCUMENTS)[each["document"]]
            assert each["before"] + each["token"] + each["after"] in text


def test_texts_that_have_changed_since_the_scan_make_no_table():
    subject = make_subject("llama")
    with pytest.raises(UserError, match="not those any more that were scanned"):
        contexts(subject, whole(subject, DOCUMENTS), DOCUMENTS[1:])
    shorter = [(number, text[:12]) for number, text in DOCUMENTS]
    with pytest.raises(UserError, match="not those any more that were scanned"):
        contexts(subject, whole(subject, DOCUMENTS), shorter)


def test_a_neuron_comes_back_out_of_the_table_and_any_reader_of_parquet_reads_it(tmp_path):
    subject, path = make_subject("llama"), tmp_path / "neurons.parquet"
    write_table(path, subject, whole(subject, DOCUMENTS), DOCUMENTS, KEY)
    expected = table_of(subject)[subject.d_mlp + 5]
    found, key = read_neuron(path, "L1N5")
    assert key == KEY
    singles = {"q01", "q10", "q50", "q90", "q99"}
    assert found == expected | {name: pytest.approx(expected[name]) for name in singles}
    table = parquet.read_table(path)
    assert table.schema.equals(schema())
    assert table.num_rows == subject.n_layers * subject.d_mlp
    with pytest.raises(UserError, match="outside this model: layers go from 0 to 2"):
        read_neuron(path, "L9N0")


def test_a_table_in_another_order_shows_no_other_neuron(tmp_path):
    subject, path = make_subject("llama"), tmp_path / "neurons.parquet"
    write_table(path, subject, whole(subject, DOCUMENTS), DOCUMENTS, KEY)
    table = parquet.read_table(path)
    backwards = table.take(list(reversed(range(table.num_rows))))
    for other, size in ((table, table.num_rows), (backwards, subject.d_mlp)):
        parquet.write_table(other, path, row_group_size=size)
        with pytest.raises(UserError, match="is not as `corpus-scan --table` wrote it"):
            read_neuron(path, "L1N5")


def test_what_is_no_table_of_a_scan_is_told_in_one_sentence(tmp_path):
    with pytest.raises(UserError, match="There is no table"):
        read_neuron(tmp_path / "none.parquet", "L0N0")
    (tmp_path / "damaged.parquet").write_bytes(b"PAR1")
    with pytest.raises(UserError, match="no whole Parquet file"):
        read_neuron(tmp_path / "damaged.parquet", "L0N0")
    parquet.write_table(pa.table({"neuron": ["L0N0"]}), tmp_path / "other.parquet")
    with pytest.raises(UserError, match="is no table that `corpus-scan --table` wrote"):
        read_neuron(tmp_path / "other.parquet", "L0N0")
    subject = make_subject("llama")
    with pytest.raises(UserError, match="cannot be written"):
        write_table(tmp_path / "no" / "t", subject, whole(subject, DOCUMENTS), DOCUMENTS, KEY)


def test_the_documentation_names_every_column_of_the_table():
    text = (Path(__file__).parent.parent / "docs" / "howto" / "corpus.md").read_text()
    assert [name for name in schema().names if f"`{name}`" not in text] == []


def hooked_factors(subject, neuron):
    """Gate and up of a neuron on every token that counts but the last of each window, by hooks."""
    lead, found = int(subject.prepend_bos), []
    for _, text in DOCUMENTS:
        tokens = subject.tokens(text)
        for start in range(lead, len(tokens), engine.WINDOW_TOKENS):
            piece = [*tokens[:lead], *tokens[start : start + engine.WINDOW_TOKENS]]
            both = subject.cache(tuple(piece), "mlp.hook_pre", "mlp.hook_pre_linear").values()
            layers = [values[neuron.layer, 1:-1, neuron.number] for values in both]
            found.append(torch.stack(layers, 1))
    return torch.cat(found).numpy()


@pytest.mark.slow
def test_quadrants_count_the_signs_of_gate_and_up_as_hooks_read_them():
    subject = make_subject("llama")
    found = corpus_scan(subject, CHOSEN, make_contrast(subject, " an", " a"), DOCUMENTS)
    gate, up = hooked_factors(subject, CHOSEN[0]).T
    values = subject.activation(torch.as_tensor(gate)).numpy() * up
    masks = [((gate >= 0) == g) & ((up >= 0) == u) for g, u in SIGNS]
    assert found.quadrant_tokens.tolist() == [int(mask.sum()) for mask in masks]
    assert min(found.quadrant_tokens) > 0, "every quadrant is seen"
    np.testing.assert_allclose(found.quadrant_mean, [values[m].mean() for m in masks], rtol=1e-4)
    for number, mask in enumerate(masks):
        rows = found.quadrant_factors[found.quadrant_of == number]
        largest = np.flatnonzero(mask)[np.argsort(-np.abs(values[mask]))][:3]
        expected = np.stack([gate, up, values], 1)[largest]
        np.testing.assert_allclose(rows, expected, rtol=1e-4, atol=1e-5)
    low, high = found.band_edges[1], found.band_edges[-2]
    ends = [[int((m & end).sum()) for m in masks] for end in (values < low, values >= high)]
    assert found.quadrant_ends.tolist() == ends
    assert found.quadrant_hits.sum(1).tolist() == [found.next_count, found.foil_count]
    kinds = [row["kind"] for row in LISTING.rows(found)]
    assert f"gate -, up +: {found.quadrant_tokens[2]} tokens" in kinds


def test_the_table_counts_the_quadrants_of_every_neuron_and_none_where_nothing_is_gated():
    gated, plain = make_subject("llama"), make_subject("gpt2")
    table = table_of(gated)
    column = CHOSEN[0].layer * gated.d_mlp + CHOSEN[0].number
    assert all(sum(row[name] for name in QUADRANTS) == row["tokens"] for row in table)
    records = whole(gated, DOCUMENTS).records.factors
    signs = [((records[:, 0] >= 0) == g) & ((records[:, 1] >= 0) == u) for g, u in SIGNS]
    assert [table[column][name] for name in QUADRANTS] == [int(each.sum()) for each in signs]
    assert {row[name] for row in table_of(plain) for name in QUADRANTS} == {None}


def test_nothing_is_told_of_gate_and_up_where_there_are_none():
    subject = make_subject("gpt2")
    found = corpus_scan(subject, CHOSEN, make_contrast(subject, " an", " a"), DOCUMENTS)
    assert not len(found.quadrant_tokens)
    assert summary(found)["quadrants"] == []
    assert "gate" not in finding(EXPERIMENT, found)


@pytest.mark.parametrize(
    ("lowest", "highest", "says"),
    [
        ((0, 100, 0, 0), (100, 0, 0, 0), "up that turns"),
        ((0, 0, 100, 0), (100, 0, 0, 0), "the gate that turns"),
        ((100, 0, 0, 0), (0, 0, 0, 100), "both turn"),
        ((0, 100, 0, 0), (0, 0, 0, 100), "the gate that turns"),
        ((100, 0, 0, 0), (95, 0, 0, 5), "differ in size alone"),
        ((0, 100, 0, 0), (60, 0, 0, 40), "not a matter of one pair of signs"),
    ],
)
def test_what_turns_between_the_ends_is_read_off_the_signs_of_their_tokens(lowest, highest, says):
    scanned = replace(evidence(Plan()).corpus_scan, quadrant_ends=np.array([lowest, highest]))
    assert says in finding(EXPERIMENT, scanned)


def slow_auc(values, positive):
    pairs = [(a > b) + (a == b) / 2 for a in values[positive] for b in values[~positive]]
    return float(np.mean(pairs))


@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=1, max_size=30))
def test_auc_is_the_share_of_pairs_in_the_right_order(items):
    values, positive = (np.array(column) for column in zip(*items, strict=True))
    found = auc(values.astype(float), positive)
    if positive.all() or not positive.any():
        assert np.isnan(found)
    else:
        assert found == pytest.approx(slow_auc(values, positive))
        assert auc(-values.astype(float), positive) == pytest.approx(1 - found)


def test_a_perfect_detector_is_found_in_either_direction():
    generator = np.random.default_rng(0)
    positive, document = generator.random(400) < 0.2, np.repeat(np.arange(20), 20)
    values = positive * 5 + generator.random(400)
    for sign in (1, -1):
        found = detector(sign * values, positive, document)
        assert found.direction == sign
        assert found.precision[0] == found.recall[0] == 1.0
        assert found.hits == found.positives == positive[document % 2 == 1].sum()


def test_a_threshold_chosen_on_noise_does_not_look_better_than_the_base_rate_elsewhere():
    generator = np.random.default_rng(1)
    positive, document = generator.random(8000) < 0.1, np.repeat(np.arange(80), 100)
    found = detector(generator.random(8000), positive, document)
    assert found.precision[1] < 0.1 < found.precision[2]
    low, high = auc_interval(generator.random(8000), positive, document, seed=0)
    assert low < 0.5 < high


@pytest.mark.parametrize(
    ("gain", "says"),
    [
        ((0.1, 0.01, 0.2), "L2N1 tells the word’s places better than ours"),
        ((0.1, -0.01, 0.2), "these articles cannot say"),
        ((0.1, np.nan, np.nan), "these articles cannot say"),
        ((-0.1, -0.2, 0.01), "these articles cannot say"),
        ((-0.1, -0.2, -0.01), "tells the word’s places as well as ours"),
    ],
)
def test_a_rival_tells_better_only_where_the_paired_difference_says_so(gain, says):
    gains = np.array([gain, (-0.3, -0.4, -0.2)])
    claims = Claims(changed(evidence(Plan()), "corpus_scan", rival_gain=gains)).corpus_scan
    assert says in claims.rivals
    assert claims.facts.rival.better == ("better than ours: best in" in claims.rivals)
    assert claims.facts.rival.worse == ("as well as ours" in claims.rivals)


def two_neurons(alike):
    """A neuron and its rival, a little better, on documents that differ more than the two do."""
    generator = np.random.default_rng(3)
    document = np.repeat(np.arange(30), 60)
    positive = generator.random(1800) < 0.3
    hard = generator.normal(0, 1.2, 30)[document]  # how well either tells in a document
    ours, rival = (positive * (hard + shift) + generator.normal(0, 1, 1800) for shift in (0.5, 0.8))
    if alike:  # but for the shift, the rival reads what ours reads
        rival = ours + 0.3 * positive
    return rival, ours, positive, document


@pytest.mark.slow
def test_a_paired_difference_is_seen_where_intervals_overlap_and_not_where_neurons_are_unlike():
    rival, ours, positive, document = two_neurons(alike=True)
    spans = [auc_interval(each, positive, document, 0) for each in (ours, rival)]
    assert spans[0][1] > spans[1][0]  # they overlap: read by themselves they say nothing
    gain = auc_gain(rival, ours, positive, document, seed=0)
    assert gain.low > 0
    assert gain.mean == pytest.approx(auc(rival, positive) - auc(ours, positive))
    back = auc_gain(ours, rival, positive, document, seed=0)
    np.testing.assert_allclose(back, (-gain.mean, -gain.high, -gain.low), atol=1e-3)
    noise = auc_gain(np.random.default_rng(0).permutation(ours), ours, positive, document, 0)
    assert noise.mean < 0
    same = auc_gain(ours, -ours, positive, document, seed=0)  # either direction counts alike
    np.testing.assert_allclose(same, 0, atol=1e-9)


def test_the_more_rivals_there_are_the_wider_is_the_interval_of_each_difference():
    one, many = (auc_gain(*two_neurons(True), seed=0, comparisons=n) for n in (1, 10))
    assert many.low < one.low < one.high < many.high


def scanned(hits_in):
    """The neuron's facts on 40 documents of 100 tokens, the target behind high activations."""
    document = torch.arange(40).repeat_interleave(100)
    generator = torch.Generator().manual_seed(0)
    values = torch.rand(4000, generator=generator)
    values[::100] = 2.0 + torch.rand(40, generator=generator)  # the highest hundredth, one each
    if hits_in == "one document":
        values[::100], values[:40] = torch.rand(40, generator=generator), 2.5
    target = torch.zeros(4000, dtype=torch.bool)
    target[:40:4] = True  # as many targets in all, in the one document or in ten
    if hits_in == "ten documents":
        target = torch.zeros(4000, dtype=torch.bool)
        target[0:4000:400] = True
    rare = torch.zeros(4000, dtype=torch.bool)
    records = Records(
        place=document << POSITION_BITS,
        activations=values[:, None],
        factors=torch.zeros(4000, 0),
        p_target=torch.rand(4000, generator=generator),
        logit_diff=torch.rand(4000, generator=generator),
        top_is_target=rare,
        next_is_target=target,
        next_is_foil=rare,
        next_is_known=~rare,
    )
    counted = bands(records, seed=0)
    made = {**counted, **separated(records, seed=0), "known": 4000, "foil_count": 0}
    made |= {"next_count": int(target.sum()), "neurons": ("L1N5",)}
    return facts(replace(evidence(Plan()).corpus_scan, **made)), counted


@pytest.mark.slow
@pytest.mark.parametrize(("where", "claims"), [("one document", False), ("ten documents", True)])
def test_hits_of_one_document_claim_nothing_and_as_many_of_ten_do(where, claims):
    found, counted = scanned(where)
    end = found.used.target
    assert (end.hits, found.used.tokens) == (10, 40)
    assert end.documents == (10 if claims else 1)
    assert end.rate == pytest.approx(0)
    assert share_interval(10, 40)[0] > 0.1  # had tokens been independent, both would claim
    assert end.exceeds == claims
    assert found.marks_target == claims
    assert counted["band_tokens"].sum() == 4000


def test_two_documents_are_too_few_however_clear_their_numbers_are():
    result = evidence(Plan()).corpus_scan
    few = np.minimum(result.band_documents, 2)
    found = facts(replace(result, band_documents=few, label_documents=np.full(3, 2)))
    assert result.end_excess[0, 1, 1] > 0
    assert not found.used.target.exceeds
    assert not any(area.tells for area in (found.top, found.next, found.which))
    two = changed(evidence(Plan()), "corpus_scan", label_documents=np.full(3, 2))
    claims = Claims(two).corpus_scan
    assert "too few articles" in claims.told_apart
    assert "0.97" not in claims.told_apart + claims.which + claims.finding
    assert not two.corpus_scan.figure("corpus_auc").data


@pytest.mark.parametrize(
    ("target", "foil", "curves"),
    [(30, 40, 2), (0, 40, 1), (30, 0, 1), (29, 30, 1), (29, 29, 0), (0, 0, 0)],
)
def test_a_word_that_hardly_comes_has_no_shares_to_draw_and_that_is_said(target, foil, curves):
    result = evidence(Plan()).corpus_scan
    drawn = replace(result, next_count=target, foil_count=foil).figure("corpus_scan")
    said = [each.text for each in drawn.layout.annotations]
    if curves:
        assert drawn.layout.yaxis.tickformat == ".2~%", "half a per cent is not written as one"
    assert len(drawn.data) == len(drawn.layout.shapes) == curves
    assert ("Nothing to draw" in said) == (not curves)
    never, seldom = (
        sum(text.count(words) for text in said)
        for words in ("never comes", "comes too seldom to draw (29)")
    )
    assert never == ((target, foil).count(0) if curves else 0)
    assert seldom == ((target, foil).count(29) if curves else 0)


def news(**fields):
    study = changed(evidence(Plan(holds=False)), "corpus_scan", **fields)
    claims = Claims(study).corpus_scan
    return [str(said) for said in (claims.heading, claims.finding, claims.auc_caption)]


@pytest.mark.parametrize(
    ("places", "articles", "says"),
    [
        (0, 0, "never comes next, so they do not say whether the activation tells where it comes"),
        (1, 1, "comes once, in 1 article, too few to say whether the activation tells"),
        (7, 2, "comes 7 times, in 2 articles, too few to say whether the activation tells"),
    ],
)
def test_what_a_word_that_hardly_comes_cannot_tell_is_not_called_untold(places, articles, says):
    spread = np.array([5, articles, articles])
    heading, found, caption = news(next_count=places, label_documents=spread)
    assert says in found
    assert says in caption
    assert "Read more articles" in found
    assert "to say whether its activation tells" in heading
    assert "does not tell" not in heading + found + caption


@pytest.mark.parametrize(
    ("value", "low", "high", "says"),
    [
        (0.58, 0.4, 0.6, "does not tell"),
        (0.58, 0.2, 0.9, "is not shown to tell"),
        (0.58, 0.55, 0.6, "hardly tells"),
        (0.73, 0.62, 0.92, "tells, if perhaps little,"),
        (0.8, 0.7, 0.9, "tells"),
    ],
)
def test_an_interval_about_a_coins_does_not_tell_and_a_value_near_it_hardly(value, low, high, says):
    areas = evidence(Plan(holds=False)).corpus_scan.auc.copy()
    areas[0] = (value, low, high)
    for said in news(auc=areas):
        assert f"activation {says}" in said


def outermost(after, articles):
    """A scan whose lowest tokens, the lowest first, these follow, in these articles."""
    study = evidence(Plan(holds=False))
    count = len(after)
    kept = {
        "kinds": ("lowest",) * count, "values": np.arange(count) - 9.0, "articles": tuple(articles),
        "before": ("",) * count, "token": (" b",) * count, "after": tuple(after),
    }  # fmt: skip
    return changed(study, "corpus_scan", **kept)


@pytest.mark.parametrize(
    ("foils", "articles", "says", "told"),
    [
        (
            10,
            range(10),
            True,
            "all 10 and {0} none (10 of 10 articles, 95 % interval 72 % to 100 %)",
        ),
        (10, [*range(9), 0], True, "all 10 and {0} none (9 of 9 articles, 95 % interval 70 %"),
        (10, [0, 0, 0, 0, 1, 1, 1, 2, 2, 2], False, "{0} follows none and {1} all 10."),
        (7, range(10), False, "{0} follows none and {1} 7."),
    ],
)
def test_a_word_that_follows_the_outermost_tokens_of_many_articles_is_told(
    foils, articles, says, told
):
    plan = Plan(holds=False)
    study = outermost([plan.foil] * foils + [plan.extra[0]] * (10 - foils), articles)
    found = facts(study.corpus_scan).unused_extreme
    assert (found.highest, found.target, found.foil) == (False, 0, foils)
    assert found.says_foil == says
    assert not found.says
    claims = Claims(study).corpus_scan
    assert bool(claims.extremes) == says
    assert claims.extremes in claims.finding
    shown = [word.replace(" ", "·") for word in (plan.target, plan.foil)]
    words = Markup(claims.unused_extreme).striptags().replace("\u202f", " ")
    assert told.format(*shown) in words


def test_an_article_counts_once_among_the_outermost_by_the_token_farthest_out():
    plan = Plan(holds=False)
    study = outermost([plan.target, plan.foil, plan.foil, plan.foil], [7, 7, 8, 8])
    found = facts(study.corpus_scan).unused_extreme
    assert (found.target, found.foil) == (1, 3)
    assert (found.target_in.part, found.foil_in.part, found.foil_in.of) == (1, 1, 2)


def test_each_token_of_a_set_counts_after_the_outermost():
    study = outermost([" on", " in", " at", " by", ""], range(5))
    result = replace(study.corpus_scan, target=" in| at", foil=" on")
    found = facts(result).unused_extreme
    assert (found.target, found.foil, found.target_in.part) == (2, 1, 2)


def test_a_scan_alone_is_read_at_the_end_that_tells_the_words_places():
    result = evidence(Plan()).corpus_scan
    assert facts(result).used.highest
    assert not facts(replace(result, direction=-result.direction)).used.highest


@pytest.mark.parametrize("sign", [1, -1])
def test_the_end_that_counts_is_the_one_with_which_the_neuron_is_used(sign):
    result = evidence(Plan()).corpus_scan
    found = facts(result, sign)
    assert found.used.highest == (sign > 0)
    assert found.used.target.exceeds == (sign > 0)
    assert found.unused == facts(result, -sign).used


def documents_with(share, generator):
    """Hits and tokens of 32 documents whose own shares differ as those of articles do."""
    tokens = 1 + generator.poisson(generator.gamma(2, 2, 32))
    own = generator.beta(share * 19, (1 - share) * 19, 32)
    return generator.binomial(tokens, own), tokens


@pytest.mark.parametrize("share", [0.02, 0.1, 0.4])
def test_an_interval_of_a_share_over_documents_covers_the_truth(share):
    generator = np.random.default_rng(0)
    draws = [documents_with(share, generator) for _ in range(1000)]
    spans = [share_of_tokens(*draw)[1:] for draw in draws]
    covered = np.mean([low <= share <= high for low, high in spans])
    assert 0.92 < covered < 0.98


def test_tokens_that_follow_their_document_are_not_counted_as_independent():
    tokens, hits = np.full(20, 50), np.zeros(20)
    hits[:5] = 50  # a quarter of the documents, whole: five draws of twenty, not 250 of 1000
    found = share_of_tokens(hits, tokens)
    assert found[1:] == pytest.approx(share_interval(0.25 * 19, 19), abs=1e-9)
    spread = share_of_tokens(np.tile([12.0, 13.0], 10), tokens)
    assert spread[1:] == pytest.approx(share_interval(250, 1000), abs=1e-9)
    none = share_of_tokens(np.zeros(100), np.full(100, 124))
    assert none[1:] == pytest.approx((0.0, 0.037), abs=5e-4)
    assert np.isnan(share_of_tokens(hits[:1], tokens[:1])[1:]).all()


def test_facts_of_a_scan_that_tells_nothing():
    ours, none = (facts(evidence(Plan(holds=holds)).corpus_scan) for holds in (True, False))
    for name in ("top", "next", "which"):
        assert (getattr(ours, name).tells, getattr(none, name).tells) == (True, False)
    assert (ours.marks_target, none.marks_target) == (True, False)
    assert (ours.unused.foil.exceeds, none.unused.foil.exceeds) == (True, False)
    assert ours.model_next.tells


def test_nothing_is_made_up_where_nothing_was_seen():
    values, document = np.arange(6.0), np.array([0, 0, 1, 1, 2, 2])
    found = detector(values, np.zeros(6, dtype=bool), document)
    assert np.isnan(found.threshold)
    assert found.detected == found.hits == 0
    assert np.isnan(found.precision[0])
    assert np.isnan(auc_interval(values, np.zeros(6, dtype=bool), document, 0)).all()
    nothing = np.zeros(0), np.zeros(0, dtype=bool), np.zeros(0, dtype=int)
    assert np.isnan(auc_interval(*nothing, 0)).all()
    assert np.isnan(detector(*nothing).recall[0])


@pytest.mark.parametrize(("documents", "known"), [(1, False), (2, True)])
def test_one_document_gives_no_interval_of_the_auc(documents, known):
    values, positive = np.arange(8.0), np.tile([False, False, True, True], 2)
    document = np.repeat(np.arange(documents), 8 // documents)
    assert np.isfinite(auc_interval(values, positive, document, seed=0)).all() == known


@pytest.mark.parametrize(("documents", "known"), [(2, False), (3, False), (4, True)])
def test_a_detector_judged_on_one_document_has_no_interval(documents, known):
    values = np.tile([0.0, 0.0, 1.0, 1.0], documents)
    document = np.repeat(np.arange(documents), 4)
    found = detector(values, values > 0, document)
    assert found.precision[0] == found.recall[0] == 1.0
    assert np.isfinite(found.precision[1:] + found.recall[1:]).all() == known


@pytest.mark.slow
def test_the_verb_scans_goes_on_where_it_stopped_and_writes_every_neuron(
    analysis, llama_folder, tmp_path, monkeypatch
):
    monkeypatch.setattr("analysis.corpus.articles", lambda: DOCUMENTS)
    kept, table = tmp_path / "kept", tmp_path / "neurons.csv"
    asked = ("corpus-scan", "--model", llama_folder, "--neuron", "L1N5", "--json", "--keep", kept)
    whole = (*asked, "--rivals", "L2N7, L1N5", "--documents", "0", "--table", table)
    code, out, err = analysis(*whole)
    assert code == 0, err
    document = json.loads(out)
    assert {"tokens", "neuron", "top", "curve", "precision", "recall"} <= set(document)
    assert (document["neuron"], document["documents"], document["kept"]) == ("L1N5", 4, str(kept))
    assert [row["neuron"] for row in document["rivals"]] == ["L2N7"]
    assert set(document["top"][0]) == {"value", "context", "token", "next"}
    assert len(table.read_text().splitlines()) == 1 + 3 * 48
    before = kept.read_bytes()
    code, out, err = analysis(*whole)
    assert code == 0
    assert "goes on there" in err
    assert json.loads(out) == document
    assert kept.read_bytes() == before
    code, _, err = analysis(*asked, "--documents", "2")
    assert code == 2
    assert "the scan of something else" in err


@pytest.mark.slow
def test_the_verb_scans_files_for_every_neuron_and_another_shows_one_of_them(
    answer, analysis, llama_folder, tmp_path
):
    for number, text in DOCUMENTS:
        (tmp_path / f"{number}.txt").write_text(text)
    (tmp_path / "6.txt").write_bytes(b"\xff")
    table, kept = tmp_path / "neurons.parquet", tmp_path / "kept"
    given = ("--model", llama_folder, "--files", tmp_path / "*.txt", "--no-curve")
    asked = ("corpus-scan", *given, "--keep", kept, "--table", table)
    code, _, err = analysis(*asked)
    assert code == 2
    assert "6.txt is not UTF-8 text" in err
    found = answer(*asked, "--skip-unreadable")
    assert found["documents"] == len(DOCUMENTS)
    one = answer("neuron", "L1N5", "--table", table)
    assert (one["neuron"], one["tokens"], one["model"]) == ("L1N5", found["tokens"], "tiny-llama")
    assert len(one["highest"]) == engine.TOP
    code, _, err = analysis(*asked, "--documents", "2")
    assert code == 2
    assert "--documents draws articles" in err


def test_nothing_that_is_read_is_written_over(analysis, llama_folder, tmp_path):
    corpus_file, kept = tmp_path / "corpus.jsonl", tmp_path / "kept"
    corpus_file.write_text(json.dumps({"text": DOCUMENTS[0][1]}))
    before = corpus_file.read_bytes()
    asked = ("corpus-scan", "--model", llama_folder, "--files", corpus_file, "--no-curve")
    for options, says in (
        (("--table", corpus_file), "is what is read and --table"),
        (("--keep", corpus_file), "is what is read and --keep"),
        (("--keep", kept, "--table", kept), "is --keep and --table"),
        (("--keep", ""), "is no name of a file: give one to --keep"),
        (("--table", tmp_path), "is no name of a file: give one to --table"),
    ):
        code, out, err = analysis(*asked, *options)
        assert (code, out) == (2, "")
        assert says in err
    assert corpus_file.read_bytes() == before
    assert [*tmp_path.iterdir()] == [corpus_file]


@pytest.mark.parametrize("curve", ["--curve", "--no-curve"])
def test_texts_of_one_token_make_no_scan_and_no_table(analysis, llama_folder, tmp_path, curve):
    (tmp_path / "word.txt").write_text("apple")
    table = tmp_path / "neurons.parquet"
    given = ("--model", llama_folder, "--neuron", "L1N5", "--files", tmp_path / "word.txt", curve)
    code, _, err = analysis("corpus-scan", *given, "--keep", tmp_path / "kept", "--table", table)
    assert code == 2
    assert "There is no text to scan" in err
    assert not table.exists()


def test_the_embedded_models_neuron_has_two_ends_and_the_low_one_stands_before_the_foil(
    embedded, monkeypatch
):
    monkeypatch.setattr("analysis.experiments.corpus_scan.compute.WINDOW_TOKENS", 256)
    _, text = next(row for row in corpus.sample(32, 0) if "don't have a passport" in row[1])
    place = text.index("don't have a passport")
    contrast = make_contrast(embedded, " an", " a")
    stretch = [(0, text[max(0, place - 600) : place + 300])]
    result = corpus_scan(embedded, [Neuron(25, 1527)], contrast, stretch)
    assert result.kinds[-1] == "lowest"
    assert result.values[-1] < -5
    assert result.after[-1] == " a"
