"""Chaos: real processes, real faults, and an audit that says whether a notification was lost."""
