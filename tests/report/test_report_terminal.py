"""The terminal's table: the verdict and the page's figures, and model text as text."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from rich.console import Console

from coupling.faithfulness import Results
from coupling.faithfulness.rows import TARGET, group_name
from coupling.report.compare import differences, print_comparison, render_comparison
from coupling.report.terminal import print_runs, print_summary
from synthetic_results import HOSTILE


def printed(show: Callable[[Console], None]) -> str:
    console = Console(file=io.StringIO(), width=240, color_system=None)
    show(console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("name", ["coupled", "drifting", "empty"])
def test_the_verdict_is_printed_with_its_reason(name: str, request: pytest.FixtureRequest) -> None:
    results: Results = request.getfixturevalue(name)
    verdict = results.verdict()
    lines = [line.strip() for line in printed(lambda console: print_summary(results, console)).splitlines()]
    assert verdict.verdict in lines
    assert any(line.startswith(verdict.sentence.split()[0]) for line in lines)
    for missing in verdict.missing:
        assert any(line.startswith("missing:") for line in lines), missing


def test_errors_are_told_in_one_line(coupled: Results) -> None:
    (line,) = [
        line
        for line in printed(lambda console: print_summary(coupled, console)).splitlines()
        if line.startswith("errors: ")
    ]
    assert f"denied in {coupled.figures('denied').value:.3f} [" in line
    assert f"(repeating the target {coupled.figures('invented', explainer=TARGET).value:.3f})" in line


def test_groups_are_a_table_of_their_own(coupled: Results, empty: Results) -> None:
    lines = printed(lambda console: print_summary(coupled, console)).splitlines()
    assert sum(line.strip().startswith("adviser: ") for line in lines) == 4
    (fiji,) = [line.split() for line in lines if line.strip().startswith("country: Fiji")]
    figures, group = coupled.figures, group_name("country", "Fiji")
    counts = [figures.count(name, subset=group) for name in ("pairs", "discordant_pairs")]
    assert fiji[2:5] == [*map(str, counts), f"{figures('self', subset=group).value:.2f}"]
    assert "adviser: " not in printed(lambda console: print_summary(empty, console))


def test_figures_without_data_are_not_available(empty: Results) -> None:
    table = printed(lambda console: print_summary(empty, console)).splitlines()
    (twins,) = [line for line in table if line.split()[:1] == ["T"]]
    assert twins.split()[4:6] == ["n/a", "n/a"]


def test_model_text_is_no_markup_and_moves_no_cursor(hostile: Results) -> None:
    for shown in (
        printed(lambda console: print_summary(hostile, console)),
        printed(lambda console: print_comparison([hostile, hostile], console)),
    ):
        assert "\x1b" not in shown and "\x00" not in shown and "\u202e" not in shown
        assert "[red]loud[/red]" in shown
    assert HOSTILE in printed(lambda console: print_summary(hostile, console))


def test_a_comparison_shows_both_verdicts_and_what_differs(coupled: Results, drifting: Results) -> None:
    shown = printed(lambda console: print_comparison([coupled, drifting], console))
    page = render_comparison([coupled, drifting])
    for results in (coupled, drifting):
        for told in (shown, page):
            assert results.experiment in told
            assert results.verdict().verdict in told
    assert differences([coupled, drifting]) == []
    assert differences([coupled, drifting, drifting]) == []


def test_evaluations_of_one_name_are_numbered(coupled: Results) -> None:
    page = render_comparison([coupled, coupled])
    assert f"{coupled.experiment} (1)" in page and f"{coupled.experiment} (2)" in page
    assert page == render_comparison([coupled, coupled])


def test_a_comparison_takes_two(coupled: Results) -> None:
    with pytest.raises(ValueError, match="two evaluations or more"):
        render_comparison([coupled])


def test_other_pairs_and_other_steps_are_named(coupled: Results, empty: Results) -> None:
    named = dict(differences([coupled, empty]))
    assert named["model"] == ("organism:coupled aaaaaaaa", "model")
    assert named["runs"][1] == "unsteered"
    assert "thresholds" not in named


def test_runs_are_listed_with_figures_or_with_why_there_are_none(coupled: Results, empty: Results) -> None:
    found = {"first": coupled, "second": "not evaluated", "[red]third": empty}
    _, first, second, third = printed(lambda console: print_runs(found, console)).splitlines()
    assert first.split()[0] == "first" and first.rstrip().endswith(coupled.verdict().verdict)
    assert second.rstrip().endswith("not evaluated")
    assert third.startswith("[red]third") and "n/a" in third
