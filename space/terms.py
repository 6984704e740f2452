"""The field's words that the page explains where they stand: read from TERMS.md."""

import re
from functools import cache

from analysis.beside import beside

EXPLAINED = (
    "logit difference", "recovery", "patching", "ablation", "AUC", "direct effect",
    "indirect effect", "total effect", "pre-activation", "held-out", "attribution",
    "logit lens", "weight modulation", "exchange", "clean", "corrupted", "contribution",
    "natural prompts", "remainder",
)  # fmt: skip
"""Those that a newcomer cannot take for everyday words; the others would be explained in vain."""

ROW = re.compile(r"^\| \*\*(.+?)\*\* \| (.+) \|$", re.MULTILINE)


@cache
def terms() -> dict[str, str]:
    """Each explained word with its meaning in plain text; none where TERMS.md is not at hand."""
    file = beside("TERMS.md")
    if file is None:
        return {}
    rows = ROW.findall(file.read_text(encoding="utf-8"))
    meanings = {name.strip(): _plain(text) for names, text in rows for name in names.split(",")}
    return {name: meanings[name] for name in EXPLAINED}


def _plain(text: str) -> str:
    """Markdown without its marks."""
    return re.sub(r"[*`]", "", text)
