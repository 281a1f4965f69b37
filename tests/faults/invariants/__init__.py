"""The invariants I1 to I11, each a function from the evidence to sentences of what breaks it."""
