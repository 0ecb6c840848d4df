"""Faults on purpose: which, when, and how the box or the wire carries them out."""
