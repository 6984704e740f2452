"""Panels of experiments that need one of their own: ``NAME.py`` takes the usual one's place."""
