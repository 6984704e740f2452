"""The edge of the command line: answers on standard output, all else on standard error."""

import gc
import io
import math
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from analysis import answer
from analysis.errors import UserError, lacks_memory
from analysis.progress import Progress as Watcher
from analysis.progress import silent

if TYPE_CHECKING:
    from analysis.workers import Each

MATRIX_COLUMNS = 12
"""Wider matrices are shown by their last columns, where the prompts' ends stand."""

ESTIMATE = {"value", "interval"}
"""The names in a number that is told with its interval."""

GRAFTS: dict[str, str] = {}
"""What a neuron that was built into the model is told as, by its name: not as one of its own."""


def emit(document: dict[str, Any], as_json: bool) -> None:
    """Print an answer: one JSON object, or tables for a reader."""
    document = _with_grafts_named(answer.plain(document)) if GRAFTS else document
    if as_json:
        print(answer.as_json(document))
        return
    console = Console(highlight=False)
    for key, value in _side_by_side(answer.plain(document)).items():
        _show(console, key.replace("_", " "), value)


def _with_grafts_named(value: Any) -> Any:
    """The same, in which no graft can be taken for a neuron of the model's own."""
    if isinstance(value, dict):
        return {key: _with_grafts_named(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_grafts_named(item) for item in value]
    if isinstance(value, str):
        return re.sub(r"\bL\d+N\d+\b", lambda found: GRAFTS.get(found[0], found[0]), value)
    return value


def note(text: str) -> None:
    """Tell the user something that is not the answer."""
    print(text, file=sys.stderr)


@contextmanager
def watched(label: str) -> Iterator[Watcher]:
    """A progress bar on standard error, for work that may take more than a moment."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(
        *columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True
    ) as bars:
        task = bars.add_task(label, total=1.0)
        yield lambda fraction: bars.update(task, completed=fraction)


def one_by_one(
    each: "Each",
    work: Callable[..., Any],
    calls: Mapping[str, Any],
    line: Callable[[Any], str],
    bars: bool,
) -> tuple[list[Any], dict[str, str]]:
    """What becomes of each of some calls, told as it is finished, and why some have nothing.

    Args:
        each: what does a work with all of them, in their order.
        work: from what loads the model, one call, and whom to tell of its progress. A ``UserError``
            is the reason why that call has nothing, and so is too little memory.
        calls: by the names that they are told by.
        line: what becomes of one, in short.
        bars: whether each has a bar of its own: it is done here.
    """
    task = partial(_made_or_why, work, len(calls) if bars else 0)
    made, missing = [], {}
    for name, found in zip(calls, each(task, enumerate(calls.items(), 1)), strict=True):
        if isinstance(found, str):
            missing[name] = found
        else:
            made.append(found)
        note(f"{name:>17}  {found if isinstance(found, str) else line(found)}")
    return made, missing


def _made_or_why(
    work: Callable[..., Any], of: int, load: Callable[[], Any], task: tuple[int, tuple[str, Any]]
) -> Any:
    """What becomes of one call, or why nothing does; with a bar where it is one of so many."""
    place, (name, call) = task
    bar = watched(f"{name} ({place} of {of})") if of else nullcontext(silent)
    try:
        with bar as progress:
            return work(load, call, progress)
    except UserError as error:
        return str(error)
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and "memory" not in str(error).lower():
            raise
        return "It does not fit into this machine's memory; bfloat16 takes half of float32's."
    finally:
        gc.collect()  # its model may have been its own


def _side_by_side(document: dict[str, Any]) -> dict[str, Any]:
    """Lists of single values that have the same length become the columns of one table."""
    flat = {
        key: value
        for key, value in document.items()
        if isinstance(value, list) and value and not isinstance(value[0], list | dict)
    }
    shown: dict[str, Any] = {}
    for key, value in document.items():
        table = [k for k, other in flat.items() if key in flat and len(other) == len(value)]
        if len(table) < 2:
            shown[key] = value
        elif key == table[0]:
            columns = zip(*(flat[k] for k in table), strict=True)
            shown[key] = [dict(zip(table, row, strict=True)) for row in columns]
    return shown


def _show(console: Console, title: str, value: Any) -> None:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        console.print(_rows(console, title, value))
    elif isinstance(value, list) and value and isinstance(value[0], list):
        console.print(_matrix(title, value))
    elif isinstance(value, dict):
        tables = {key: rows for key, item in value.items() if (rows := _rows_in(item))}
        single = {key: item for key, item in value.items() if key not in tables}
        if single:
            console.print(_rows(console, title, [single]))
        for key, item in tables.items():
            _show(console, f"{title}: {key.replace('_', ' ')}", item)
    else:
        console.print(f"[bold]{escape(title)}[/bold]  {escape(_cell(value))}")


def _rows_in(value: Any) -> list[Any]:
    """Its rows, where a value has any: a list of rows, or rows by their names."""
    if isinstance(value, dict) and len(value) > 1:
        named = [{"": name, **row} for name, row in value.items() if isinstance(row, dict)]
        return named if len(named) == len(value) else []
    inner = value[0] if isinstance(value, list) and value else None
    return value if isinstance(inner, dict | list) else []


def _rows(console: Console, title: str, rows: list[dict[str, Any]]) -> Table:
    """Rows as a table, or turned on its side where it is too wide for the screen."""
    flat = [{key: _cell(item) for key, item in _flat(row)} for row in rows]
    names = list(dict.fromkeys(name for row in flat for name in row))
    lines = [[row.get(name, "") for name in names] for row in flat]
    columns = list(zip(names, *lines, strict=True))
    width = sum(3 + max(map(len, column)) for column in columns)
    if width < console.width or len(rows) >= len(names):
        return _table(title, names, lines)
    return _table(title, columns[0], columns[1:])


def _flat(row: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What a row holds, by name; inner names behind the outer one, intervals at their numbers."""
    for key, item in row.items():
        interval = row.get(f"{key}_interval")
        if key.endswith("_interval") and _is_number(row.get(key.removesuffix("_interval"))):
            continue
        if _is_number(item) and interval is not None:
            yield str(key), {"value": item, "interval": interval}
        elif isinstance(item, dict) and set(item) != ESTIMATE:
            yield from ((f"{key} {name}", inner) for name, inner in _flat(item))
        else:
            yield str(key), item


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _table(title: str, heads: Sequence[str], lines: Iterable[Sequence[str]]) -> Table:
    table = Table(title=escape(title), title_justify="left")
    for head in heads:
        table.add_column(escape(head), overflow="fold")  # no digit is cut off
    for line in lines:
        table.add_row(*map(escape, line))
    return table


def _matrix(title: str, rows: list[list[float]]) -> Table:
    """Numbers to be compared: all with as many decimals, two of the largest at least."""
    skipped = max(0, len(rows[0]) - MATRIX_COLUMNS)
    sizes = [abs(item) for row in rows for item in row[skipped:] if isinstance(item, float)]
    largest = max(filter(math.isfinite, sizes), default=0.0)
    decimals = 2 if largest >= 0.1 or not largest else 1 - math.floor(math.log10(largest))
    table = Table(title=escape(title), title_justify="left", padding=0)
    for column in ("", *range(skipped, len(rows[0]))):
        table.add_column(str(column), justify="right", overflow="fold")
    for number, row in enumerate(rows):
        cells = row[skipped:]
        told = (f"{c:z.{decimals}f}" if isinstance(c, float) else _cell(c) for c in cells)
        table.add_row(str(number), *told)
    return table


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return " ".join(map(_cell, value))
    if isinstance(value, dict) and set(value) == ESTIMATE:
        if value["interval"] is None or None in value["interval"]:
            return _cell(value["value"])
        low, high = value["interval"]
        return f"{_cell(value['value'])} ({_cell(low)} to {_cell(high)})"
    return repr(value) if isinstance(value, str) and value != value.strip() else str(value)


@contextmanager
def _ending_well() -> Iterator[None]:
    """Within this a program that is told to end leaves nothing half-written."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals come to the main thread alone
        return
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


TERMINATED = 128 + signal.SIGTERM
"""Exit code of a program that was told to end, as shells count."""


def run(app: Callable[..., Any], usage_error: type[Exception], user_error: type[Exception]) -> int:
    """Run a command line; what the user got wrong is one sentence and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        with _ending_well():
            return int(app(standalone_mode=False) or 0)
    except user_error as error:
        note(f"error: {error}")
    except usage_error as error:
        note(f"error: {_usage(error)}")
    except OSError as error:
        note(f"error: {error.strerror or error} ({error.filename or 'standard output'}).")
    except RecursionError:
        note("error: What was given is nested too deeply to be read.")
    except (MemoryError, RuntimeError) as error:
        if not lacks_memory(error):
            raise
        note("error: There is too little memory: choose a smaller model, or --dtype bfloat16.")
    except (KeyboardInterrupt, EOFError):
        return 130
    return 2


CHECKED = {
    "Value error, ": "",
    "Input should be a valid integer, unable to parse string as an integer": "It has to be a whole "
    "number",
    "Input should be a valid number, unable to parse string as a number": "It has to be a number",
    "Input should be greater than or equal to": "It has to be at least",
    "Input should be less than or equal to": "It has to be at most",
}
"""What the library that checks options says of a bad value, and the same as others here say it."""


def _usage(error: Exception) -> str:
    """What a misused option or verb is told; with no verb at all, how to see them."""
    message = str(getattr(error, "format_message", error.__str__)()).strip()
    for said, plain in CHECKED.items():
        message = message.replace(said, plain)
    if not message:
        return "Name a verb; `an-neuron --help` lists them."
    return message if message.endswith((".", "?")) else f"{message}."
