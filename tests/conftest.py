"""Fixtures: tiny random models of every architecture, and the embedded model."""

import os

import pytest

from analysis.errors import UserError
from analysis.question import PromptPair, make_pair
from analysis.subject import Origin, Subject
from tests import tiny

MAKERS = {"gpt2": tiny.tiny_gpt2, "llama": tiny.tiny_llama, "gpt_neox": tiny.tiny_neox}
CLEAN = "I climbed up the apple tree and picked"
CORRUPTED = "I climbed up the lemon tree and picked"


def make_subject(architecture: str, seed: int = 0) -> Subject:
    model, tokenizer = MAKERS[architecture](seed)
    origin = Origin(f"tiny-{architecture}", "random weights", f"seed {seed}")
    return Subject(model, tokenizer, origin, prepend_bos=architecture == "gpt2")


def make_tiny_pair(subject: Subject) -> PromptPair:
    return make_pair(subject, CLEAN, CORRUPTED)


@pytest.fixture(params=list(MAKERS))
def subject(request: pytest.FixtureRequest) -> Subject:
    return make_subject(request.param)


@pytest.fixture
def pair(subject: Subject) -> PromptPair:
    return make_tiny_pair(subject)


@pytest.fixture(scope="session")
def embedded() -> Subject:
    """The real model; away from a network it may be out of reach, in CI it must not be."""
    from analysis.loading.models import load

    try:
        return load("smollm2-135m")
    except UserError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
