"""Pure functions of numbers: intervals over fresh-process rounds, shares, percentiles, skill, anytime-valid tests."""
