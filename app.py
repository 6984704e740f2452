"""Starts the Space: ``python app.py``."""

from analysis.imports import uncollected

with uncollected():
    from space.launch import make, serve

demo = make()

if __name__ == "__main__":
    serve(demo)
