"""Real parts for tests: servers on loopback and what drives them."""
