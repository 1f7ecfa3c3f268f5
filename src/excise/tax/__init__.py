"""Where the extra milliseconds and dollars go: which remedies may count, which are taken, what each one brings."""

from excise.tax.admission import Admission, admit
from excise.tax.agreement import disagreeing
from excise.tax.assessment import Assessment, assess
from excise.tax.beside import relative, skill_lost
from excise.tax.cells import subsets
from excise.tax.choice import Choice, choose
from excise.tax.costs import Cost
from excise.tax.outputs import loss_named, metric_of
from excise.tax.trades import Further, further
from excise.tax.twin import twin_check

__all__ = [
    "Admission",
    "Assessment",
    "Choice",
    "Cost",
    "Further",
    "admit",
    "assess",
    "choose",
    "disagreeing",
    "further",
    "loss_named",
    "metric_of",
    "relative",
    "skill_lost",
    "subsets",
    "twin_check",
]
