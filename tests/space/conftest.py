"""Fixtures: the Space over tiny models, and a corpus that they can read."""

import pytest

from analysis import corpus
from space import service
from space.session import Session
from space.settings import Settings
from tests.space.once import computing_once
from tests.space.questions import ARTICLES, tiny_loader
from tests.space.server import collect, serving, tiny


@pytest.fixture(scope="module")
def computed_once():
    """For tests of how something is asked, not of what is computed."""
    with computing_once() as once:
        yield once


@pytest.fixture(autouse=True, scope="package")
def articles():
    """The tiny corpus in place of the news."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus, "articles", lambda: ARTICLES)
        yield ARTICLES


@pytest.fixture(autouse=True, scope="module")
def session_as_it_was():
    """What a module opens is closed after it, and all is collected that gradio leaves."""
    before = service.session()
    yield
    service.open_session(before)
    collect()


@pytest.fixture(scope="package")
def running(articles):
    """One server for all that speak to one."""
    with serving(tiny()) as server:
        yield server


@pytest.fixture(scope="module")
def server(running):
    """The server, over its own models whatever another module opened."""
    service.open_session(running.session)
    return running


@pytest.fixture(scope="module", params=["gpt2", "llama", "gpt_neox"])
def tiny_session(request):
    """The Space's door, over one tiny model of each architecture."""
    session = Session(Settings(models=(f"tiny-{request.param}",)), tiny_loader)
    service.open_session(session)
    return session
