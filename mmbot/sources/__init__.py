"""Fair-value feeds: read, matched to what the exchange lists, and stated as `FairUpdated`."""
