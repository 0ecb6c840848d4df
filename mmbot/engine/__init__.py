"""Decides: synchronous, timeless, silent."""
