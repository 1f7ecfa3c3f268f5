"""Where a service holds its model: a global, an entry of a global dict, an attribute, ``app.state``.

Self-contained: stdlib only, Python 3.8 syntax. Only places that can be set anew are of use: a lean variant takes the
model's place there.
"""

import os
import sys

INSTALLED = ("site-packages", "dist-packages")


class Slot(object):
    """Every place that holds one model; setting ``model`` sets all of them."""

    def __init__(self, model):
        self.places = []
        self._model = model

    @property
    def model(self):
        """The model."""
        return self._model

    @model.setter
    def model(self, model):
        self._model = model
        for owner, name in self.places:
            if isinstance(owner, dict):
                owner[name] = model
            else:
                setattr(owner, name, model)


def find(folders, app, is_model):
    """The slot of the only model that a service holds; None where it holds none, or several.

    Args:
        folders: below which the service's own modules lie.
        app: the application, whose attributes and state are looked at as well.
        is_model: whether an object is a model.
    """
    slots = {}
    for owner, name, value in held(folders, app):
        if not is_proxy(value) and is_model(value):
            slots.setdefault(id(value), Slot(value)).places.append((owner, name))
    return next(iter(slots.values())) if len(slots) == 1 else None


def is_proxy(value):
    """Whether it stands for something else (a request of the moment) and cannot be asked outside of a call."""
    return "_get_current_object" in dir(type(value))


def held(folders, app):
    """Everything that a service holds at a place of its own: (owner, name, value)."""
    for module in own_modules(folders):
        space = vars(module)
        for name, value in list(space.items()):
            yield space, name, value
            for inner in inside(value, module.__name__):
                yield inner
    state = vars(getattr(app, "state", None) or object) if hasattr(app, "state") else {}
    for owner in (vars(app) if hasattr(app, "__dict__") else {}, state.get("_state", {})):
        for name, value in list(owner.items()):
            yield owner, name, value


def inside(value, module):
    """What a global dict, or an object of a class of the same module, holds."""
    if isinstance(value, dict):
        return [(value, name, part) for name, part in list(value.items()) if isinstance(name, str)]
    if type(value).__module__ == module and hasattr(value, "__dict__"):
        return [(value, name, part) for name, part in list(vars(value).items())]
    return []


def own_modules(folders):
    """Loaded modules from these folders that are not installed."""
    roots = tuple(os.path.realpath(folder).rstrip(os.sep) + os.sep for folder in folders)
    for module in list(sys.modules.values()):
        path = os.path.realpath(getattr(module, "__file__", None) or os.devnull)
        if path.startswith(roots) and not any(part in INSTALLED for part in path.split(os.sep)):
            if not module.__name__.startswith("_excise_"):
                yield module
