"""What is measured against whom; the numbers stand in README.md of this folder."""
