"""Benchmarks, run by `make bench`; pytest collects none of them: a timing is not a test."""
