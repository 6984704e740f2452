"""One neuron out of a scan's table on disk, without the model."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.errors import UserError, first_line
from analysis.neuron import parse_neuron

if TYPE_CHECKING:
    from pyarrow import parquet

KEY = b"an_neuron_scan"
"""Under it the metadata of the file say what the scan is of."""
NAMED = {"model", "revision"}
"""What they say at least."""


def read_neuron(path: Path, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """One neuron's row, and what the scan is of; no more than its layer is read.

    Args:
        path: a table that ``scan_table`` wrote as Parquet.
        name: of the neuron.

    Raises:
        UserError: there is no such file, it is no such table, or has no such neuron.
    """
    with _opened(path) as (file, key):
        layers = file.num_row_groups
        last = file.read_row_group(layers - 1, ["layer"])["layer"][-1].as_py()
        size = file.metadata.num_rows // layers
        neuron = parse_neuron(name, 1 + last, size) if last + 1 == layers else None
        row = (
            file.read_row_group(neuron.layer).slice(neuron.number, 1).to_pylist() if neuron else []
        )
        if not row or row[0]["neuron"] != str(neuron):
            raise UserError(
                f"{path} is not as `corpus-scan --table` wrote it, a group of rows for each layer: "
                "write it again."
            )
        return row[0], key


def read_key(path: Path) -> dict[str, Any]:
    """What the scan of a table is of: model, texts, versions.

    Raises:
        UserError: there is no such file, or it is no such table.
    """
    with _opened(path) as (_, key):
        return key


@contextmanager
def _opened(path: Path) -> Iterator[tuple["parquet.ParquetFile", dict[str, Any]]]:
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            key = (file.schema_arrow.metadata or {}).get(KEY)
            about = json.loads(key) if key else None
            if not file.num_row_groups or not isinstance(about, dict) or not about.keys() >= NAMED:
                raise UserError(f"{path} is no table that `corpus-scan --table` wrote as Parquet.")
            yield file, about
    except FileNotFoundError as error:
        raise UserError(f"There is no table {path}: `corpus-scan --table` writes one.") from error
    except UserError:
        raise
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise UserError(f"{path} is no whole Parquet file ({first_line(error)}).") from error
