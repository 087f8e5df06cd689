from __future__ import annotations

import json
from pathlib import Path

import pytest

from coupling.faithfulness import calibrated
from coupling.faithfulness.calibrated import HALF, OWN, Calibrated, PowerQuote, shipped_calibration
from coupling.faithfulness.thresholds import FROZEN
from coupling.store import to_json

QUOTES = (
    PowerQuote(OWN, 20, 300, 5, 10),
    PowerQuote(OWN, 28, 1200, 9, 10),
    PowerQuote(OWN, 40, 300, 8, 10),
    PowerQuote(HALF, 20, 300, 1, 10),
)


def made(twin_margin: float) -> Calibrated:
    return Calibrated((0, 1), twin_margin, FROZEN.advantage_margin, FROZEN.rivalry_margin, QUOTES)


@pytest.mark.parametrize(
    ("clusters", "pairs", "expected"),
    [(28, 1200, QUOTES[1]), (100, 10**6, QUOTES[2]), (27, 1200, QUOTES[0]), (19, 10**6, None)],
)
def test_the_quote_is_of_no_larger_size(clusters: int, pairs: int, expected: PowerQuote | None) -> None:
    assert made(0.57).quoted(OWN, clusters, pairs) == expected


def test_a_quote_is_of_the_margins_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibrated.resources, "files", lambda _: tmp_path)
    assert shipped_calibration() is None
    (tmp_path / "assets").mkdir()
    for twin_margin, expected in ((FROZEN.twin_margin, made(FROZEN.twin_margin)), (0.9, None)):
        (tmp_path / "assets" / "validity.json").write_text(json.dumps(to_json(made(twin_margin))))
        assert shipped_calibration() == expected
    assert expected is None
