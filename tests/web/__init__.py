"""The front door, asked through real sockets."""
