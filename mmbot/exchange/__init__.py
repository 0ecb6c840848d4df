"""Adapters to the exchange: the only place that knows its wire."""
