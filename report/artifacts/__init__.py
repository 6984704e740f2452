"""What a paper takes from a study: figures, tables, numbers, references. It runs no model."""
