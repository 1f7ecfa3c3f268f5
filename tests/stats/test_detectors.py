"""Bets are fair within the band, evidence is rare without a change, and the reference's own error raises no alarm."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from excise.stats.detectors import (
    cut_points,
    function_band,
    log_bets,
    log_evidence,
    share_band,
    shiryaev_roberts,
    threshold,
)

SHARES = st.floats(0.01, 0.9)


@given(SHARES, st.integers(1, 40), st.floats(0.001, 1))
def test_no_bet_pays_on_average_while_the_share_is_in_the_band(edge, trials, inside):
    hits = np.arange(trials + 1)
    chances = stats.binom.pmf(hits, trials, edge * inside)
    paid = np.exp(log_bets(hits[:, None], np.full((trials + 1, 1), trials), np.array([[edge, 1.0]])))
    assert (chances @ paid[:, 0, 0] <= 1 + 1e-9).all()


@given(SHARES, st.integers(50, 5000))
def test_a_bands_edge_lies_above_the_share_and_nears_it_with_rows(share, rows):
    wide, narrow = (share_band([share], count, [0.01])[0, 0] for count in (rows, 10 * rows))
    assert share < narrow < wide <= 1
    assert function_band([share], rows, 0.01)[0, 0] > share


@pytest.mark.parametrize("stream_to_reference", [1, 20])
def test_a_stream_far_longer_than_its_reference_seldom_alarms(stream_to_reference):
    random = np.random.default_rng(stream_to_reference)
    bins, reference_rows, looks, alarms, runs = 32, 5000, 90, 0, 40
    rows = stream_to_reference * reference_rows // looks
    for _ in range(runs):
        reference = random.multinomial(reference_rows, np.full(bins, 1 / bins))
        cuts = cut_points(reference)
        band = function_band((np.cumsum(reference) / reference_rows)[cuts], reference_rows, 0.01)
        state, worst = np.full((len(cuts), 2, 5), -np.inf), -np.inf
        for _ in range(looks):
            hits = np.cumsum(random.multinomial(rows, np.full(bins, 1 / bins)))[cuts]
            state = shiryaev_roberts(state, log_bets(hits, np.full(len(cuts), rows), band))
            worst = max(worst, float(log_evidence(state, band)))
        alarms += worst >= np.log(threshold(1, looks, 0.05))
    assert alarms <= stats.binom.ppf(0.999, runs, 0.06)


def test_a_shift_is_found_in_days():
    random = np.random.default_rng(0)
    band, state = function_band([0.5], 100_000, 1e-4), np.full((1, 2, 5), -np.inf)
    for day in range(20):
        hits = random.binomial(1000, 0.5 if day < 10 else 0.56)
        state = shiryaev_roberts(state, log_bets([hits], [1000], band))
        if log_evidence(state, band) >= np.log(threshold(50, 90, 0.05)):
            break
    assert 10 <= day <= 15
