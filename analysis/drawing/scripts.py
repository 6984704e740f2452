"""The scripts that report and app share: what figures do when a reader presses or steps."""

from pathlib import Path

SCRIPTS = tuple(sorted(Path(__file__).parent.glob("*.js")))
