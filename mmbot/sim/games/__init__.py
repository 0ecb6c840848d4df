"""The games that a box can list: real odds, generated ones, props, and how they end."""
