"""The virtual clock: a loop that jumps to the next timer, and islands that die alone."""
