"""Answers that were given, for whoever asks the same: bounded in number and in memory."""

import pickle
import threading
from collections import OrderedDict
from typing import Any

from space.settings import KEPT_ANSWERS, KEPT_BYTES


class Kept:
    """Results by all that they depend on; those asked for longest ago make room."""

    def __init__(self, most: int = KEPT_ANSWERS, size: int = KEPT_BYTES) -> None:
        self._most, self._size = most, size
        self._results: OrderedDict[str, tuple[Any, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> Any | None:
        """The Result, if it is kept."""
        with self._lock:
            if key not in self._results:
                return None
            self._results.move_to_end(key)
            return self._results[key][0]

    def keep(self, key: str, result: Any) -> None:
        """Keep a Result, unless it alone is larger than all that may be kept."""
        size = len(key) + len(pickle.dumps(result))
        with self._lock:
            self._results[key] = result, size
            self._results.move_to_end(key)
            while len(self._results) > self._most or self.size > self._size:
                self._results.popitem(last=False)

    @property
    def size(self) -> int:
        """Bytes of all that is kept."""
        return sum(size for _, size in self._results.values())
