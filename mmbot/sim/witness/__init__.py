"""What really happened: record, truth, and the judge outside the engine."""
