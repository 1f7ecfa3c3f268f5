import math

import pytest

from excise.stats.quantiles import beta_cdf, binomial_cdf, student_t

# Two-sided 95 % and 99 % points of Student's t (any printed table), then more digits from R 4.3's qt().
TABLE = [
    (0.975, 1, 12.7062047),
    (0.975, 2, 4.3026527),
    (0.975, 3, 3.1824463),
    (0.975, 4, 2.7764451),
    (0.975, 5, 2.5705818),
    (0.975, 9, 2.2621572),
    (0.975, 29, 2.0452296),
    (0.995, 4, 4.6040949),
    (0.95, 10, 1.8124611),
    (0.9, 7, 1.4149239),
    (0.975, 1000, 1.9623391),
]


@pytest.mark.parametrize(("probability", "df", "expected"), TABLE)
def test_t_quantiles_are_those_of_the_tables(probability, df, expected):
    assert student_t(probability, df) == pytest.approx(expected, abs=1e-6)
    assert student_t(1 - probability, df) == pytest.approx(-expected, abs=1e-6)


@pytest.mark.parametrize("probability", [0.6, 0.9, 0.999, 0.9999999])
def test_one_and_two_degrees_of_freedom_have_closed_forms(probability):
    assert student_t(probability, 1) == pytest.approx(math.tan(math.pi * (probability - 0.5)), rel=1e-8)
    a = 4 * probability * (1 - probability)
    assert student_t(probability, 2) == pytest.approx((2 * probability - 1) * math.sqrt(2 / a), rel=1e-8)


def test_many_degrees_of_freedom_are_normal():
    assert student_t(0.975, 1e6) == pytest.approx(1.959964, abs=1e-5)


def test_the_binomial_is_the_sum_of_its_terms():
    for trials, probability in ((5, 0.3), (60, 0.9), (400, 0.01)):
        total = 0.0
        for successes in range(trials):
            total += math.comb(trials, successes) * probability**successes * (1 - probability) ** (trials - successes)
            assert binomial_cdf(successes, trials, probability) == pytest.approx(total, abs=1e-12)


def test_the_beta_integral_is_symmetric():
    for x in (0.01, 0.3, 0.77):
        assert beta_cdf(x, 2.5, 7.0) == pytest.approx(1 - beta_cdf(1 - x, 7.0, 2.5), abs=1e-14)


@pytest.mark.parametrize(("probability", "df"), [(0.0, 3), (1.0, 3), (0.5, 0)])
def test_impossible_arguments_are_refused(probability, df):
    with pytest.raises(ValueError, match="no t quantile"):
        student_t(probability, df)
