"""One pass over a corpus for every neuron."""
