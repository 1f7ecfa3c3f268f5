"""Answers requests: runs an application on this machine, on loopback unless told otherwise."""
