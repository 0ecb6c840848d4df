"""First contact: what a client can measure of an exchange that nobody has described in full."""
