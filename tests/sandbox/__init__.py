"""Templates that people write, and those that would do harm."""
