"""Life in the market: a drifting fair price, takers, rival makers, the odds feed."""
