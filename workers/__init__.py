"""The worker process: actors of a few lines each that call the domain."""
