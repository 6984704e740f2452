"""One file per experiment: a frozen Result dataclass and the pure function that computes it."""
