"""The exchange in the box: a simulated ProphetX that imports nothing else of mmbot."""
