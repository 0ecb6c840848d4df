"""The live terminal view: pure functions from the last seen states to something rich can draw."""
