"""What tests check of every call of a function whose arguments or answer have shapes."""

import ast

import numpy as np
import pytest
from jaxtyping import TypeCheckError

from analysis.numbers.discrimination import auc
from tests.checking import shapes


def test_arrays_whose_shapes_do_not_fit_together_are_refused():
    assert auc(np.array([0.0, 1.0]), np.array([False, True])) == 1
    with pytest.raises(TypeCheckError, match="auc"):
        auc(np.zeros(3), np.zeros(4, dtype=bool))


@pytest.mark.parametrize(
    ("code", "shaped"),
    [
        ('def f(x: Float[Tensor, "a"]) -> None: ...', True),
        ('def f(x: int, *, y: dict[str, Bool[np.ndarray, "*a"]] | None = None) -> int: ...', True),
        ('def f(x) -> tuple[Int[Tensor, ""], str]: ...', True),
        ("def f(x: list[Order]) -> None: ...", True),  # one of rankings' own names
        ("def f(x: Tensor, y: Floating[int]) -> None: ...", False),
        ("def f(x): ...", False),
    ],
)
def test_a_function_with_a_shape_is_told_from_one_without(code, shaped):
    assert shapes(ast.parse(code).body[0]) == shaped
