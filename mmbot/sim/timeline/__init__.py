"""What happens when in a scenario, and who carries it out."""
