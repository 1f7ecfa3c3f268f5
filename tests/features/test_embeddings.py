"""Vectors: they add up, to the same bits; what moved, broke or changed its length is named; clean ones stay silent."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pyarrow as pa
import pytest

import excise
from excise.core.drift import Drifted
from excise.features import FeatureProfile
from excise.tables import read

ROWS, LENGTH = 1000, 48
GENERATOR = np.random.default_rng(3)
BEFORE = GENERATOR.normal(size=(ROWS, LENGTH))
CLEAN = GENERATOR.normal(size=(ROWS, LENGTH))
TILT = np.where(np.arange(LENGTH) < 6, 0.3, 0.0)


def compared(now, before=BEFORE):
    (feature,) = excise.drift({"e": before}, {"e": now}).features
    return feature


def some(now, value, share=20):
    found = now.copy()
    found[::share] = value
    return found


def test_clean_vectors_are_silent():
    feature = compared(CLEAN)
    assert (feature.kind, feature.verdict, feature.causes) == ("embedding", Drifted.NONE, ())


@pytest.mark.parametrize("now", [CLEAN + TILT, CLEAN * 1.15], ids=["another place", "another spread"])
def test_a_shift_is_seen_by_a_classifier(now):
    feature = compared(now)
    assert (feature.verdict, feature.measure) == (Drifted.MATERIAL, "auc")
    assert feature.effect.low > 0.05
    assert [cause.cause for cause in feature.causes] == ["distribution"]


@pytest.mark.parametrize(
    ("now", "cause", "share"),
    [
        (some(CLEAN, np.nan), "infinite", 0.05),
        (some(CLEAN, 0.0), "nulls", 0.05),
        (GENERATOR.normal(size=(ROWS, 96)), "type_changed", 1.0),
        ([None if row % 10 == 0 else vector for row, vector in enumerate(CLEAN.tolist())], "nulls", 0.1),
        ([vector[: 48 if row % 10 else 47] for row, vector in enumerate(CLEAN.tolist())], "type_changed", 0.1),
    ],
    ids=["NaN", "zeros", "another length", "nulls", "ragged"],
)
def test_what_is_wrong_with_vectors_is_named(now, cause, share):
    feature = compared(now)
    named = {one.cause: one.share for one in feature.causes}
    assert feature.verdict is Drifted.MATERIAL
    assert named[cause] == pytest.approx(share)


def test_a_stored_profile_sees_them_too():
    profile = FeatureProfile.decode(FeatureProfile.build(read({"e": BEFORE})).encode())
    (moved,) = excise.drift(profile, {"e": CLEAN + 0.4}).features
    assert (moved.verdict, moved.measure) == (Drifted.MATERIAL, "ks")
    (still,) = excise.drift(profile, {"e": CLEAN}).features
    assert still.verdict is Drifted.NONE


def test_parts_add_up_to_the_whole_in_any_order():
    edges = FeatureProfile.build(read({"e": BEFORE}))
    parts = [FeatureProfile.build(read({"e": CLEAN[cut]}), edges_from=edges) for cut in np.split(np.arange(ROWS), 8)]
    whole = FeatureProfile.build(read({"e": CLEAN}), edges_from=edges).encode()
    assert reduce(FeatureProfile.merge, parts).encode() == whole
    assert reduce(FeatureProfile.merge, parts[::-1]).encode() == whole


def test_arrow_lists_of_floats_are_embeddings_and_lists_of_integers_are_not():
    floats = pa.array(BEFORE.astype(np.float32).tolist(), pa.list_(pa.float32(), LENGTH))
    table = pa.table({"e": floats, "h": [[1, 2, 3]] * ROWS})
    kinds = {one.name: one.kind for one in excise.drift(table, table).features}
    assert kinds == {"e": "embedding", "h": "nested"}
