"""Audits of a service and of an endpoint, as they are told of."""

from __future__ import annotations

from audits import FULL, LINES, ms, ratio, usd
from msgspec.structs import replace

from excise.core.audit import Against, Beside, BreakdownLine, Finding, Gap, Hotspot, Meter, Stage, Standing
from excise.core.tax import Culprit, Line

OF_A_SERVICE = replace(
    FULL,
    model=replace(FULL.model, ref="asgi:service:app", name="service", kind="service", digest=None),
    routes=(
        Stage(name="POST /predict", latency_ms=ms(9.4, 0.2)),
        Stage(name="GET /items/{item}", latency_ms=ms(1.2, 0.1)),
    ),
    lines=(
        replace(LINES[0], remedy="serve .excise/variants/onnx/model.onnx"),
        Line(
            culprit=Culprit.SHADOW_PIPELINE,
            latency_ms=ms(2.1, 0.1),
            cost_per_1000=usd(0.000025, 0.000002),
            alone_ms=ms(2.1, 0.1),
            last_ms=ms(2.1, 0.1),
            evidence="validate_again 2.1 ms, warnings.warn 0.032 ms, json.dumps 0.016 ms",
            remedy="drop it, or keep it: --required validate_again",
            remedies=("drop_shadow",),
        ),
    ),
    stages=(),
    breakdown=(
        BreakdownLine(name="input_output", self_ms=2.15, share=0.44),
        BreakdownLine(name="preprocessing", self_ms=1.41, share=0.29),
        BreakdownLine(name="model", self_ms=0.905, share=0.19),
        BreakdownLine(name="own_code", self_ms=0.3, share=0.06),
        BreakdownLine(name="validation", self_ms=0.0257, share=0.005),
        BreakdownLine(name="middleware", self_ms=0.0, share=0.0),
    ),
    hotspots=(
        Hotspot(
            name="validate_again", where="service.py:41", self_ms=0.1, total_ms=2.1, calls=1.0, class_="input_output"
        ),
        Hotspot(name="Logger.info", where="service.py:44", self_ms=0.04, total_ms=0.04, calls=1.0, class_="logging"),
    ),
    findings=(
        Finding(kind="failed_requests", where="422 Unprocessable Entity", what="12 requests failed", share=0.003),
        Finding(kind="undeclared_work", where="validate_again (service.py:41)", what="2.1 ms a call"),
    ),
)
OF_AN_ENDPOINT = replace(
    FULL,
    model=replace(FULL.model, ref="http://10.0.0.7:8000", name="10.0.0.7-8000", kind="endpoint", digest=None),
    price=None,
    tax_rate=None,
    tax_rate_cost=None,
    lines=(),
    tried=(),
    subsets=(),
    stages=(),
    breakdown=(),
    hotspots=(),
    findings=(),
    current=Standing(latency_ms=ms(9.4, 0.2), p50_ms=ms(9.1, 0.1), first_call_ms=ms(31.0, 4.0)),
    attainable=Standing(),
    beside=Beside(
        computational_creep=ratio(0.18, 0.05), stability_loss=ratio(0.03, 0.005), response_drift=ratio(0.002, 0.001)
    ),
    against=Against(
        ref="http://10.0.0.8:8000",
        latency_ms=ms(12.1, 0.3),
        p95_ms=ms(15.0, 0.5),
        slower=ratio(0.29, 0.03),
        disagreement=ratio(0.04, 0.01),
        failures=ratio(0.0, 0.001),
        own_failures=ratio(0.03, 0.005),
    ),
    meters=(
        Meter(name="ttft_ms", mean=ms(54.8, 2.0), p95=ms(80.0, 5.0)),
        Meter(name="output_tokens", mean=replace(ms(41.0, 1.0), unit="tokens")),
    ),
    not_measured=(Gap(what="tax rate, model_bloat", why="an endpoint cannot be run again here"),),
    change=None,
)
