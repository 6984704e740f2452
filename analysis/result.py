"""What every experiment returns: a frozen dataclass that draws, sums up and saves itself."""

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from analysis.errors import UserError

if TYPE_CHECKING:
    from analysis.declaration import Experiment
    from analysis.results import Provenance


class Result:
    """What an experiment found. It is drawn, summed up and saved with no model in memory.

    Attributes:
        provenance: where it came from; None for one that was put together by hand.
        rounded: names of float32 fields, of thousands of numbers each, of which a saved result has
            four digits: with seven they would be most of a study's size.
    """

    provenance: ClassVar["Provenance | None"] = None
    rounded: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def experiment(cls) -> "Experiment":
        """The experiment whose result it is."""
        package = cls.__module__.rpartition(".")[0]
        declared: Experiment = importlib.import_module(package).EXPERIMENT
        return declared

    def figure(self, name: str = "") -> Any:
        """One of its figures, the first if none is named.

        Raises:
            UserError: there is no such figure.
        """
        experiment = self.experiment()
        figures = {figure.name: figure for figure in experiment.figures}
        wanted = name or next(iter(figures), "")
        if wanted not in figures:
            has = ", ".join(figures) or "none"
            raise UserError(f"{experiment.name} has no figure {wanted!r}; its figures are: {has}.")
        return experiment.draw(figures[wanted], self)

    def summary(self, **shown: Any) -> dict[str, Any]:
        """The result in plain values, as the command line prints it with ``--json``."""
        from analysis.answer import plain

        experiment = self.experiment()
        summary: dict[str, Any] = plain(
            experiment.summary(self, **experiment.shown(experiment.check(shown)))
        )
        return summary

    def save(self, folder: Path | str) -> None:
        """Write it, with where it came from, into a folder as ``NAME.json`` and ``NAME.npz``.

        Raises:
            UserError: nobody knows where it came from, or it cannot be written.
        """
        from analysis import results

        name = self.experiment().name
        if self.provenance is None:
            raise UserError(f"This {name} was put together by hand: only a computed one is saved.")
        results.save(results.writable(Path(folder)), name, self, self.provenance)
