"""Shapes are checked while tests run; mypy checks types everywhere."""

import ast
import re
import sys

from beartype import BeartypeConf, beartype
from jaxtyping import _import_hook, install_import_hook

typed = beartype(conf=BeartypeConf(is_pep484_tower=True))
"""As beartype, but an int will do for a float."""

PACKAGES = [
    f"analysis.{each}"
    for each in (
        "engines", "experiments", "numbers", "original", "scanning", "subject", "weights",
    )
]  # fmt: skip
"""Where arrays are."""


class Shaped(_import_hook.JaxtypingTransformer):
    """Checks the functions of a module that name shapes, but for those within a function.

    These are made anew with each call of the outer one, and to make their check took longer than
    most engines need for a tiny model. Of the others mypy knows all that there is to know.
    """

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:  # noqa: N802
        """Pass over a function within a function, and one without shapes."""
        within = any(isinstance(parent, ast.FunctionDef) for parent in self._parents)
        return super().visit_FunctionDef(node) if shapes(node) and not within else node


def shapes(function: ast.FunctionDef) -> bool:
    """Whether what a function takes or gives has a shape: ``Float[Tensor, "token"]``."""
    types = [each for each in (function.args, function.returns) if each is not None]
    return any(SHAPE.search(ast.unparse(each)) for each in types)


SHAPE = re.compile(r"\b(Float|Float32|Int|UInt8|Bool|Real)\[")


def check() -> None:
    """From now on these packages come with their checks."""
    assert not sys.modules.keys() & set(PACKAGES), "what is there already cannot be checked"
    _import_hook.JaxtypingTransformer = Shaped
    install_import_hook(PACKAGES, "tests.checking.typed")
