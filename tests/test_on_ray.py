"""Work on Ray: the same bytes as in one process, also where a worker is killed."""

import functools
import importlib.util
import os
import signal
import socket
import sys
import types
from contextlib import nullcontext

import numpy as np
import pytest
import torch

from analysis import workers
from analysis.calls import Loading
from analysis.contrast import make_contrast
from analysis.engines.reading import windows
from analysis.errors import UserError
from analysis.neuron import Neuron
from analysis.scanning.on_ray import Workers, checked
from analysis.scanning.scan import SHARD_WINDOWS, scan
from analysis.scanning.scan_files import model_key
from bench import screens
from tests.questions import CLEAN, CORRUPTED, TREES_FILE

TEXTS = [(i, "The cat ate an apple and the owl saw a lemon " * 9) for i in range(30)]
CHOSEN = (Neuron(1, 5),)


@pytest.fixture(scope="module")
def loading(folders):
    return Loading(str(folders["llama"]))


@pytest.fixture(scope="module")
def pool(loading):
    """Two workers for all tests that speak to some: Ray takes its time to begin."""
    if importlib.util.find_spec("ray") is None and not os.environ.get("CI"):
        pytest.skip("Ray is not installed: requirements-dev.txt has it.")
    load = functools.partial(checked, loading.load, model_key(loading.load()))
    with workers.pool(load, "cpu", workers.Ray(2)) as running:
        yield running


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
def test_two_workers_of_which_one_is_killed_make_the_same_bytes_as_one_process(loading, pool):
    import ray

    subject = loading.load()
    contrast = make_contrast(subject, " an", " a")
    pieces = list(windows(subject, TEXTS, 8))
    assert len(pieces) > 4 * SHARD_WINDOWS
    ends = [done.windows for done in scan(subject, pieces, CHOSEN, contrast, 1)]
    *_, here = scan(subject, pieces, CHOSEN, contrast, 1)
    _, victim = pool.workers
    before = ray.get(victim.__ray_call__.remote(make_it_die))
    merged = []
    for there in Workers(pool.each).scan(subject, iter(pieces), CHOSEN, contrast, 1):
        merged.append(there.windows)
    after = ray.get(victim.__ray_call__.remote(lambda worker: os.getpid()))
    assert before != after
    assert merged == ends
    for name, values in here.tensors().items():
        assert torch.equal(values, there.tensors()[name]), name


@pytest.mark.slow
def test_models_questions_and_pairs_are_worked_through_by_workers_as_by_one_process(
    pool, loading, folders, answer, monkeypatch, tmp_path
):
    monkeypatch.setattr(workers, "pool", lambda *_: nullcontext(pool))
    asked = ("--clean", CLEAN, "--corrupted", CORRUPTED, "--screen", "8")
    models = [folders["gpt2"], "nowhere", folders["llama"]]
    rows = ["library", TREES_FILE, "--model", loading.model, "--documents", "0"]
    for verb in (["comparison", *models, *asked], rows):
        assert answer(*verb) == answer(*verb, "--engine", "ray")
    monkeypatch.setattr(screens, "QUESTIONS", (str(TREES_FILE),))
    monkeypatch.setattr(screens, "TRUTHS", tmp_path / "here")
    here = [*screens.measure(loading.load(), loading.model, "2", None)]
    monkeypatch.setattr(screens, "TRUTHS", tmp_path / "there")
    there = [*screens.measure(loading.load(), loading.model, "2", workers.Ray())]
    assert [case for case, _ in here] == [case for case, _ in there]
    for (_, ours), (_, theirs) in zip(here, there, strict=True):
        assert ours[0] == theirs[0]
        np.testing.assert_array_equal(ours[1][0], theirs[1][0])
        for name, (guess, _) in ours[2].items():
            np.testing.assert_array_equal(guess, theirs[2][name][0])


def test_a_worker_with_another_model_or_code_refuses_to_scan(loading):
    key = model_key(loading.load())
    with pytest.raises(UserError, match="A worker has another code than this process"):
        checked(loading.load, {**key, "code": "other"})


def test_where_no_ray_is_or_answers_is_told_in_one_sentence(loading, monkeypatch):
    def ask(*asked):
        return workers.pool(loading.load, "cpu", workers.Ray(*asked))

    monkeypatch.setitem(sys.modules, "ray", types.ModuleType("ray"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = f"127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(UserError, match=f"No Ray answers at {closed}"), ask(2, closed):
        pass
    for nowhere in ("a..b:6379", f"{'a' * 64}:6379"):
        with pytest.raises(UserError, match=f"No Ray answers at {nowhere}"), ask(2, nowhere):
            pass
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError, match=r"pip install '.\[ray\]'"), ask(2):
        pass


def test_an_address_of_ipv6_is_asked_without_its_brackets(monkeypatch):
    asked = []
    monkeypatch.setattr(
        workers.socket, "create_connection", lambda to, _: asked.append(to) or socket.socket()
    )
    workers._check_reached("[::1]:6379")
    assert asked == [("::1", 6379)]


def test_workers_that_wait_for_what_others_hold_are_told():
    fractions = []
    wanted = functools.partial(workers._wanted, "GPU", tell=fractions.append)
    assert wanted(None, {"GPU": 4.0}, {"GPU": 4.0}) == 4
    assert fractions == []
    assert wanted(3, {"GPU": 4.0}, {"GPU": 1.0}) == 3
    assert "2 of 3 workers wait for one" in fractions[0]
    for asked, there in ((5, {"GPU": 4.0}), (None, {})):
        with pytest.raises(UserError, match="ask for fewer"):
            wanted(asked, there, there)


def test_only_a_worker_that_died_too_often_is_told_as_one(monkeypatch):
    exceptions = types.SimpleNamespace()
    for name, base in (("RayError", "Exception"), ("RayTaskError", "RayError")):
        setattr(exceptions, name, type(name, (getattr(exceptions, base, Exception),), {}))
    died = type("ActorDiedError", (exceptions.RayError,), {"actor_init_failed": False})
    exceptions.ActorDiedError = died
    unborn = type("Unborn", (died,), {"actor_init_failed": True})

    def message(error):
        def get(_):
            raise error

        ray = types.SimpleNamespace(exceptions=exceptions, get=get)
        monkeypatch.setitem(sys.modules, "ray", ray)
        with pytest.raises(UserError) as found:
            workers._got(None)
        return str(found.value)

    assert message(died("killed")).startswith("A worker died more than 16 times (killed)")
    for other in (exceptions.RayError("an object is lost"), unborn("no such package")):
        assert message(other).startswith(f"Ray could not do it ({other})")


def test_ray_is_asked_for_in_so_many_words(analysis):
    code, _, err = analysis("corpus-scan", "--workers", "2")
    assert code == 2
    assert "give --engine ray too" in err
