"""Log lines are one line each, say where they belong, and keep secrets; counters come out as Prometheus reads them."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from gateway import observe


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    handlers, level = logging.getLogger().handlers, logging.getLogger().level
    stream = io.StringIO()
    observe.configure(level="info", stream=stream, secrets=["canary-secret", ""])
    yield stream
    observe.configure(level="warning")
    logging.getLogger().handlers, logging.getLogger().level = handlers, level


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def measured(name: str, **labels: str) -> float:
    families = text_string_to_metric_families(observe.metrics_text())
    found = [sample.value for family in families for sample in family.samples if sample.name == name and sample.labels == labels]
    return found[0] if found else 0.0


def test_a_line_says_what_when_and_about_whom(log: io.StringIO) -> None:
    with observe.about(company="demo", reader="letters"):
        observe.log("outbox_sent", revision=413)
    observe.log("later")
    first, second = lines(log)
    assert (first["event"], first["company"], first["reader"], first["revision"], first["level"]) == (
        "outbox_sent",
        "demo",
        "letters",
        413,
        "info",
    )
    assert first["timestamp"].endswith("Z")
    assert "company" not in second


def test_what_is_less_urgent_than_wanted_is_not_written(log: io.StringIO) -> None:
    observe.log("chatter", level="debug")
    assert lines(log) == []


def test_a_value_cannot_begin_a_line_of_its_own_nor_steer_a_terminal(log: io.StringIO) -> None:
    observe.log("request", agent='x\n{"event": "forged"}\x1b[2J\u2028\udc80')
    [line] = lines(log)
    assert line["agent"] == r'x\u000a{"event": "forged"}\u001b[2J\u2028\udc80'


ANY = st.text(max_size=60) | st.sampled_from(["/" * 2000, "canary-secret", 'a"b', "a\\b", "x://u:p@h/", "\x1b[2J", "Ünïcode", "\udc80"])


@pytest.mark.parametrize("process", [None, 3])
@given(path=ANY, agent=ANY, peer=st.sampled_from(["127.0.0.1", "2001:db8::1", ""]), status=st.integers(100, 599), ms=st.floats(0, 1e6))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_line_of_a_request_is_what_any_other_line_would_be(
    log: io.StringIO, process: int | None, path: str, agent: str, peer: str, status: int, ms: float
) -> None:
    observe.configure(stream=log, secrets=["canary-secret"], process=process)
    log.truncate(0)
    log.seek(0)
    facts: dict[str, Any] = {"request": "0123456789abcdef", "method": "GET", "path": path, "status": status, "ms": ms}
    facts |= {"peer": peer, "agent": agent}
    observe.request(**facts)
    observe.log("request", **facts)
    one, other = lines(log)
    assert one.pop("timestamp")[:-8] <= other.pop("timestamp")[:-8]
    assert list(one.items()) == list(other.items())


def test_requests_are_not_told_of_where_only_warnings_are_wanted(log: io.StringIO) -> None:
    observe.configure(stream=log, level="warning")
    observe.request(request="0", method="GET", path="/", status=200, ms=1.0, peer="", agent="")
    assert lines(log) == []


def test_a_long_value_is_cut(log: io.StringIO) -> None:
    observe.log("request", path="/" * 5000)
    [line] = lines(log)
    assert len(line["path"]) == observe.LONGEST + 1


def test_secrets_are_blotted_out_wherever_they_turn_up(log: io.StringIO) -> None:
    try:
        raise ValueError("cannot reach postgresql://gateway:pass-word@db/x with canary-secret")
    except ValueError as error:
        observe.log("broken", error=error, note="canary-secret")
    assert "canary" not in log.getvalue()
    assert "pass-word" not in log.getvalue()


def test_an_exception_is_told_with_its_place_and_is_an_error(log: io.StringIO) -> None:
    try:
        json.loads("{")
    except ValueError as error:
        observe.log("broken", error=error)
    [line] = lines(log)
    assert line["level"] == "error"
    assert line["error"].startswith("JSONDecodeError: ")
    assert "test_observe.py" in line["error"]


def test_libraries_join_in_from_warning_upwards(log: io.StringIO) -> None:
    logging.getLogger("some.library").info("SELECT secret")
    logging.getLogger("some.library").warning("slow %s", "disk")
    [line] = lines(log)
    assert (line["event"], line["logger"], line["message"]) == ("library", "some.library", "slow disk")


def test_the_console_style_is_for_people() -> None:
    stream = io.StringIO()
    observe.configure(style="console", stream=stream)
    observe.log("started", port=8080)
    observe.configure(level="warning")
    assert "started" in stream.getvalue()
    assert "port=8080" in stream.getvalue()


def test_counters_and_gauges_come_out_as_prometheus_reads_them() -> None:
    before = measured("gateway_refused_total", reason="taken", door="dav")
    observe.count("refused", reason="taken", door="dav")
    observe.gauge("outbox_waiting", 3)
    assert measured("gateway_refused_total", reason="taken", door="dav") == before + 1
    assert measured("gateway_outbox_waiting") == 3


def test_a_counter_nobody_declared_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        observe.count("refusd", reason="taken", door="dav")
    with pytest.raises(ValueError, match="counts"):
        observe.gauge("letters_sent", 1, kind="moved")


def test_invented_methods_do_not_make_new_series() -> None:
    before = measured("gateway_requests_total", route="/x", method="other", status="405")
    observe.request_done("/x", "BREW", 405, 0.1)
    observe.request_done("/x", "STEEP", 405, 0.1)
    assert measured("gateway_requests_total", route="/x", method="other", status="405") == before + 2


def test_every_counter_has_a_sentence_of_help() -> None:
    described = {family.name: family.documentation for family in text_string_to_metric_families(observe.metrics_text())}
    assert [name for name, text in described.items() if name.startswith("gateway_") and len(text) < 10] == []
