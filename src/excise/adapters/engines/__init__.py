"""Where many small jobs run: one file per engine."""
