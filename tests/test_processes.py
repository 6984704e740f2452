"""Processes that work side by side: the same results, in order, and a sentence where one dies."""

import os

import pytest
import torch

from analysis.errors import UserError
from analysis.processes import processes
from tests import chores


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
