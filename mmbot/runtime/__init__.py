"""Plumbing that knows nothing of trading: supervisor, inbox, limiter, clock."""
