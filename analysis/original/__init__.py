"""The original study's numbers and conventions."""
