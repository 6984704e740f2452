"""One browser for each module of tests."""

from collections.abc import Iterator

import pytest

from tests.browser.chromium import ARGUMENTS, CHROMIUM, sync_playwright
from tests.browser.space_page import served, tiny


@pytest.fixture(scope="module")
def browser() -> Iterator:
    with sync_playwright() as session:
        chromium = session.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def context(browser) -> Iterator:
    """One cache and one clipboard for the visits of a module."""
    shared = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    yield shared
    shared.close()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where the app over a tiny random model is served."""
    with served(tiny()) as url:
        yield url
