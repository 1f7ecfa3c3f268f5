"""The command line: one file per verb; each parses, calls ``excise.api`` and draws with ``excise.report``."""
