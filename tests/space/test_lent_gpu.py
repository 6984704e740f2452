"""A GPU that is lent for each call: what comes and goes is pickled, and computed in a fork."""

import multiprocessing
import pickle
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from analysis.errors import UserError
from space import service
from space.app import build
from space.session import Session
from space.settings import Settings
from space.view import USUAL
from tests.space.questions import ASKED, VIEW, ask, shown, tiny_loader

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # Python warns of a fork beside threads
]
SECONDS = 60
"""The longest that a call may ask for."""

GIVEN_UP = 240
"""Seconds after which a fork is given up, however busy the machine is."""

only_llama = pytest.mark.parametrize("tiny_session", ["llama"], indirect=True)


def gpu(duration):
    """The platform's decorator, with a processor in the GPU's place."""

    def decorate(function):
        def call(*arguments):
            assert 0 < duration(*arguments) <= SECONDS
            return in_a_fork(function, pickle.dumps(arguments))

        return call

    return decorate


def in_a_fork(function, arguments):
    fork = multiprocessing.get_context("fork")
    here, there = fork.Pipe(duplex=False)
    process = fork.Process(target=answer, args=(there, function, arguments))
    process.start()
    try:
        assert here.poll(GIVEN_UP), "the fork does not answer"
        error, result = pickle.loads(here.recv_bytes())
    finally:
        process.kill()
        process.join()
    if error is not None:
        raise error
    return result


def answer(there, function, arguments):
    torch.set_num_threads(1)
    try:
        reply = None, function(*pickle.loads(arguments))
    except Exception as error:
        reply = error, None
    there.send_bytes(pickle.dumps(reply))


@pytest.fixture(autouse=True)
def one_thread():
    """Sums come out the same to the last bit only where they are cut in the same way."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def platform(monkeypatch):
    """From now on every question goes to a fork."""

    def begin():
        compute = service.lent(service._compute, SimpleNamespace(GPU=gpu))
        monkeypatch.setattr(service, "_compute_where_lent", compute)

    return begin


@pytest.fixture
def lending(tiny_session):
    """A session of a Space that is lent its GPU; the processor stands for it."""
    models = tiny_session.settings.models
    session = Session(Settings(models=models, device="cpu", zero=True), tiny_loader)
    service.open_session(session)
    return session


@only_llama
@pytest.mark.parametrize("name", ASKED)
def test_a_question_answers_in_a_fork_as_it_does_here(tiny_session, platform, request, name):
    view = replace(VIEW, model=tiny_session.settings.models[0])
    here = shown(name, view)
    lending = request.getfixturevalue("lending")
    platform()
    assert shown(name, view) == here
    kept = lending._subjects[view.model]
    assert "bridge" not in vars(kept), "it was computed in this process"


@only_llama
def test_what_was_wrong_is_told_from_the_fork(lending, platform):
    platform()
    view = replace(VIEW, model=lending.settings.models[0])
    with pytest.raises(UserError, match="outside this model"):
        ask("upstream", replace(view, neuron="L9N9"))
    assert ask("upstream", view).json


@only_llama
def test_a_fork_that_breaks_off_ends_only_its_own_call(lending, platform, monkeypatch):
    """Here the visitor's machine runs out of something in the middle."""
    view = replace(VIEW, model=lending.settings.models[0])
    platform()
    with monkeypatch.context() as patch:
        patch.setattr(service, "_watched", lambda: broken)
        with pytest.raises(MemoryError):
            ask("patching", view)
    assert ask("patching", view).json


def broken(_fraction):
    raise MemoryError


def test_the_page_is_built_before_there_is_a_gpu():
    """The model's own neuron is found in main memory: this device would refuse to compute."""
    session = Session(Settings(models=("tiny",), device="cuda", zero=True), on_no_gpu)
    build(session)
    here = Session(Settings(models=("tiny",)), tiny_loader)
    assert session.best("tiny", USUAL) == here.best("tiny", USUAL)
    assert not torch.cuda.is_initialized()


def on_no_gpu(name, device):
    assert device == "cpu"
    return tiny_loader(name, device)


def test_elsewhere_nothing_is_lent():
    assert service.lent(service._compute, None) is service._compute
