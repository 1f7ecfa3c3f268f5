"""Loads a CatBoost model: ``.cbm``. It answers probabilities, or the values of a regression.

Self-contained with the file beside it: numpy and catboost (pandas where columns are text), Python 3.8 syntax.

Options:
    threads: of a prediction; 0 or absent leaves it to the library.
"""

import json
import os
import runpy
import types

import catboost
import numpy as np

shared = types.SimpleNamespace(
    **runpy.run_path(os.path.join(os.path.dirname(os.path.abspath(__file__)), "onestage.py"))
)

EXPONENT = ("Poisson", "Tweedie")
"""Losses whose raw values are logarithms of what was asked for."""


def load(target, options):
    """Read the file."""
    model = catboost.CatBoost()
    model.load_model(target)
    return CatBoostPredictor(model, options)


class CatBoostPredictor(shared.Tabular):
    """A model behind the predictor's interface."""

    def __init__(self, model, options):
        names = list(model.feature_names_)
        text = [names[index] for index in model.get_cat_feature_indices() + model.get_text_feature_indices()]
        named = None if names == [str(index) for index in range(len(names))] and not text else names
        classes = len(model.classes_)
        outputs = [{"name": "prediction", "dtype": "float64", "shape": [None, classes] if classes else [None]}]
        shared.Tabular.__init__(self, model, named, len(names), np.float32, outputs, text)
        self._how = {"prediction_type": prediction_type(model), "thread_count": int(options.get("threads") or -1)}

    def predict(self, batch):
        """Answer a frame, a list of dicts, a 2-D array, or a dict of arrays."""
        return self.model.predict(self.frame(batch) if self.text else self.matrix(batch), **self._how)


def prediction_type(model):
    """What production means by an answer, by the loss that the model was fitted for."""
    if len(model.classes_):
        return "Probability"
    params = json.loads(model.get_metadata().get("params", "{}"))
    return "Exponent" if params.get("loss_function", {}).get("type") in EXPONENT else "RawFormulaVal"
