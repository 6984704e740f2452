"""Shapes and types are checked while tests run, where arrays are; mypy checks types everywhere."""

import ast
import sys

from beartype import BeartypeConf, beartype
from jaxtyping import _import_hook, install_import_hook

checked = beartype(conf=BeartypeConf(is_pep484_tower=True))
"""As beartype, but an int will do for a float."""

PACKAGES = [
    f"analysis.{each}"
    for each in (
        "engines", "experiments", "numbers", "original", "scanning", "subject", "weights",
    )
]  # fmt: skip
"""Where arrays are."""


class Outer(_import_hook.JaxtypingTransformer):
    """Checks the functions of a module, and leaves alone those that a function holds within.

    These are made anew with each call of the outer one, and to make their check took longer than
    most engines need for a tiny model.
    """

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:  # noqa: N802
        """Pass over a function within a function."""
        within = any(isinstance(parent, ast.FunctionDef) for parent in self._parents)
        return node if within else super().visit_FunctionDef(node)


def check() -> None:
    """From now on these packages come with their checks."""
    assert not sys.modules.keys() & set(PACKAGES), "what is there already cannot be checked"
    _import_hook.JaxtypingTransformer = Outer
    install_import_hook(PACKAGES, "tests.checking.checked")
