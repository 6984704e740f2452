"""The notebook runs from top to bottom on the embedded model and finds its neuron."""

import asyncio
import re
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
pytest.importorskip("ipykernel", reason="ipykernel is not installed")

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = ROOT / "notebooks" / "an_neuron.ipynb"


@pytest.fixture
def notebook():
    return nbformat.read(NOTEBOOK, as_version=4)


def code_cells(notebook) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def text_of(cell) -> str:
    return "".join(output.get("text", "") for output in cell.outputs)


def test_the_notebook_is_valid_and_keeps_no_outputs(notebook):
    nbformat.validate(notebook)
    assert all(cell.outputs == [] for cell in code_cells(notebook))
    assert all(cell.execution_count is None for cell in code_cells(notebook))


def test_the_prose_of_the_notebook_states_no_results(notebook):
    """Neither a neuron nor a measured number; they are computed."""
    prose = "".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert "N1527" not in prose
    assert not [c for c in prose.replace("screen=0", "") if c.isdigit()]


def test_the_notebook_uses_the_public_functions_alone(notebook):
    code = "\n".join(cell.source for cell in code_cells(notebook))
    taken = re.findall(r"^(?:from|import) (analysis.*)$", code, re.M)
    assert taken == ["analysis as an", "analysis import questions"]
    assert "sys.path" not in code


@pytest.mark.embedded
@pytest.mark.usefixtures("embedded")
def test_the_notebook_finds_the_neuron_and_shows_a_figure_for_each_question(
    notebook, monkeypatch, tmp_path
):
    """It works in a folder of its own, from which it sees no source."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("PLOTLY_RENDERER", "plotly_mimetype")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # this checkout, whether or not it is installed
    folder = {"metadata": {"path": str(tmp_path)}}
    client = nbclient.NotebookClient(notebook, timeout=None, resources=folder)
    asyncio.run(client.async_execute())  # ``execute`` leaves its loop open
    cells = code_cells(notebook)
    assert "best neuron: L25N1527\n" in "".join(map(text_of, cells))
    figures = [
        o.data
        for c in cells
        for o in c.outputs
        if "application/vnd.plotly.v1+json" in o.get("data", {})
    ]
    assert len(figures) == sum(".figure(" in cell.source for cell in cells) == 7
    assert not [o for c in cells for o in c.outputs if o.output_type == "error"]
    assert {"neuron_sweep.json", "neuron_sweep.npz"} == {
        path.name for path in (tmp_path / "results").iterdir()
    }
