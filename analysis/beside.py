"""Files that stand beside the packages in a checkout, and inside this one where installed."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def beside(name: str) -> Path | None:
    """Where a file of the project is, if it is anywhere.

    Args:
        name: its path from the root of a checkout.
    """
    places = (PACKAGE / "shipped" / Path(name).name, PACKAGE.parent / name)
    return next((path for path in places if path.is_file()), None)
