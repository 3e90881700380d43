"""The cache: tiers, decorator, statistics."""
