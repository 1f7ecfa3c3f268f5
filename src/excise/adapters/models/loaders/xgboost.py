"""Loads an XGBoost booster: ``.json``, ``.ubj``. It answers probabilities, or the values of a regression.

Self-contained with the file beside it: numpy and xgboost (pandas where columns are categories), Python 3.8 syntax.

Options:
    threads: of a prediction; 0 or absent leaves it to the library.
"""

import json
import os
import runpy
import types

import numpy as np
import xgboost

shared = types.SimpleNamespace(
    **runpy.run_path(os.path.join(os.path.dirname(os.path.abspath(__file__)), "onestage.py"))
)


def load(target, options):
    """Read the file.

    Raises:
        ValueError: the library cannot; its first line, without the stack trace that it appends.
    """
    booster = xgboost.Booster()
    try:
        booster.load_model(target)
    except xgboost.core.XGBoostError as error:
        raise ValueError(str(error).partition("\n")[0])
    if options.get("threads"):
        booster.set_param({"nthread": int(options["threads"])})
    return BoosterPredictor(booster)


class BoosterPredictor(shared.Tabular):
    """A booster behind the predictor's interface; answers as the scikit-learn wrapper does, early stopping included."""

    def __init__(self, booster):
        text = categories_of(booster)
        outputs = [{"name": "prediction", "dtype": "float32", "shape": output_shape(booster)}]
        shared.Tabular.__init__(self, booster, booster.feature_names, booster.num_features(), np.float32, outputs, text)
        best = booster.attr("best_iteration")
        self._range = (0, 0 if best is None else int(best) + 1)
        self._answer = (
            self._from_matrix if learner_of(booster)["gradient_booster"]["name"] == "gblinear" else self._in_place
        )

    def predict(self, batch):
        """Answer a frame, a list of dicts, a 2-D array, or a dict of arrays."""
        return self._answer(self.categorical(batch) if self.text else self.matrix(batch))

    def _in_place(self, rows):
        return self.model.inplace_predict(rows, iteration_range=self._range)

    def _from_matrix(self, rows):
        """Linear boosters predict from the library's own matrix only."""
        names = self.names if type(rows) is np.ndarray else None
        return self.model.predict(xgboost.DMatrix(rows, feature_names=names), iteration_range=self._range)


def learner_of(booster):
    """The booster's configuration."""
    return json.loads(booster.save_config())["learner"]


def output_shape(booster):
    """A column per class where the objective answers each class's probability."""
    learner = learner_of(booster)
    classes = int(learner["learner_model_param"]["num_class"])
    return [None, classes] if learner["objective"]["name"] == "multi:softprob" and classes > 1 else [None]


def categories_of(booster):
    """Columns of text; a file without their categories (written before 3.1) takes their codes, which are numbers."""
    coded = [name for name, kind in zip(booster.feature_names or (), booster.feature_types or ()) if kind == "c"]
    known = getattr(booster, "get_categories", None)
    return coded if coded and known is not None and not known().empty() else []
