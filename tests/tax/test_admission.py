"""Correct before fast: what a candidate may lose, overall and in a slice."""

import numpy as np
import pytest

from excise.core.errors import NotComparable, UsageError
from excise.core.measurement import Outputs
from excise.tax import admit, metric_of

N = 4000
RNG = np.random.default_rng(5)
SCORE = RNG.normal(size=N)
LATE = (SCORE + RNG.normal(size=N) > 0.5).astype(np.int64)
CHANCE = 1 / (1 + np.exp(-2 * (SCORE - 0.5)))


def outputs(cell="production", rows=None, **values):
    count = len(next(iter(values.values())))
    return Outputs(cell, np.arange(count) if rows is None else rows, values)


def both(chance):
    return {"label": (chance >= 0.5).astype(np.int64), "probabilities": np.column_stack([1 - chance, chance])}


PRODUCTION = outputs(**both(CHANCE))


def test_float32_rounding_is_agreement():
    found = admit(PRODUCTION, outputs(**both(CHANCE.astype(np.float32).astype(np.float64))), LATE)
    assert found.admissible
    assert (found.first_disagreement, found.why) == (None, "every output agrees")


def test_equal_outputs_are_admissible_on_three_rows():
    few = outputs(y=np.array([0.1, 0.2, 0.9]))
    assert admit(few, few, np.array([0, 0, 1])).admissible
    assert admit(few, few, None).admissible


def test_probabilities_are_preferred_to_labels_and_the_metric_is_named():
    found = admit(PRODUCTION, outputs(**both(CHANCE + 1e-4 * (0.5 - CHANCE))), LATE)
    assert (found.output, found.metric, found.admissible) == ("probabilities", "brier", True)
    assert found.first_disagreement == 0
    assert 0.3 < found.skill.value < 0.6


def test_noise_that_costs_skill_is_rejected_with_its_number():
    noisy = np.clip(CHANCE + RNG.normal(0, 0.1, N), 0, 1)
    found = admit(PRODUCTION, outputs(**both(noisy)), LATE)
    assert not found.admissible
    assert found.loss_of_skill.value > 0.005
    assert "allowed -0.5" in found.why


def test_a_constant_candidate_is_rejected_under_98_to_2_imbalance():
    rare = (SCORE > 2.05).astype(np.int64)
    incumbent = np.where(RNG.random(N) < 0.995, rare, 1 - rare)
    assert 0.01 < rare.mean() < 0.03
    found = admit(outputs(y=incumbent), outputs(y=np.zeros(N, dtype=np.int64)), rare)
    assert found.metric == "zero_one"
    assert not found.admissible
    without_labels = admit(outputs(y=incumbent), outputs(y=np.zeros(N, dtype=np.int64)), None)
    assert (without_labels.admissible, without_labels.metric) == (False, "disagreement")


def test_a_loss_that_hides_in_a_slice_is_found():
    small = np.arange(N) < N // 20
    shifted = np.where(small, 1 - CHANCE, CHANCE)
    better = np.where(~small, np.clip(CHANCE + 0.35 * (LATE - CHANCE), 0, 1), shifted)
    assert admit(PRODUCTION, outputs(**both(better)), LATE).admissible
    found = admit(PRODUCTION, outputs(**both(better)), LATE, slices={"carrier=HA": small, "rest": ~small})
    assert (found.admissible, found.worst_slice) == (False, "carrier=HA")
    assert found.why.endswith("in slice carrier=HA")


def test_a_slice_without_skill_is_held_against_the_whole():
    flat = np.arange(N) < 400
    chance = np.where(flat, LATE.mean(), CHANCE)
    label = np.where(flat, RNG.random(N) < LATE.mean(), LATE).astype(np.int64)
    nudged = chance + 1e-4 * (label - chance)
    found = admit(outputs(p=chance), outputs(p=nudged), label, slices={"flat": flat})
    assert found.admissible, found.why


def test_an_incumbent_without_skill_admits_nothing_that_differs_and_says_why():
    found = admit(outputs(p=RNG.random(N)), outputs(p=RNG.random(N)), LATE)
    assert not found.admissible
    assert "not shown to beat a constant" in found.why


def test_dict_answers_are_taken_apart():
    def answers(chance):
        return np.array([{"late": bool(p >= 0.5), "probability": float(p)} for p in chance], dtype=object)

    found = admit(outputs(answer=answers(CHANCE)), outputs(answer=answers(CHANCE**1.0001)), LATE.astype(bool))
    assert (found.output, found.metric, found.admissible) == ("answer.probability", "brier", True)


def test_a_probability_of_the_own_answer_is_not_taken_for_that_of_class_one():
    own = np.maximum(CHANCE, 1 - CHANCE)
    base = {"label": (CHANCE >= 0.5).astype(np.int64), "probability": own}
    found = admit(outputs(**base), outputs(**(base | {"probability": own * 0.999})), LATE)
    assert (found.output, found.metric, found.admissible) == ("label", "zero_one", True)


