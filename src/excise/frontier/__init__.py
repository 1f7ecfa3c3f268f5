"""Leaner variants of a model: what may be tried, and how it is made."""

from excise.frontier.catalogue import CATALOGUE, Catalogue
from excise.frontier.preparation import PREPARE_BUDGET_S, Prepared, Rejected, Sample, prepare, prepare_all
from excise.frontier.proposals import Proposal, propose

__all__ = [
    "CATALOGUE",
    "PREPARE_BUDGET_S",
    "Catalogue",
    "Prepared",
    "Proposal",
    "Rejected",
    "Sample",
    "prepare",
    "prepare_all",
    "propose",
]
