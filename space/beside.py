"""Files of the project that lie beside the packages in a checkout, and in them when installed."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def beside(name: str) -> Path | None:
    """Where such a file is; None where there is none.

    Args:
        name: its path in a checkout.
    """
    places = (PACKAGE / "shipped" / Path(name).name, PACKAGE.parent / name)
    return next((place for place in places if place.is_file()), None)
