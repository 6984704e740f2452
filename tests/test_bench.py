"""Benchmarks: works take turns, ratios are of one round, and the page tells what was found."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from analysis import corpus
from analysis.loading import models
from bench import __main__ as benches
from bench import gpu, large, page, peers, scan
from bench.peers import PEERS, spread
from bench.timing import Round, alternate, memory
from tests.questions import TREES
from tests.space.questions import ARTICLES
from tests.subjects import kept, make_subject

TIMES = {"median": 2.0, "low": 1.5, "high": 2.5, "rounds": 3}
PEER = {"batch": 32, "tried": {"16": 0.02}, "extrapolated": 1234.0, "times": 61.0, "apart": 1e-5}
FOUND = {
    "machine": {
        "processor": "some processor",
        "cores": 2,
        "threads": 2,
        "load": 0.1,
        "accelerator": "none",
        "python": "3.11",
        "packages": {"torch": "2"},
        "small": False,
    },
    "sweep": {
        "neurons": 46080,
        "tokens": 12,
        "sample": 256,
        "times": dict.fromkeys(("exact", "screened", "products", *PEERS), TIMES),
        "peers": {"nnsight": PEER},
        "failed": {"transformer_lens": "transformer_lens could not be installed: no network"},
        "best_inside": 10,
        "peak_gib": 1.5,
        "ratios": {"sweep_vs_matmul": 1.1, "screen_vs_exact": 15.0, "sweep_vs_best_peer": 61.0},
    },
    "curves": {"curves": {"pairs": [[1, 0.5], [2, 1.0]]}},
    "large": {
        "weights_gib": 13.0,
        "neurons": 352256,
        "verbs": {"sweep": {"seconds": 60.0, "resident_gib": 14.5, "own_gib": 1.5}},
    },
}


def test_works_take_turns_and_a_ratio_compares_within_a_round():
    order = []
    works = {name: lambda name=name: order.append(name) for name in ("a", "b")}
    timed = alternate(works, rounds=2, warm=True)
    assert order == ["a", "b"] * 3
    assert {len(each) for each in timed.seconds.values()} == {2}
    slowing = Round({"ours": [1.0, 10.0, 100.0], "other": [2.0, 20.0, 200.0]})
    assert slowing.ratio("other", "ours") == 2  # though the machine slowed down a hundredfold


def test_a_sample_of_neurons_lies_at_equal_distances_over_all_layers():
    found = spread(layers=3, width=8, count=6)
    assert found == [(0, 0), (0, 4), (1, 0), (1, 4), (2, 0), (2, 4)]


@pytest.mark.parametrize("found", [{}, FOUND])
def test_the_page_tells_what_was_found_and_what_could_not_be_had(found, tmp_path, monkeypatch):
    results = tmp_path / "results.json"
    results.write_text(json.dumps(found))
    monkeypatch.setattr(page, "RESULTS", results)
    text = page.page()
    assert ("There are no results yet" in text) == (not found)
    assert ("1,234 s for every neuron: 61 times as long" in text) == bool(found)
    assert ("no network, so it is not compared" in text) == bool(found)


def test_the_picture_has_a_bar_for_each_way_to_sweep_and_a_line_for_each_curve():
    drawn = page.picture(FOUND)
    assert set(drawn.data[0].y) == {"matrix products", "exact", "screened", "nnsight"}
    assert list(drawn.data[1].y) == [1, 2]
    assert [each.name for each in page.picture({}).data] == ["in proportion"]


def test_a_scan_is_timed_beside_the_pass_of_the_same_windows(monkeypatch):
    subject = kept("llama").subject()  # gated: its scan has quadrants and factors
    monkeypatch.setattr(corpus, "sample", lambda n, _seed: list(ARTICLES))
    monkeypatch.setattr(scan, "default", lambda: TREES)
    found = scan.section(subject, rounds=2, tokens=100)
    assert found["tokens"] >= 100
    assert len(found["by_round"]) == 2


def test_sections_keep_the_machine_they_were_timed_on(monkeypatch, tmp_path):
    out = tmp_path / "results.json"
    monkeypatch.setattr(benches, "load", lambda _name: None)
    monkeypatch.setattr(benches, "sections", lambda _small: dict.fromkeys("ab", lambda _: {}))
    benches.main(["a"], True, out)
    benches.main(["b"], False, out)
    found = json.loads(out.read_text())
    assert [found[name]["machine"]["small"] for name in "ab"] == [True, False]
    assert found["machine"]["small"], "one of them was a small run"


@pytest.mark.slow
def test_a_large_model_is_written_shard_by_shard_and_loads_as_it_is(tmp_path):
    weights = large.write(tmp_path, large.SMALL)
    subject = models.load(str(tmp_path), dtype="bfloat16")
    held = {id(weight): weight.nbytes for weight in subject.model.parameters()}
    assert sum(held.values()) == weights
    assert len(list(tmp_path.glob("*.safetensors"))) == subject.n_layers + 3


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="memory is read from Linux")
def test_what_a_process_holds_of_its_own_is_a_part_of_what_is_resident():
    found = memory(os.getpid())
    assert 0 < found["RssAnon"] <= found["VmRSS"] == found[large.PARTS["resident_gib"]]
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert memory(ended.pid) == {}


def test_a_peer_that_cannot_be_had_is_named_without_the_machines_paths(monkeypatch, tmp_path):
    monkeypatch.setattr(peers, "ENVIRONMENTS", tmp_path)
    monkeypatch.setattr(peers.sys, "executable", str(tmp_path / "no-python"))
    with pytest.raises(OSError, match=r"^nnsight could not be installed$"):
        peers.installed("nnsight")


def test_the_bench_of_a_gpu_holds_it_against_the_processor(monkeypatch):
    """A processor stands for the GPU: it agrees with itself, whatever is asked of it."""
    monkeypatch.setattr(gpu, "TYPES", ("float32",))
    monkeypatch.setattr(gpu, "SQUARE", 64)
    monkeypatch.setattr(gpu, "WINDOW_TOKENS", 15)
    monkeypatch.setattr(gpu, "placement", lambda *_: (torch.device("cpu"), torch.float32))
    monkeypatch.setattr(gpu, "gpt2_large", lambda _: make_subject("gpt2"))
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda: None)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: 2**30)
    found = gpu.section(layers=2, rounds=1, windows=2, one_in=64)["types"]["float32"]
    assert {name: found[name] for name in found if name.endswith("_apart")} == {
        "patches_apart": 0,
        "means_apart": 0,
        "highest_apart": 0,
        "logits_apart": 0,
    }
    assert len(found["tokens_a_second"]) == 1
    assert found["scan_gib"] == 1
    assert 0 < found["times"]["products"]["median"] < found["times"]["sweep"]["median"]
    assert found["share_of_peak"] > 0


def test_the_operations_of_a_sweep_are_those_of_the_blocks_behind_each_neuron():
    subject = make_subject("llama")
    patches, token = gpu.operations(subject)
    own = 2 * sum(each.numel() for each in subject.blocks[0].parameters() if each.ndim == 2)
    assert token == subject.n_layers * own
    assert patches == subject.d_mlp * own * sum(range(subject.n_layers))
