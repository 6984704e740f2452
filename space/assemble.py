"""Assembles the folder that is pushed to a Space: ``python -m space.assemble FOLDER``."""

import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PARTS = (
    "app.py", "README.md", "LICENSE", "CITATION.cff", "TERMS.md", "ARCHITECTURE.md",
    "CONTRIBUTING.md", "CHANGELOG.md", "analysis", "space", "results", "docs", "notebooks",
)  # fmt: skip
"""What the app needs to run and a visitor of its files to understand it."""

PLATFORMS = ("gradio", "spaces", "huggingface_hub")
"""Packages that the platform itself installs, at the version of the README's ``sdk_version``."""

LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", ".DS_Store", "made_pages.py")
"""Of these: what others make, and what only the documentation is built with."""


def assemble(folder: Path) -> Path:
    """Make the folder anew; it is replaced whole, or left as it was.

    Args:
        folder: where it goes.

    Returns:
        The folder.
    """
    scratch = folder.with_name(folder.name + ".part")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, scratch / part, ignore=LEFT_OUT)
        else:
            shutil.copy2(source, scratch / part)
    (scratch / "requirements.txt").write_text(requirements(), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    return scratch.rename(folder)


def requirements() -> str:
    """The pinned packages but for those that the platform brings."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(line for line in lines if re.split(r"[=\[ ]", line)[0] not in PLATFORMS)


if __name__ == "__main__":
    print(assemble(Path(sys.argv[1] if len(sys.argv) > 1 else "build/space")))
