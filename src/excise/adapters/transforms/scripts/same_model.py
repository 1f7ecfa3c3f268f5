"""The same model with other settings: nothing is written. Self-contained, Python 3.8 syntax.

Options:
    production: ``{"loader", "target", "options"}``. settings: what is added to the loader's options.
"""


def apply(predictor, batches, out_dir, options):
    """Production's own loader with the settings added."""
    production = options["production"]
    settings = dict(production["options"], **(options.get("settings") or {}))
    loader = {"loader": production["loader"], "target": production["target"], "options": settings}
    return {"loader": loader, "size_bytes": 0, "reason": None, "notes": []}
