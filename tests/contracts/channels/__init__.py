"""One suite for all channels, against real servers on loopback."""
