"""``python -m excise``: the same command line as ``excise``."""

from __future__ import annotations

import sys

from excise.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
