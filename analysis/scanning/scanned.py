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
        neuron = parse_neuron(name, layers, file.metadata.num_rows // layers)
        row = file.read_row_group(neuron.layer).slice(neuron.number, 1).to_pylist()[0]
        return row, key


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
            if key is None or not file.num_row_groups:
                raise UserError(f"{path} is no table that `corpus-scan --table` wrote as Parquet.")
            yield file, json.loads(key)
    except FileNotFoundError as error:
        raise UserError(f"There is no table {path}: `corpus-scan --table` writes one.") from error
    except UserError:
        raise
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise UserError(f"{path} is no whole Parquet file ({first_line(error)}).") from error
