"""Loads a LightGBM text model. It answers probabilities, or the values of a regression.

Self-contained with the file beside it: numpy and lightgbm (pandas where columns are categories), Python 3.8 syntax.

Options:
    threads: of a prediction; 0 or absent leaves it to the library.
"""

import os
import runpy
import types

import lightgbm
import numpy as np

shared = types.SimpleNamespace(
    **runpy.run_path(os.path.join(os.path.dirname(os.path.abspath(__file__)), "onestage.py"))
)


def load(target, options):
    """Read the file."""
    with open(target) as file:
        header = file.read().partition("\nTree=0")[0]
    return BoosterPredictor(lightgbm.Booster(model_file=target), header, options)


class BoosterPredictor(shared.Tabular):
    """A booster behind the predictor's interface."""

    def __init__(self, booster, header, options):
        names, width = names_of(booster), booster.num_feature()
        per_row = booster.num_model_per_iteration()
        outputs = [{"name": "prediction", "dtype": "float64", "shape": [None, per_row] if per_row > 1 else [None]}]
        shared.Tabular.__init__(self, booster, names, width, np.float64, outputs, categories_of(booster, header))
        self._threads = {"num_threads": int(options["threads"])} if options.get("threads") else {}

    def predict(self, batch):
        """Answer a frame, a list of dicts, a 2-D array, or a dict of arrays."""
        return self.model.predict(self.categorical(batch) if self.text else self.matrix(batch), **self._threads)

    def chosen(self, given):
        """The model's columns by their given names, which it spells with underscores for blanks."""
        spelled = {str(name).replace(" ", "_"): name for name in given}
        return [spelled[name] for name in shared.Tabular.chosen(self, spelled)]

    def frame(self, batch):
        """The batch under the model's own names, by which it knows its columns of text."""
        frame = shared.Tabular.frame(self, batch)
        return frame if self.names is None else frame.set_axis(self.names, axis=1)


def names_of(booster):
    """Names of the columns; None where the library made them up."""
    names = booster.feature_name()
    return None if names == ["Column_%d" % index for index in range(len(names))] else names


def categories_of(booster, header):
    """Columns that were pandas' categories when it was fitted; the header lists the values of every column.

    Raises:
        TypeError: it does not tell which columns they were.
    """
    known = booster.pandas_categorical
    if not known:
        return []
    infos = next(line for line in header.splitlines() if line.startswith("feature_infos=")).partition("=")[2].split()
    found = [name for name, info in zip(booster.feature_name(), infos) if info[0] != "[" and info != "none"]
    if len(found) != len(known):
        raise TypeError("%d columns were categories, and %d are told: write a handler" % (len(known), len(found)))
    return found
