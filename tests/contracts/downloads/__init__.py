"""One suite for every download client."""
