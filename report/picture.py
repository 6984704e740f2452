"""The README's picture and the site's card: every neuron of the embedded model.

They are drawn from the committed results.

Run with ``make picture``; it needs Chromium, which kaleido drives.
"""

from pathlib import Path

from analysis import EMBEDDED, questions, results
from analysis.experiments import named
from analysis.result import Result
from report.images import draw, find_browser

DOCS = Path("docs")
SIZES = {"sweep.png": (900, 480, 2), "card.png": (1200, 630, 1)}
"""Width, height and scale of each picture."""
STUDY = results.COMMITTED / EMBEDDED / questions.DEFAULT


def main() -> None:
    """Write the pictures, on white."""
    experiment, browser = named("neuron_sweep"), find_browser()
    result: Result = results.load(STUDY, experiment.name, experiment.kind)
    figure = result.figure()
    DOCS.mkdir(exist_ok=True)
    for name, (width, height, scale) in SIZES.items():
        figures = {Path(name).stem: figure.update_layout(height=height)}
        content = draw(figures, browser, ["png"], width, scale)[name]
        with results.atomic(DOCS / name) as scratch:
            scratch.write_bytes(content)
        print(DOCS / name)


if __name__ == "__main__":
    main()
