"""Fixtures: the Space over tiny models, and a corpus that they can read."""

import gc
import warnings

import pytest

from analysis import corpus
from space import service
from space.session import Session
from space.settings import Settings
from tests.space.asked import ARTICLES, tiny_loader


@pytest.fixture(autouse=True, scope="module")
def articles():
    """The tiny corpus in place of the news."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus, "articles", lambda: ARTICLES)
        yield ARTICLES


@pytest.fixture(autouse=True, scope="module")
def session_as_it_was():
    """What a module opens is closed after it; gradio leaves its loops to the collector."""
    before = service.session()
    yield
    if service.session() is before:
        return
    service.open_session(before)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(params=["gpt2", "llama", "gpt_neox"])
def tiny_session(request):
    """The Space's door, over one tiny model of each architecture."""
    session = Session(Settings(models=(f"tiny-{request.param}",)), tiny_loader)
    service.open_session(session)
    return session
