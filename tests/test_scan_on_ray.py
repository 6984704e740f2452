"""The corpus scan on Ray: the same bytes as in one process, also where a worker is killed."""

import functools
import importlib.util
import os
import signal
import socket
import sys
import types

import pytest
import torch

from analysis.calls import Loading
from analysis.contrast import make_contrast
from analysis.engines.reading import windows
from analysis.errors import UserError
from analysis.neuron import Neuron
from analysis.scanning import on_ray
from analysis.scanning.scan import SHARD_WINDOWS, scan
from analysis.scanning.scan_files import model_key

TEXTS = [(i, "The cat ate an apple and the owl saw a lemon " * 9) for i in range(30)]
CHOSEN = (Neuron(1, 5),)


@pytest.fixture
def loading(llama_folder):
    return Loading(str(llama_folder))


def make_it_die(worker):
    """Told to a worker: in the middle of the next shard that it reads, its process is killed."""
    import analysis.scanning.scan as engine

    read, passes = engine.read, []

    def killed(*arguments, **named):
        passes.append(1)
        if len(passes) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return read(*arguments, **named)

    engine.read = killed
    return os.getpid()


@pytest.mark.slow
def test_two_workers_of_which_one_is_killed_make_the_same_bytes_as_one_process(loading):
    if importlib.util.find_spec("ray") is None and not os.environ.get("CI"):
        pytest.skip("Ray is not installed: requirements-dev.txt has it.")
    import ray

    subject = loading.load()
    contrast = make_contrast(subject, " an", " a")
    pieces = list(windows(subject, TEXTS, 8))
    assert len(pieces) > 4 * SHARD_WINDOWS
    ends = [done.windows for done in scan(subject, pieces, CHOSEN, contrast, 1)]
    *_, here = scan(subject, pieces, CHOSEN, contrast, 1)
    with on_ray.pool(loading.load, model_key(subject), "cpu", 2) as pool:
        _, victim = pool.workers
        before = ray.get(victim.__ray_call__.remote(make_it_die))
        merged = []
        for there in pool.scan(subject, iter(pieces), CHOSEN, contrast, 1):
            merged.append(there.windows)
        after = ray.get(victim.__ray_call__.remote(lambda worker: os.getpid()))
    assert before != after
    assert merged == ends
    for name, values in here.tensors().items():
        assert torch.equal(values, there.tensors()[name]), name


def test_a_worker_with_another_model_or_code_refuses_to_scan(loading):
    key = model_key(loading.load())
    with pytest.raises(UserError, match="A worker has another code than this process"):
        _ = on_ray.Worker(loading.load, {**key, "code": "other"}).subject


def test_where_no_ray_is_or_answers_is_told_in_one_sentence(loading, monkeypatch):
    ask = functools.partial(on_ray.pool, loading.load, {}, "cpu")
    monkeypatch.setitem(sys.modules, "ray", types.ModuleType("ray"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = f"127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(UserError, match=f"No Ray answers at {closed}"), ask(2, closed):
        pass
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError, match="pip install 'an-neuron"), ask(2):
        pass


def test_ray_is_asked_for_in_so_many_words(analysis):
    code, _, err = analysis("corpus-scan", "--workers", "2")
    assert code == 2
    assert "give --engine ray too" in err
