"""The Space without a browser: its answers, its endpoints, and what they do to the hostile."""
