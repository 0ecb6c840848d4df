"""Pure maths of prices, fair values, quotes and exposure: no clock, no I/O, no state."""
