"""Times things fairly: fresh worker processes, interleaved blocks, an A/A stream, a profiled pass."""
