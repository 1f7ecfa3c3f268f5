"""The public functions, one file per verb: each composes the rooms below it and returns a frozen value."""
