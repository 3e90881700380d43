"""One suite for every tier, and for the three of them together."""
