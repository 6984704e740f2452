"""Where models and text come from, and whether they are whole."""
