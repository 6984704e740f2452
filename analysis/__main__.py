"""The command line, one verb per experiment: ``python -m analysis VERB``.

Every verb answers on standard output, with ``--json`` as one JSON object; progress and notes go to
standard error. What the user got wrong is told in one sentence, with exit code 2.
"""

import sys

import typer

from analysis import console
from analysis.errors import UserError
from analysis.verbs import (
    ablation,
    census,
    comparison,
    composition,
    corpus,
    find,
    generality,
    intervene,
    models,
    modulate,
    neurons,
    prompts,
    study,
    upstream,
    verify,
)
from analysis.verbs.app import app

VERBS = (
    models,
    prompts,
    neurons,
    corpus,
    find,
    upstream,
    composition,
    ablation,
    intervene,
    modulate,
    generality,
    census,
    comparison,
    verify,
    study,
)
"""The modules whose import registers the verbs."""


def main() -> int:
    """Run the command line and return its exit code."""
    app.info.help = __doc__
    usage_error = typer.BadParameter.__mro__[1]
    return console.run(app, usage_error, UserError)


if __name__ == "__main__":
    sys.exit(main())
