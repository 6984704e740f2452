"""The Space: the experiments and figures of ``analysis``, live."""
