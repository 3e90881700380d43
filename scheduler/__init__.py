"""The process that keeps time: one leader collects and publishes, every one sweeps."""
