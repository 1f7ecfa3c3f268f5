"""Columns and arrivals, in and out: the one reader for all verbs."""

from excise.tables.arrivals import ClosedLoop, RateArrivals, TraceArrivals, read_arrivals
from excise.tables.delimited import CsvMode
from excise.tables.parquet import write_parquet
from excise.tables.partitions import Partition, parts_in
from excise.tables.source import read
from excise.tables.table import Coded, Column, Kind, Table

__all__ = [
    "ClosedLoop",
    "Coded",
    "Column",
    "CsvMode",
    "Kind",
    "Partition",
    "RateArrivals",
    "Table",
    "TraceArrivals",
    "parts_in",
    "read",
    "read_arrivals",
    "write_parquet",
]
