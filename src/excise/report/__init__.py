"""Draws frozen values for people and for other programs: terminal, Markdown, HTML, JSON. It never computes one."""
