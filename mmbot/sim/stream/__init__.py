"""The Pusher protocol as a server speaks it, without I/O, and its sockets."""
