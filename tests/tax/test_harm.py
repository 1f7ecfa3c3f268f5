"""What labels, or scores without them, say of a model that became worse, and of one that did not."""

import numpy as np
import pytest

from excise.core.errors import NotComparable
from excise.core.harm import Basis, Harmed
from excise.core.measurement import Outputs
from excise.features.support import Support
from excise.tax.harm import harm

ROWS = 6000


def inputs(seed, shift=0.0, rows=ROWS):
    return np.random.default_rng(seed).normal(shift, 1.3, rows)


def chance(values):
    return 1 / (1 + np.exp(-1.5 * values))


def outputs(**values):
    count = len(next(iter(values.values())))
    return Outputs("production", np.arange(count), values)


def both(values):
    return outputs(label=(values > 0).astype(int), probabilities=np.column_stack([1 - chance(values), chance(values)]))


def labels(values, seed, flipped=0.0):
    rng = np.random.default_rng(seed)
    truth = rng.random(len(values)) < chance(values)
    return (truth ^ (rng.random(len(values)) < flipped)).astype(int)


THEN = inputs(1)
KNOWN = labels(THEN, 2)


def judged(now, labels_now=None, known=KNOWN, **more):
    return harm(both(THEN), both(now), known, labels_now, **more)


def test_labels_that_agree_as_before_show_no_harm():
    now = inputs(3)
    found = judged(now, labels(now, 4))
    assert (found.how, found.outcome) == (Basis.LABELS, Harmed.NONE)
    assert found.bet.e_value < found.bet.threshold == 40
    assert found.skill.lost.covers(0.0)
    assert found.accuracy.lost.covers(0.0)
    assert found.auc.lost.covers(0.0)


def test_labels_that_turned_show_harm_from_a_row_on():
    now = inputs(3)
    turned = np.concatenate([labels(now[:2000], 4), labels(now[2000:], 5, flipped=0.2)])
    found = judged(now, turned)
    assert found.outcome is Harmed.HARM
    assert 2000 < found.bet.passed <= ROWS
    assert found.skill.lost.low > 0.05
    assert found.auc.lost.low > 0.02


def test_the_row_that_shows_harm_is_one_of_the_sample_whatever_order_was_asked_in():
    now, order = inputs(3), np.random.default_rng(0).permutation(ROWS)[:4000]
    turned = labels(now, 4, flipped=0.3)
    asked, sample = both(now), both(now[order])
    mixed = Outputs("production", order, sample.values)
    found = harm(both(THEN), mixed, KNOWN, turned[order])
    kept = np.sort(order)
    straight = Outputs("production", kept, {name: values[kept] for name, values in asked.values.items()})
    assert found.bet == harm(both(THEN), straight, KNOWN, turned[kept]).bet
    assert found.bet.passed - 1 in order


def test_classes_named_by_text_and_a_class_that_did_not_come():
    names = np.array(["late", "on time"], dtype=object)
    now = inputs(3)
    as_text = judged(now, names[labels(now, 4)], known=names[KNOWN])
    as_numbers = judged(now, labels(now, 4))
    assert as_text.skill == as_numbers.skill
    assert as_text.auc == as_numbers.auc
    only = judged(now[:500], names[np.zeros(500, int)], known=names[KNOWN])
    assert only.auc is None
    assert only.accuracy.now.value == pytest.approx((now[:500] < 0).mean())
    with pytest.raises(NotComparable, match="1 labels are none that the reference knows"):
        judged(now[:3], np.array(["late", "cancelled", "late"], dtype=object), known=names[KNOWN])


