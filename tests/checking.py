"""Shapes are checked while tests run; mypy checks types everywhere."""

import ast
import re
import sys
from functools import cache
from pathlib import Path

from beartype import BeartypeConf, beartype
from jaxtyping import _import_hook, install_import_hook

import analysis
from analysis.parsing import parsed

typed = beartype(conf=BeartypeConf(is_pep484_tower=True))
"""As beartype, but an int will do for a float. What is compiled is kept under this name: whoever
changes what is checked gives it another."""

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
    """Whether a function takes or gives what has a shape: ``Float[Tensor, "token"]``, an alias."""
    types = [each for each in (function.args, function.returns) if each is not None]
    return any(shape().search(ast.unparse(each)) for each in types)


@cache
def shape() -> re.Pattern[str]:
    """What a type with a shape is called, aliases of all modules included."""
    kinds = r"\b(?:Float|Float32|Int|UInt8|Bool|Real)\["
    alias = re.compile(rf"^(\w+) = .*{kinds}", re.MULTILINE)
    modules = Path(analysis.__file__).parent.rglob("*.py")
    names = sorted({name for each in modules for name in alias.findall(each.read_text("utf-8"))})
    return re.compile(rf"{kinds}|\b(?:{'|'.join(names)})\b")


def check() -> None:
    """From now on these packages come with their checks."""
    assert not sys.modules.keys() & set(PACKAGES), "what is there already cannot be checked"
    _import_hook.JaxtypingTransformer = Shaped
    loader = _import_hook._JaxtypingLoader
    compiled = loader.source_to_code
    loader.source_to_code = lambda *given, **named: parsed(lambda: compiled(*given, **named))
    install_import_hook(PACKAGES, "tests.checking.typed")
