"""Train the model on January to March: `python train.py`. Writes model.skops and encodings.json."""

import json
import os
from pathlib import Path

import pandas as pd
import skops.io
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from features import features, frame_of, learn_encodings

HERE = Path(__file__).resolve().parent


def fit(table, encodings):
    """Trees on a plain float32 array, so that the thresholds are float32 too."""
    model = GradientBoostingClassifier(
        n_estimators=250,
        max_depth=4,
        learning_rate=0.06,
        subsample=0.5,
        max_features=0.5,
        random_state=2013,
    )
    return model.fit(features(table, encodings), table["late"].to_numpy())


def quality(model, encodings, table, name):
    score = model.predict_proba(features(table, encodings))[:, 1]
    auc = roc_auc_score(table["late"], score)
    print(
        f"  AUC {auc:.3f}   {len(table)} flights of {name}, {100 * table['late'].mean():.1f} % late, {100 * score.mean():.1f} % expected"
    )
    return auc


def save(model, encodings):
    skops.io.dump(model, HERE / "model.skops.part")
    (HERE / "encodings.json").write_text(json.dumps(encodings, indent=1) + "\n")
    os.replace(HERE / "model.skops.part", HERE / "model.skops")


def main():
    table = pd.read_parquet(HERE / "data" / "train.parquet")
    encodings = learn_encodings(table)
    model = fit(table, encodings)
    save(model, encodings)
    print(f"gradient boosting, {model.n_estimators} trees, trained on {len(table)} flights of January to March")
    quality(model, encodings, pd.read_parquet(HERE / "data" / "reference.parquet"), "held-out days, January to March")
    july = pd.read_csv(HERE / "data" / "july.csv", dtype=str)
    quality(model, encodings, frame_of(july.to_dict("records")).assign(late=july["late"].astype(int)), "July")


if __name__ == "__main__":
    main()
