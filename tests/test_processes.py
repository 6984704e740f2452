"""Processes that work side by side: the same results, in order, and a sentence where one dies."""

import os
import subprocess
import sys

import pytest
import torch

from analysis.errors import UserError
from analysis.processes import processes
from tests import chores

PARENT = """
import sys, time
from analysis.processes import processes
from tests import chores

if __name__ == "__main__":
    with processes(chores.number, 1) as each:
        print([process for *_, process in each(chores.answer, [1])][0], flush=True)
        time.sleep(3600)
"""
LONG = 240
"""Seconds after which what does not end is given up."""


@pytest.mark.slow
def test_a_process_ends_with_the_one_that_began_it_however_that_ended(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    env = {**os.environ, "PYTHONPATH": os.getcwd()}
    parent = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True, env=env)
    assert int(parent.stdout.readline()) != parent.pid
    parent.kill()
    rest, _ = parent.communicate(timeout=LONG)  # until nobody has its standard output any more
    assert rest == ""


@pytest.mark.slow
def test_tasks_are_done_in_other_processes_and_come_in_their_order():
    with processes(chores.number, 2) as each:
        found = list(each(chores.answer, [1, 2, 3]))
        assert [value for value, *_ in found] == [42, 43, 44]
        assert {threads for _, threads, _ in found} == {max(1, torch.get_num_threads() // 2)}
        assert os.getpid() not in {process for *_, process in found}
        with pytest.raises(UserError, match="A sentence"):
            list(each(chores.refuse, [1]))
        with pytest.raises(UserError, match="fewer --jobs"):
            list(each(chores.die, [1]))
