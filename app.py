"""Starts the Space: ``python app.py``."""

from analysis.imports import leave_all, uncollected

with uncollected():
    from space.launch import make, serve

leave_all()
demo = make()

if __name__ == "__main__":
    serve(demo)
