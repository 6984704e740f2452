"""The paper: renders the committed results into a static page. Nothing that computes calls it."""

EMBEDDED = "smollm2-135m"
"""The model that a study asks about, and the report shows, unless told otherwise."""
