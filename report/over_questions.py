"""The page over all questions to one model: which words have a neuron?"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from analysis import EMBEDDED, sentences
from analysis.answer import command_line
from analysis.over_questions import Kept, kept
from report.files import write_data, write_stills
from report.page import OverQuestions, Part, environment
from report.panels import PageFigure, page_figure, themes
from report.place import Place
from report.rows import listed_rows
from report.studies import Study


@dataclass(frozen=True)
class Table:
    """One model's table, and its page below the index.

    Attributes:
        path: the folder of the model.
        kept: its rows.
        said: what is claimed of them.
    """

    path: Path
    kept: Kept
    said: sentences.Sentences

    @property
    def page(self) -> Path:
        """The file of its page."""
        return self.path / f"{self.kept.experiment.name}.html"

    @property
    def seen(self) -> OverQuestions:
        """What the pages of the model's studies tell of it."""
        return OverQuestions(self.said.heading, f"../{self.page.name}")


def tables(root: Path, studies: Sequence[Study], stale: bool = False) -> Iterator[Table]:
    """The table of each model that has studies, where one is kept.

    Raises:
        UserError: rows are damaged or stale.
    """
    for path in dict.fromkeys(study.path.parent for study in studies):
        found = kept(root / path, stale)
        if found is not None:
            yield Table(path, found, sentences.alone(found.experiment, found.result))


def write_table(folder: Path, table: Table, place: Place) -> None:
    """Write the page, its rows as JSON and, where the place has them, its figure as an image."""
    name, experiment, result = table.path, table.kept.experiment, table.kept.result
    here = replace(place, root="../" * len(name.parts))
    home = folder / name
    listing = experiment.module("tables").LISTING
    text = (
        environment()
        .get_template("library.html")
        .render(
            said=table.said,
            model=table.kept.made.model,
            listed=listed_rows(listing, result),
            figures={each.name: each for each in _figures(table)},
            part=Part("", experiment.name, experiment.title, "", ()),
            themes=themes(),
            place=here,
            short=False,
        )
    )
    (folder / table.page).write_text(text, encoding="utf-8")
    document = {"provenance": asdict(table.kept.made), "summary": result.summary()}
    write_data(home, experiment.name, document)
    if place.stills:
        plots = {each.name: experiment.draw(each, result) for each in experiment.figures}
        write_stills(home, plots)


def _figures(table: Table) -> Iterator[PageFigure]:
    """The figures of the page."""
    experiment, made = table.kept.experiment, table.kept.made
    model = None if made.model == EMBEDDED else made.model
    for number, figure in enumerate(experiment.figures, 1):
        plot = experiment.draw(figure, table.kept.result)
        yield page_figure(
            plot,
            name=figure.name,
            experiment=experiment,
            number=number,
            caption=getattr(table.said, figure.caption),
            command=command_line(experiment.verb, model=model, keep="results"),
        )
