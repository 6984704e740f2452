"""The paper: renders the committed results into a static page. Nothing that computes calls it."""
