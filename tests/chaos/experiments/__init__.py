"""The experiments of the chaos table, a few to a file."""
