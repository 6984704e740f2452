"""Tables for programs and for print: nothing lost, and no token taken for anything but text."""

import csv
import io
import json
import math
import re
from functools import cache

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from analysis.answer import as_csv, plain
from analysis.evidence import Evidence
from analysis.experiments import studied
from analysis.experiments.verification.compute import Verification
from analysis.tables import Column, Table
from report.artifacts import latex
from report.artifacts.contents import printed
from report.artifacts.writing import PRINTED, as_latex
from tests.synthetic import Plan, evidence, hostile_plan, with_result

pytestmark = pytest.mark.slow

HOSTILE = (
    '=cmd|"/C calc"!A0',
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "＝1",
    "a\nb\r\nc",
    '","',
    "'\"",
    "\\",
    "\\input{/etc/passwd}",
    "${HOME}",
    "}{",
    "% comment",
    "$x_1^2$ & ~#",
    "--,,<<`?`",
    "[1em]",
    "*",
    "\u202e\u200b",
    "é ő ñ Å ß 木 𝔸",
    "",
)
ANY_TEXT = st.text() | st.sampled_from(HOSTILE)
COMMAND = re.compile(
    r"\\(?:textbackslash|textasciicircum|textasciitilde|textless|textgreater|textbar|textquotedbl|"
    r"textasciigrave|textperiodcentered|text[en][mn]?dash|textemdash|textquote(?:left|right|single)|"
    r"textquotedbl(?:left|right)|ldots|textvisiblespace)\{\}"
    r"|\\[{}#$%&_]|\\[`'^~\"rvc]\{[A-Za-z]\}|\{[][*,-]\}|\\ensuremath\{(?:-|\\times)\}"
)
"""All that may stand in text besides letters, digits and harmless signs."""


TABLES = {table.name: (each, table) for each in studied() for table in printed(each)}


@cache
def verified(plan: Plan) -> Evidence:
    """A study of the original's own model, whose published numbers have hostile names."""
    found = Verification(
        plan.model, HOSTILE, HOSTILE, ("score",) * len(HOSTILE),
        *np.full((3, len(HOSTILE)), 0.25), (), (), HOSTILE, HOSTILE, np.full(len(HOSTILE), 0.25),
    )  # fmt: skip
    return with_result(evidence(plan), found)


def rows_of(name: str, plan: Plan) -> list[dict]:
    experiment, table = TABLES[name]
    return list(table.rows(verified(plan).results[experiment.name]))


def decoded(cell: str) -> object:
    """What a program that knows the manifest's notation reads in a cell."""
    return json.loads(cell) if cell.startswith('"') else cell


def balanced(text: str) -> bool:
    """Whether braces close in order, escaped ones left out."""
    depth = 0
    for brace in re.findall(r"(?<!\\)(?:\\\\)*([{}])", text):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            return False
    return depth == 0


@pytest.mark.parametrize("plan", [Plan(), hostile_plan()], ids=["plain", "hostile"])
@pytest.mark.parametrize("name", TABLES)
def test_a_csv_read_back_is_the_rows_of_the_summary(name, plan):
    rows = plain(rows_of(name, plan))
    read = list(csv.DictReader(io.StringIO(as_csv(rows))))
    assert len(read) == len(rows) > 0
    for row, cells in zip(rows, read, strict=True):
        for key, value in row.items():
            if value is None:
                assert cells[key] == ""
            elif isinstance(value, bool):
                assert cells[key] == str(value).lower()
            elif isinstance(value, str):
                assert decoded(cells[key]) == value
            elif isinstance(value, int | float):
                assert float(cells[key]) == value
            elif isinstance(value, list) and key.endswith("interval"):
                assert [float(cells[f"{key}_low"]), float(cells[f"{key}_high"])] == value


@given(ANY_TEXT, st.sampled_from(["token", "name"]))
@example("=cmd", "name")
@example("a\nb", "name")
def test_text_in_a_csv_is_read_back_and_never_begins_a_formula(text, column):
    _, (cell, _) = csv.reader(io.StringIO(as_csv([{column: text, "n": 1}])))
    assert decoded(cell) == text
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))
    assert cell.isprintable()


