"""Tests mirror the source; ``checked`` is the runtime type checker that they run it under."""

from beartype import BeartypeConf, beartype

checked = beartype(conf=BeartypeConf(is_pep484_tower=True))
"""As beartype, but an int will do for a float."""
