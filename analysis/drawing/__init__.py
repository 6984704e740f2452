"""What figures share: colours, labels, bars of parts."""