@given(ANY_TEXT)
@example("".join(HOSTILE))
def test_text_in_latex_is_ascii_and_commands_nothing(text):
    for written in (latex.prose(text), latex.token(text).removeprefix(r"\texttt{")[:-1]):
        assert written.isascii()
        assert written.isprintable()
        assert not set(COMMAND.sub("", written)) & set('\\{}$&#^_~%"`[]*<>|')
        assert balanced(written)


@given(ANY_TEXT)
def test_a_token_in_latex_hides_no_space_and_joins_no_signs(text):
    written = latex.token(text)
    assert " " not in written
    assert written.count(r"\textvisiblespace{}") == text.count(" ")
    assert not re.search("--|,,|''", written)


@pytest.mark.parametrize("name", TABLES)
def test_a_printed_table_of_hostile_tokens_has_its_columns_and_its_braces(name):
    (_, table), rows = TABLES[name], rows_of(name, hostile_plan())
    lines = as_latex(table, rows, "").splitlines()
    assert balanced("\n".join(lines))
    body = lines[lines.index(r"    \midrule") + 1 : lines.index(r"    \bottomrule")]
    assert len(body) == min(len(rows), PRINTED)
    for line in body:
        assert line.endswith(r" \\")
        assert len(re.findall(r"(?<!\\)&", line)) == len(table.columns) - 1


@given(st.lists(st.tuples(ANY_TEXT, ANY_TEXT, st.floats()), min_size=1, max_size=4))
def test_any_rows_make_a_table_of_balanced_braces_and_whole_rows(cells):
    kinds = (
        Column("token", "Token", "token"),
        Column("text", "Text & more", "text"),
        Column("x", "$"),
    )
    table = Table("any", "100% of {it}.", list, kinds)
    rows = [dict(zip(("token", "text", "x"), cell, strict=True)) for cell in cells]
    written = as_latex(table, rows, "")
    assert balanced(written)
    body = written[written.index("midrule") : written.index("    \\bottomrule")]
    assert len(re.findall(r"(?<!\\)&", body)) == 2 * len(rows)
    assert body.count("\n") == len(rows) + 1


@given(st.floats(-1e300, 1e300) | st.integers(-(10**9), 10**9))
def test_a_printed_number_is_the_number_to_three_digits(value):
    digits, _, power = latex.number(value).strip("$").partition(r" \times 10^{")
    read = float(digits) * 10.0 ** int(power.rstrip("}") or 0)
    assert math.isclose(read, value, rel_tol=0.0051, abs_tol=5e-324)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (-0.33, "$-0.330$"),
        (46080, "$46080$"),
        (1234.5, "$1234$"),
        (2.934e-05, r"$2.93 \times 10^{-5}$"),
        (0.0, "$0.00$"),
        (None, r"\textendash{}"),
        (math.nan, r"\textendash{}"),
    ],
)
def test_numbers_are_printed_with_a_minus_and_a_power_of_ten(value, written):
    assert latex.number(value) == written


def test_every_table_prints_columns_that_its_rows_have():
    for name, (_, table) in TABLES.items():
        row = rows_of(name, Plan())[0]
        for column in table.columns:
            assert column.key in row, f"{name}: {column.key}"
            assert not column.span or len(row[column.span]) == 2


def test_a_scaled_column_multiplies_its_number_and_its_interval():
    column = Column("kl", "KL", span="kl_interval", times=1000)
    table = Table("kl", "In thousandths of a nat.", list, (column,))
    rows = [{"kl": 0.0002, "kl_interval": [0.0001, None]}]
    assert r"$0.200$ ($0.100$ to \textendash{})" in as_latex(table, rows, "")


def test_a_count_in_a_column_of_text_is_no_answer():
    table = Table("counts", "How many.", list, (Column("n", "Many", "text"),))
    written = as_latex(table, [{"n": n} for n in (0, 1, True, False)], "")
    assert re.findall(r"    (\w+) \\\\", written)[1:] == ["0", "1", "yes", "no"]