def test_zipmap_rows_become_a_matrix():
    rows = np.array([{0: float(1 - p), 1: float(p)} for p in CHANCE], dtype=object)
    found = admit(outputs(out=rows), outputs(out=rows[::-1].copy()), LATE)
    assert (found.output, found.metric, found.admissible) == ("out", "brier", False)


def test_text_labels_are_compared_with_text():
    names = np.where(LATE == 1, "late", "fine").astype(object)
    said = np.where(CHANCE > 0.5, "late", "fine")
    found = admit(outputs(y=said), outputs(y=np.where(CHANCE > 0.6, "late", "fine")), names)
    assert (found.metric, found.admissible) == ("zero_one", False)


def test_numbers_are_compared_by_squared_error_unless_another_metric_is_asked_for():
    truth = 3 * SCORE + RNG.normal(size=N)
    found = admit(outputs(y=3 * SCORE[:, None]), outputs(y=3.001 * SCORE[:, None]), truth)
    assert (found.metric, found.admissible) == ("squared", True)
    other = admit(outputs(y=3 * SCORE), outputs(y=3.001 * SCORE), truth, metric="absolute")
    assert (other.metric, other.admissible) == ("absolute", True)


def test_few_whole_numbers_are_amounts_where_the_model_answers_with_fractions_of_them():
    """Ratings from 1 to 5, guessed as 3.7: squared error, not the chance of hitting 4 exactly."""
    ratings = np.clip(np.round(3 + SCORE), 1, 5).astype(np.int64)
    incumbent = outputs(y=np.clip(3 + SCORE, 1, 5))
    found = admit(incumbent, outputs(y=np.clip(3 + SCORE, 1, 5) + RNG.normal(0, 0.01, N)), ratings)
    assert (found.metric, found.admissible) == ("squared", True)


def test_the_whole_column_tells_whether_labels_are_amounts():
    """An amount of 22 kinds has fewer in a handful of rows: the metric must not depend on which were drawn."""
    assert metric_of(np.arange(22).repeat(9), None) == "squared"
    assert metric_of(LATE, None) is None
    assert metric_of(np.array(["a", "b"]), None) is None
    assert metric_of(np.arange(22), "absolute") == "absolute"


def test_rows_without_a_label_are_left_out():
    target = LATE.astype(np.float64)
    target[::2] = np.nan
    found = admit(PRODUCTION, outputs(**both(CHANCE**1.001)), target)
    assert found.skill.n == N // 2


def test_embeddings_are_compared_as_vectors_without_labels():
    vectors = RNG.normal(size=(500, 16))
    close = admit(outputs(v=vectors), outputs(v=vectors * 1.001), None)
    far = admit(outputs(v=vectors), outputs(v=RNG.normal(size=(500, 16))), None)
    assert (close.admissible, far.admissible) == (True, False)


def test_an_answer_that_is_missing_loses():
    broken = CHANCE.copy()
    broken[:40] = np.nan
    found = admit(outputs(p=CHANCE), outputs(p=broken), LATE)
    assert (found.admissible, found.first_disagreement) == (False, 0)


@pytest.mark.parametrize(
    ("candidate", "why"),
    [
        (outputs(label=np.ones(N)), "it does not answer probabilities"),
        (outputs(**both(CHANCE), rows=np.arange(N) + 1), "it answered other rows than production"),
        (outputs(label=np.ones(N), probabilities=np.ones((N, 3))), "probabilities has another shape"),
    ],
)
def test_another_interface_is_not_admissible(candidate, why):
    found = admit(PRODUCTION, candidate, LATE)
    assert not found.admissible
    assert found.why.startswith(why)


def test_rows_of_first_disagreement_are_named_by_their_own_index():
    rows = np.arange(N) * 7
    other = CHANCE.copy()
    other[3] += 0.3
    found = admit(outputs(p=CHANCE, rows=rows), outputs(p=other, rows=rows), LATE)
    assert found.first_disagreement == 21


def test_unusable_targets_and_metrics_are_said():
    with pytest.raises(UsageError, match="no metric 'auc'"):
        admit(PRODUCTION, PRODUCTION, LATE, metric="auc")
    with pytest.raises(NotComparable, match="no row has a label"):
        admit(PRODUCTION, PRODUCTION, np.full(N, np.nan))
    with pytest.raises(NotComparable, match="held against the target"):
        admit(outputs(text=np.full(N, "a")), outputs(text=np.full(N, "a")), SCORE)


def test_the_test_keeps_its_error_rate_at_the_edge():
    wrong = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        truth = rng.normal(size=600)
        base = truth + rng.normal(0, 0.5, 600)
        edge = base + rng.normal(0, np.sqrt(0.005 * 0.75), 600)  # loses just 0.5 % of (1 - 0.25)
        wrong += admit(outputs(y=base), outputs(y=edge), truth).admissible
    assert wrong / 400 <= 0.045  # 2.5 % and two standard errors of 400 runs
