"""Fixtures: tiny random models of every architecture, in memory and on disk; the embedded model."""

import gc
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: threads cost tiny models their time

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from tests.checking import check

if TYPE_CHECKING:  # imported where they are used: who hands out the tests needs no model
    from analysis.prompts import PromptPair
    from analysis.subject import Subject

hypothesis.settings.register_profile("any machine", deadline=None)  # a busy one fails no test
hypothesis.settings.load_profile("any machine")

check()

gc.disable()  # while tests are collected; see pytest_collection_finish


DEAR = ("browser", "embedded", "slow")
"""Marks of tests that take long, the longest first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What uses the embedded model, whole pages or a server says so, for a run without them.

    Files with most of what takes long come first: no worker is left with one at the end.
    """
    embedded = pytest.mark.embedded
    slow = pytest.mark.slow
    marks = {"embedded": embedded, "gemma": embedded, "pages": slow, "running": slow}
    for item in items:
        for fixture in marks.keys() & {*getattr(item, "fixturenames", ())}:
            item.add_marker(marks[fixture])
    dear: Counter[tuple[Path, str]] = Counter(
        (item.path, mark) for item in items for mark in DEAR if item.get_closest_marker(mark)
    )
    items.sort(key=lambda item: [-dear[item.path, mark] for mark in DEAR])


def pytest_collection_finish() -> None:
    """The collector never again walks through the libraries and the tests themselves, and seldom
    through what tests keep: as often as it would, it took a sixteenth of all their time."""
    gc.freeze()
    gc.set_threshold(10_000)
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """No test leaves gradients switched off for those behind it."""
    yield
    torch = sys.modules.get("torch")
    if torch is not None and not torch.is_grad_enabled():
        torch.set_grad_enabled(True)
        pytest.fail(f"{item.nodeid} leaves gradients switched off")


EVERY = [
    pytest.param("gpt2", marks=pytest.mark.slow),
    "llama",
    pytest.param("gpt_neox", marks=pytest.mark.slow),
]
"""Every architecture; one of them will do where time is short."""


@pytest.fixture(params=EVERY)
def subject(request: pytest.FixtureRequest) -> "Iterator[Subject]":
    """A model; a test that changes its weights is the last one that has it."""
    from tests.subjects import kept

    shared = kept(request.param)
    yield shared.subject()
    if shared.changed():
        kept.cache_clear()


@pytest.fixture(params=EVERY)
def new_subject(request: pytest.FixtureRequest) -> "Subject":
    """A model that nobody has used."""
    from tests.subjects import make_subject

    return make_subject(request.param)


@pytest.fixture
def pair(subject: "Subject") -> "PromptPair":
    from tests.questions import make_tiny_pair

    return make_tiny_pair(subject)


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The tiny models as folders, which no test may change."""
    from tests.subjects import MAKERS

    root = tmp_path_factory.mktemp("models")
    for architecture, make in MAKERS.items():
        for part in make():
            part.save_pretrained(root / f"tiny-{architecture}")
    return {architecture: root / f"tiny-{architecture}" for architecture in MAKERS}


@pytest.fixture(params=EVERY)
def folder(request: pytest.FixtureRequest, folders: dict[str, Path]) -> Path:
    return folders[request.param]


@pytest.fixture
def llama_folder(folders: dict[str, Path]) -> Path:
    return folders["llama"]


@pytest.fixture
def analysis(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Callable:
    """Run the command line; returns exit code, standard output and standard error."""

    from analysis import __main__ as cli
    from tests.verbs import made_once

    made_once(monkeypatch)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["an-neuron", *map(str, arguments)])
        return (cli.main(), *capsys.readouterr())

    return run


@pytest.fixture
def answer(analysis: Callable) -> Callable:
    """Run a verb with ``--json``; returns the object it prints, and nothing else may be there."""

    def run(*arguments: object) -> Any:
        code, out, err = analysis(*arguments, "--json")
        assert code == 0, err
        return json.loads(out)

    return run


@pytest.fixture(scope="session")
def pages() -> tuple[str, str]:
    """The prose of a study in which every claim holds, and of one in which none does."""
    from tests.prose import prose
    from tests.synthetic import Plan, evidence

    return prose(evidence(Plan())), prose(evidence(Plan(holds=False)))


@pytest.fixture(scope="session")
def gemma() -> "Subject":
    """The second real model, where it was fetched before: no test downloads its 240 MB."""
    from analysis.loading import models

    entry = models.entry_of("gemma-3-270m")
    if not models.available(entry):
        pytest.skip("Gemma-3-270M is not in the cache: `make study-all` fetches it.")
    return models.load(entry.name)


@pytest.fixture(scope="session")
def embedded() -> "Subject":
    """The real model; away from a network it may be out of reach, in CI it must not be."""
    from analysis.errors import UserError
    from analysis.loading.models import load

    try:
        return load("smollm2-135m")
    except UserError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
