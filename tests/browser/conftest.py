"""One browser for each module of tests."""

from collections.abc import Iterator

import pytest

from tests.browser.chromium import ARGUMENTS, CHROMIUM, sync_playwright


@pytest.fixture(scope="module")
def browser() -> Iterator:
    with sync_playwright() as session:
        chromium = session.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()
