"""The page: nothing from outside, nothing unescaped, and the pictures it promises."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest

from compose.search.entry import entry_of, with_dominated
from compose.search.record import Measured, Record, Setup, Trial
from compose.search.report import render_report, sentences
from compose.search.report.names import model_name, short
from compose.search.report.page import shown
from compose.search.result import SearchResult, conclude
from compose.search.space import derive

EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


def measured(model: str, good: int, usd: float | None, *, latency: float | None = None, n: int = 200) -> Measured:
    pipeline = {"version": 1, "steps": [{"use": "generate", "model": model}]}
    scores = tuple(1.0 if i < good else 0.0 for i in range(n))
    return Measured(key=model, pipeline=pipeline, scores=scores, usd=(usd,) * n, latency_s=latency, calls=n, made=n)


def result_of(*rows: Measured, benchmark: str = "toy", n: int = 200) -> SearchResult:
    return conclude(record_of(*rows, benchmark=benchmark, n=n))


def record_of(*rows: Measured, benchmark: str = "toy", n: int = 200) -> Record:
    models = tuple(m.key for m in rows)
    ids = tuple(str(i) for i in range(n))
    setup = Setup(
        benchmark=benchmark,
        answer="number",
        seed=0,
        sampler="tpe",
        models=models,
        space=msgspec.to_builtins(derive(models=models)),
        dev=ids,
        test=tuple(f"t{i}" for i in range(n)),
        recorded=True,
        version="1",
        prices={m: {"input": 1.0, "source": benchmark} for m in models},
    )
    trials = [Trial(number=i, params={"shape": "single"}, measured=m) for i, m in enumerate(rows)]
    return Record(setup=setup, trials=trials, test=list(rows), wanted=len(rows))


class Reader(HTMLParser):
    """Notes every tag and attribute."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_loads_nothing_and_escapes_all() -> None:
    page = render_report(result_of(measured(EVIL, 150, 0.1), measured("b" + EVIL, 100, 0.01), benchmark=EVIL))
    reader = Reader()
    reader.feed(page)
    tags = {tag for tag, _ in reader.tags}
    assert not tags & {"script", "img", "link", "iframe", "object", "base", "form"}
    assert not any(name in ("src", "href", "style") or name.startswith("on") for _, a in reader.tags for name in a)
    assert "url(" not in page
    policy = next(a["content"] for t, a in reader.tags if t == "meta" and "http-equiv" in a)
    assert policy is not None
    assert "default-src 'none'" in policy


def test_latency_has_its_chart_where_it_was_measured() -> None:
    timed = [measured("a", 150, 0.1, latency=2.0), measured("b", 100, 0.01, latency=0.5)]
    assert render_report(result_of(*timed)).count("<svg") == 2
    assert render_report(result_of(measured("a", 150, 0.1), measured("b", 100, 0.01))).count("<svg") == 1


@pytest.mark.parametrize("usd", [None, 0.0])
def test_unknown_and_free_prices_draw_no_price(usd: float | None) -> None:
    page = render_report(result_of(measured("a", 150, usd), measured("b", 100, usd)))
    assert "<svg" not in page
    assert f"<td>{'unknown' if usd is None else '0'}</td>" in page


def test_a_record_without_trials_has_a_page() -> None:
    assert "nothing is recommended" in render_report(result_of())


def test_points_lie_in_the_picture() -> None:
    page = render_report(result_of(*(measured(f"m{i}", 20 * i, 10.0**-i) for i in range(9))))
    for x, y in re.findall(r'<circle class="\w+" cx="([\d.-]+)" cy="([\d.-]+)"', page):
        assert 0 <= float(x) <= 640
        assert 0 <= float(y) <= 400


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        ([{"use": "generate", "model": "gpt-4o-2024-08-06", "n": 5}, {"use": "vote"}], "gpt-4o × 5 → vote"),
        ([{"use": "cascade", "models": ["a", "b"], "final": "last"}], "a ▸ b (until 2 agree, else last)"),
        (
            [{"parallel": [{"use": "generate", "model": "a"}, {"steps": [{"use": "fuse", "model": "b"}]}]}],
            "(a | fuse by b)",
        ),
    ],
)
def test_short_names(steps: list[dict[str, Any]], text: str) -> None:
    assert short({"version": 1, "steps": steps}) == text


def test_model_names_lose_dates_only() -> None:
    assert model_name("replay/s/claude-3-5-sonnet-20241022") == "claude-3-5-sonnet"
    assert model_name("local/smollm2-135m") == "smollm2-135m"
    assert model_name("o1-mini-2024-09-12") == "o1-mini"


def test_significance_is_one_test_for_the_winner() -> None:
    result = result_of(measured("cheap", 60, 0.01), measured("dear", 190, 0.1))
    assert result.best_single is not None
    assert result.winner is not None
    assert result.best_single.model == result.winner.model == result.recommended == "dear"
    assert not result.winner.significant
    worse = next(e for e in result.front if e.model == "cheap")
    assert worse.significant
    assert worse.gain is not None
    assert worse.gain.mean < 0


def test_a_price_whose_tokens_were_not_all_recorded_is_a_lower_bound() -> None:
    result = result_of(measured("replay/set/thinker-2024-09-12", 190, 0.1), measured("replay/set/other", 100, 0.1))
    assert not any("lower bound" in s for s in sentences(result))
    source = "a table (hidden reasoning tokens are billed but not recorded)"
    result.prices["replay/set/thinker-2024-09-12"]["source"] = source
    said = next(s for s in sentences(result) if "lower bound" in s)
    assert "that thinker bills" in said
    assert "--exclude-model thinker-2024-09-12" in said


def test_two_models_never_share_a_name() -> None:
    ids = ["replay/s/gpt-4o-2024-05-13", "replay/s/gpt-4o-2024-08-06", "replay/s/m-10", "http://a/v1#x/m", "local/m"]
    assert len({model_name(id, ids) for id in ids}) == len(ids)
    assert model_name(ids[0], ids[:1]) == "gpt-4o"
    assert model_name("replay/s/m-10") == "m-10"


def test_the_winner_s_row_tells_the_test_that_the_verdict_tells() -> None:
    rows = [measured("single", 150, 1.0), measured("winner", 163, 1.0)]
    found = result_of(*rows)
    (row,) = [e for e in shown(found) if e.model == "winner"]
    assert row is found.winner


def test_what_another_makes_pointless_is_marked() -> None:
    found = conclude(record_of(measured("cheap", 150, 1.0), measured("dear", 140, 2.0), measured("best", 160, 3.0)))
    said = {e["pipeline"]["steps"][0]["model"]: e["dominated"] for e in found.to_json()["front"]}
    assert said == {"cheap": False, "best": False}
    marked = with_dominated([entry_of(measured("dear", 140, 2.0), dev_quality=None)], found.front)
    assert marked[0].dominated


def test_a_cut_test_half_says_how_much_it_rests_on() -> None:
    record = record_of(measured("a", 150, 1.0))
    cut = msgspec.structs.replace(record.test[0], scores=(1.0,) * 60 + (None,) * 140)
    record.test, record.end = [cut], "budget"
    found = conclude(record)
    assert found.to_json()["best_single"]["n"] == 60
    assert "60 of 200 items" in " ".join(sentences(found))
