"""What figures share: colours, labels, bars of parts."""

from pathlib import Path

SCRIPTS = tuple(sorted(Path(__file__).parent.glob("*.js")))
"""What figures do when a reader presses or steps, in the report and in the app."""
