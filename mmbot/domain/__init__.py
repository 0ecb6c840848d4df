"""Values of the trade: standard library only, no clock, no I/O."""
