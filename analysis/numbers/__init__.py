"""Numbers with their doubt: intervals, and how well one number tells two kinds apart."""
