"""How activations and weights are read and changed, exactly and fast."""
