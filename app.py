"""Starts the Space: ``python app.py``."""

from space.launch import launch, make

demo = make()

if __name__ == "__main__":
    launch(demo)
