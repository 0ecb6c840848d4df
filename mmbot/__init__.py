"""mmbot: a market-maker daemon for ProphetX."""

__version__ = "0.1.0"
