"""Frozen nouns, Protocols and errors: what every room speaks, with no I/O of its own."""
