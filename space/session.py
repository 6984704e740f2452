"""The shared models: loaded once, used by one visitor at a time."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from gradio.caching import CacheMissError
from gradio.caching import _probe_mode_active as probing

from analysis import results, running
from analysis.cost import measured_rate
from analysis.errors import UserError
from analysis.evidence import NEURON
from analysis.experiments import named
from analysis.loading.models import load
from analysis.questions import Question
from analysis.subject import Subject
from space.kept import Kept
from space.leaving import BETWEEN, every_module_calls, watch
from space.settings import BUDGET, RATE, SECONDS, Settings

KEPT = 1000
"""Neurons that are remembered by their questions: bounds what visitors make the server hold."""

Loader = Callable[[str, str], Subject]
Check = Callable[[Subject], None]


class Session:
    """The models that visitors share.

    Hooks change a model while they are on it, so nobody else may use it then: whoever computes
    holds ``alone``. Where the platform lends a GPU for each call, models are loaded into main
    memory and every call, in a process of its own, takes a copy to the GPU.

    ``answers`` keeps what was found, for whoever asks the same.

    Args:
        settings: which models, and where they run.
        loader: turns a name and a device into a model.
    """

    def __init__(self, settings: Settings, loader: Loader = load) -> None:
        self.settings, self._loader = settings, loader
        self._lock = threading.Lock()
        self._subjects: dict[str, Subject] = {}
        self._rates: dict[str, float] = {}
        self.answers = Kept()
        self._best: dict[tuple[str, str], str] = {}

    @contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """Within this, one of the models is loaded and nobody else uses any.

        Raises:
            UserError: not one of the models that are offered, or it cannot be had.
            CacheMissError: gradio asks whether there is an answer already.
            Left: nobody waits for the answer any more.
        """
        self._check(name)
        if probing.get():
            raise CacheMissError
        look = watch()
        while not self._lock.acquire(timeout=BETWEEN):
            look()
        try:
            if name not in self._subjects:
                device = "cpu" if self.settings.zero else self.settings.device
                self._subjects[name] = self._loader(name, device)
                if not self.settings.zero:
                    self._rates[name] = measured_rate(self._subjects[name])
            yield
        finally:
            self._lock.release()

    @property
    def busy(self) -> bool:
        """Whether somebody computes now."""
        return self._lock.locked()

    def subject(self, name: str) -> Subject:
        """A loaded model, where this call computes."""
        subject = self._subjects[name]
        if not self.settings.zero:
            return subject
        return replace(subject, model=subject.model.to(self.settings.device))

    def loaded(self, name: str) -> Subject | None:
        """A model where it is kept, if it is there already: to be asked, not to compute with."""
        return self._subjects.get(name)

    def best(self, name: str, question: Question, check: Check = lambda _: None) -> str:
        """The model's own neuron for a question.

        It is that of the committed study, else the best of a screened sweep.

        Args:
            name: of the model.
            question: what is asked.
            check: refuses, by raising, to have the model swept.

        Raises:
            UserError: not one of the models that are offered, or it cannot be had.
        """
        self._check(name)
        key = name, question.key
        if key not in self._best:
            if len(self._best) >= KEPT:
                self._best.clear()
            self._best[key] = committed_best(*key) or self._screened_best(name, question, check)
        return self._best[key]

    def brought(self, neuron: str) -> bool:
        """Whether a neuron is the answer that some model gave: it belongs to that model."""
        return neuron in self._best.values()

    def rate(self, name: str) -> float:
        """Passes of a token through a layer in a second, as measured when the model was loaded."""
        return self._rates.get(name, RATE)

    def budget(self, name: str) -> int:
        """Passes that one answer of a model may take."""
        return max(BUDGET, int(SECONDS * self.rate(name)))

    def warm(self) -> None:
        """Load the first model now, so that no visitor has to wait for it."""
        with self.alone(self.settings.models[0]):
            pass

    def _check(self, name: str) -> None:
        if name not in self.settings.models:
            offered = ", ".join(self.settings.models)
            raise UserError(f"There is no model {name[:40]!r} here: choose {offered}.")

    def _screened_best(self, name: str, question: Question, check: Check) -> str:
        """The sweep runs where the model is kept: no GPU is lent outside of a visitor's call."""
        look = watch()
        with self.alone(name), every_module_calls(look):
            check(self._subjects[name])
            return str(running.best_neuron(self._subjects[name], question))


def committed_best(name: str, question: str) -> str | None:
    """The best neuron of a model's committed study of a question, if there is one."""
    try:
        folder = results.COMMITTED / name / question
        return str(results.load(folder, NEURON, named(NEURON).kind).best)
    except UserError:
        return None
