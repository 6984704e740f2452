"""Checksums of source code: a result is recomputed when, and only when, its code changed."""

import ast
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from analysis.parsing import parsed

ROOT = Path(__file__).resolve().parent.parent

SHOWS = ("analysis.result",)
"""Modules that every experiment imports and none computes with: they draw, sum up and save."""


def code_version(*modules: str) -> str:
    """Checksum of modules of this repository and of all they import from it, first 16 digits.

    The syntax tree is hashed, so comments, docstrings and layout do not count.

    Args:
        modules: their names.
    """
    digest = hashlib.sha256()
    for name in sorted(reached(*modules)):
        digest.update(f"{name} {_read(name)[0]}\n".encode())
    return digest.hexdigest()[:16]


def reached(*modules: str) -> set[str]:
    """The modules and, through their imports, every module of this repository that they need."""
    seen, waiting = set(), list(modules)
    while waiting:
        name = waiting.pop()
        if name not in seen and name not in SHOWS:
            seen.add(name)
            waiting.extend(imported(name))
    return seen


def imported(module: str) -> set[str]:
    """Modules of this repository that a module imports, wherever in it the import stands."""
    return set(_read(module)[1])


def _imported(tree: ast.Module) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            members = {f"{node.module}.{alias.name}" for alias in node.names}
            submodules = {name for name in members if path_of(name).is_file()}
            names.update(submodules or {node.module})
        elif isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
    return {name for name in names if path_of(name).is_file()}


def path_of(module: str) -> Path:
    """File of a module of this repository, whether or not it exists."""
    path = ROOT / Path(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _shape(tree: ast.Module) -> str:
    """A syntax tree in brackets, the same for every Python version and without docstrings.

    Fields that hold nothing are left out, as versions differ in them; a constant's value never is,
    since None, 0, 0.0, False and "" are five different constants. A loop and no recursion: a study
    reads 300,000 nodes.
    """
    written, waiting = list[str](), list[Any]([tree])
    while waiting:
        match waiting.pop():
            case ast.Expr(ast.Constant(str())):
                pass
            case ast.Constant(value):
                written.append(f"Constant({value!r})")
            case ast.AST() as node:
                fields = [pair for pair in ast.iter_fields(node) if pair[1] not in (None, [])]
                written.append(f"{type(node).__name__}(")
                waiting.append(")")
                waiting.extend(part for name, value in reversed(fields) for part in (value, name))
            case list(nodes):
                waiting.extend(["]", *reversed(nodes), "["])
            case leaf:
                written.append(str(leaf))
    return " ".join(written)


@cache
def _read(module: str) -> tuple[str, set[str]]:
    """The shape of a module's code and what it imports: once, as every answer names its code."""
    text = path_of(module).read_text(encoding="utf-8")
    tree = parsed(lambda: ast.parse(text))
    return _shape(tree), _imported(tree)
