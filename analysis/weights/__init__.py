"""Every neuron's output weights against every token."""
