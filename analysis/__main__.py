"""The command line, one verb per experiment: ``an-neuron VERB``, or ``python -m analysis VERB``.

Every verb answers on standard output, but for ``app`` and ``report`` with ``--json`` as one JSON
object; progress and notes go to standard error. What the user got wrong is told in one sentence,
with exit code 2.
"""

import sys

import typer

from analysis import command_line, console
from analysis.errors import UserError
from analysis.imports import leave_all


def main() -> int:
    """Run the command line and return its exit code."""
    app = command_line.make()
    app.info.help = (__doc__ or "").replace("``", "")
    usage_error = typer.BadParameter.__mro__[1]
    return console.run(app, usage_error, UserError)


def script() -> None:
    """What ``an-neuron`` starts."""
    code = main()
    leave_all()
    sys.exit(code)


if __name__ == "__main__":
    script()
