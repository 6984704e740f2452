"""A process that makes large arrays over and over keeps their memory."""

import platform
import subprocess
import sys

import pytest

ROUNDS = """
import resource, sys
import numpy as np
from analysis.memory import keep_freed
if sys.argv[1] == "kept":
    keep_freed()
def cleared():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    arrays = [np.ones(1 << 20) for _ in range(8)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
for _ in range(3):
    cleared()
print(sum(cleared() for _ in range(10)))
"""


def pages(how):
    """Pages that the system had to clear for 80 arrays of 8 MiB."""
    command = [sys.executable, "-c", ROUNDS, how]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.slow
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is another")
def test_pages_that_were_freed_are_not_cleared_again():
    assert pages("kept") < 100 < pages("as it is")
