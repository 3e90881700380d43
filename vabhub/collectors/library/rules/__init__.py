"""Rules that read names before guessit is asked; one file a kind of name.

An unanchored `(S|E)\\d` would call "Dune 2021" or "DTS5.1" television; every pattern here stands between
separators.
"""
