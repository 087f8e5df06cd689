from __future__ import annotations

import json
from pathlib import Path

import pytest

from coupling.faithfulness import calibrated
from coupling.faithfulness.calibrated import (
    HALF,
    OWN,
    RULE,
    Calibrated,
    PowerQuote,
    limits_of,
    shipped_calibration,
)
from coupling.faithfulness.thresholds import FROZEN
from coupling.store import to_json

QUOTES = (
    PowerQuote(OWN, 20, 300, 5, 10),
    PowerQuote(OWN, 28, 1200, 9, 10),
    PowerQuote(OWN, 40, 300, 8, 10),
    PowerQuote(HALF, 20, 300, 1, 10),
)


def made(rule: str = RULE, **limits: float) -> Calibrated:
    return Calibrated((0, 1), rule, {**limits_of(FROZEN), **limits}, QUOTES)


@pytest.mark.parametrize(
    ("clusters", "pairs", "expected"),
    [(28, 1200, QUOTES[1]), (100, 10**6, QUOTES[2]), (27, 1200, QUOTES[0]), (19, 10**6, None)],
)
def test_the_quote_is_of_no_larger_size(clusters: int, pairs: int, expected: PowerQuote | None) -> None:
    assert made().quoted(OWN, clusters, pairs) == expected


def test_a_quote_is_of_the_rule_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibrated.resources, "files", lambda _: tmp_path)
    assert shipped_calibration() is None
    (tmp_path / "assets").mkdir()
    for found, is_quoted in ((made(), True), (made("another"), False), (made(min_parse_rate=0.5), False)):
        (tmp_path / "assets" / "validity.json").write_text(json.dumps(to_json(found)))
        assert shipped_calibration() == (found if is_quoted else None)


def test_the_shipped_file_can_be_read() -> None:
    found = shipped_calibration()
    assert found is None or found.is_of_rule_in_use
