"""Caching: what is computed once and shared."""
