import builtins
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from audits import EMPTY, FULL, HOSTILE_TEXT, NOTHING_FOUND, UNDECIDED
from hypothesis import HealthCheck, given, settings
from samples import SAMPLES
from strategies import documents

from excise.core.audit import Audit
from excise.core.errors import MissingExtra
from excise.report.audit_html import audit_html, audit_repr_html
from excise.report.charts import distributions, waterfall, waterfall_steps

VOID = {"meta", "link", "br", "img"}
DEAD = ("script", "iframe", "object", "embed", "link", "img", "base", "form")


class Outline(HTMLParser):
    """Elements by depth with their texts; styles and pictures are left out."""

    def __init__(self):
        super().__init__()
        self.open, self.lines, self.tags, self.attributes, self.hidden = [], [], [], [], 0

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if not self.hidden and tag not in {"bdi", "b", "small"}:
            named = dict(attrs).get("class") or dict(attrs).get("id")
            self.lines.append("  " * len(self.open) + tag + (f" .{named}" if named else ""))
        self.hidden += tag in {"svg", "style"}
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        self.hidden -= tag in {"svg", "style"}

    def handle_data(self, data):
        if not self.hidden and data.strip():
            self.lines.append("  " * len(self.open) + repr(data.strip()))


def outline(page):
    read = Outline()
    read.feed(page)
    read.close()
    assert not read.open
    return read


@pytest.mark.parametrize("name", SAMPLES)
def test_it_says_this(name, drawn):
    assert "\n".join(outline(audit_html(SAMPLES[name], with_charts=False)).lines) + "\n" == drawn


@pytest.mark.parametrize("name", ["full", "hostile"])
def test_the_page_loads_nothing_and_runs_nothing(name):
    page = audit_html(SAMPLES[name], with_charts=True, show_examples=True)
    read = outline(page)
    assert not set(DEAD) & set(read.tags)
    assert not [key for key, _ in read.attributes if key.startswith("on") or key in {"src", "href", "xlink:href"}]
    assert "default-src 'none'" in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")
    assert "@import" not in page
    assert "url(" not in page


def test_hostile_text_stays_text_in_page_and_pictures():
    page = audit_html(HOSTILE_TEXT, with_charts=True, show_examples=True)
    assert "<script" not in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_examples_are_masked_unless_asked_for():
    assert "517" not in audit_html(FULL, with_charts=False)
    assert "“␣517”" in audit_html(FULL, with_charts=False, show_examples=True)


def test_every_claim_of_the_full_audit_is_on_the_page():
    page = audit_html(FULL, with_charts=True)
    told = (
        "≥ 71 %",
        "≥ 66 %",
        "avoidable cost",
        "excise optimize flights@1 --apply",
        "scikit-learn 1.9 has",
        "to_numeric",
    )
    assert [words for words in told if words not in page] == []
    assert page.count("<svg") == 3


@pytest.mark.parametrize(
    ("audit", "words"),
    [(UNDECIDED, "Undecided"), (EMPTY, "Not measured"), (NOTHING_FOUND, "No avoidable cost found")],
)
def test_no_rate_is_shown_where_none_may_be_told(audit, words):
    page = audit_html(audit, with_charts=False)
    assert words in page
    assert "≥" not in page
    assert "What this number means" not in page


def test_what_was_tried_is_on_the_page_even_where_nothing_helped():
    assert "saves less than the doubt" in audit_html(NOTHING_FOUND, with_charts=False)


def test_avoidable_cost_stands_beside_the_tax_rate():
    assert "The tax rate, or avoidable cost, as a lower bound: 7 of 37 remedies tried" in audit_html(FULL)


def test_a_notebook_keeps_its_own_colors():
    style = audit_repr_html(FULL).partition("</style>")[0]
    assert style.rindex("--ink: currentColor") > style.rindex("--ink: #")


def test_an_attainable_that_is_not_claimed_is_not_drawn():
    assert "attainable" not in distributions(UNDECIDED)
    assert "attainable" in distributions(FULL)


def test_the_waterfall_falls_from_today_to_what_is_attainable():
    steps = waterfall_steps(FULL, "latency")
    lines = ["model bloat", "fat features", "shadow pipeline", "dependency rot"]
    assert [step.name for step in steps] == ["today", *lines, "attainable"]
    assert steps[1].start == FULL.current.latency_ms.value
    assert all(before.end == after.start for before, after in pairwise(steps[1:-1]))
    assert steps[-2].end == pytest.approx(FULL.attainable.latency_ms.value, abs=1e-9)
    assert waterfall(EMPTY, "latency") is None
    assert waterfall_steps(SAMPLES["no_price"], "money") == []


def test_pictures_take_the_colors_of_the_page():
    picture = waterfall(FULL, "money")
    assert "#00000" not in picture
    assert "var(--accent)" in picture
    assert 'role="img"' in picture.partition(">")[0]
    assert " width=" not in picture.partition(">")[0]


def test_without_altair_the_tables_remain_and_asking_for_charts_names_the_extra(monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **more):
        if name.split(".")[0] == "altair":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    page = audit_html(FULL)
    assert "<svg" not in page
    assert "excise[charts]" in page
    with pytest.raises(MissingExtra) as missing:
        audit_html(FULL, with_charts=True)
    assert missing.value.hint == "pip install 'excise[charts]'"


@pytest.mark.parametrize("name", SAMPLES)
def test_a_notebook_gets_a_fragment(name):
    read = outline(audit_repr_html(SAMPLES[name]))
    assert read.tags[0] == "div"
    assert not {"html", "body", "script"} & set(read.tags)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents(Audit))
def test_any_audit_becomes_a_well_formed_page(audit):
    page = audit_html(audit, with_charts=False, show_examples=True)
    assert not set(DEAD) & set(outline(page).tags)
    assert "\x1b" not in page
    outline(audit_repr_html(audit))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(documents(Audit).filter(lambda audit: audit.lines or audit.distributions))
def test_any_audit_that_has_something_to_draw_can_be_drawn(audit):
    assert "<script" not in audit_html(audit, with_charts=True)
