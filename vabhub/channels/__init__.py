"""Ways out of the house: one file a provider, found by `registry`, all answering with an Outcome."""
