"""What people and machines see of a running daemon: logs, metrics, the admin server."""