def test_rows_whose_label_is_still_to_come_are_left_out():
    now = inputs(3)
    some = labels(now, 4).astype(float)
    some[::2] = np.nan
    found = judged(now, some)
    assert (found.how, found.current_rows) == (Basis.LABELS, ROWS // 2)
    assert judged(now, np.full(ROWS, np.nan)).how is Basis.ESTIMATE


def test_fewer_rows_leave_it_unclear():
    now = inputs(3, rows=200)
    found = judged(now, labels(now, 4))
    assert found.outcome is Harmed.UNCLEAR
    assert "nor is one of" in found.why


def test_less_to_tell_is_no_rise_of_the_risk_but_is_not_called_none():
    now = inputs(3, shift=-3.0)
    found = judged(now, labels(now, 4))
    assert found.bet.passed is None
    assert found.skill.lost.low > 0
    assert found.outcome is Harmed.UNCLEAR


def test_an_estimate_finds_harder_rows_and_agrees_with_labels():
    now = inputs(3) * 0.4
    found, by_labels = judged(now), judged(now, labels(now, 4))
    assert (found.how, found.outcome) == (Basis.ESTIMATE, Harmed.HARM)
    for name in ("skill", "accuracy", "auc"):
        assert getattr(found, name).now.covers(getattr(by_labels, name).now.value)
    assert {one.name: one.holds for one in found.assumptions} == {"calibration": True, "no_concept_change": None}


def test_an_estimate_on_rows_of_the_same_kind_finds_nothing():
    assert judged(inputs(3)).outcome is Harmed.NONE


def test_an_estimate_whose_assumption_is_broken_says_so():
    assert judged(inputs(3) * 0.4, support=Support(0.04, {"town": 0.04}, ())).outcome is Harmed.HARM
    found = judged(inputs(3) * 0.4, support=Support(0.5, {"town": 0.3, "x": 0.2}, ()))
    assert "50 % of the rows" in found.assumptions[1].evidence
    assert found.outcome is Harmed.UNCLEAR
    assert "does not hold: support" in found.why
    half = ROWS // 2
    drifting = np.concatenate([KNOWN[:half], labels(THEN[half:], 9, flipped=0.3)])
    broken = judged(inputs(3), known=drifting)
    assert broken.outcome is Harmed.UNCLEAR
    assert "calibration" in broken.why


def test_few_rows_cannot_say_that_scores_are_calibrated():
    few = inputs(1, rows=160)
    found = harm(both(few), both(inputs(3)), labels(few, 2), None)
    assert found.assumptions[0].holds is None


def test_of_three_classes_the_share_of_right_answers_is_expected():
    def scores(values):
        raw = np.column_stack([np.exp(values), np.ones(len(values)), np.exp(-values)])
        return raw / raw.sum(axis=1, keepdims=True)

    def drawn(values, seed):
        ends = np.cumsum(scores(values), axis=1)
        return (np.random.default_rng(seed).random(len(values))[:, None] > ends[:, :2]).sum(axis=1)

    now = inputs(3) * 0.3
    then = outputs(p=scores(THEN))
    found = harm(then, outputs(p=scores(now)), drawn(THEN, 5), None)
    truth = harm(then, outputs(p=scores(now)), drawn(THEN, 5), drawn(now, 6))
    assert (found.skill, found.auc) == (None, None)
    assert found.accuracy.now.covers(truth.accuracy.now.value)
    assert (found.outcome, truth.outcome) == (Harmed.HARM, Harmed.HARM)


def test_of_numbers_a_bet_is_made_on_errors_that_are_cut_off():
    def amounts(values, noise, seed):
        return 3 * values + np.random.default_rng(seed).standard_t(3, len(values)) * noise

    now = inputs(3)
    same = harm(outputs(y=3 * THEN), outputs(y=3 * now), amounts(THEN, 1, 5), amounts(now, 1, 6))
    worse = harm(outputs(y=3 * THEN), outputs(y=3 * now), amounts(THEN, 1, 5), amounts(now, 1.5, 6))
    assert (same.metric, same.outcome, same.accuracy) == ("squared", Harmed.NONE, None)
    assert worse.outcome is Harmed.HARM


def test_what_cannot_be_told_is_refused_in_a_line():
    with pytest.raises(NotComparable, match="only probabilities"):
        harm(outputs(label=(THEN > 0).astype(int)), outputs(label=(THEN > 0).astype(int)), KNOWN, None)
    with pytest.raises(NotComparable, match="no row of the reference has a label"):
        judged(inputs(3), known=np.full(ROWS, np.nan))
    few = inputs(1, rows=50)
    with pytest.raises(NotComparable, match="too few to calibrate"):
        harm(both(few), both(few), labels(few, 2), None)
