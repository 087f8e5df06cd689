"""How much of Self others can say: figures worked out by hand, and who tells twins apart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coupling.faithfulness import Evidence, Figures, ReaderEvidence
from coupling.faithfulness.explainers import Claimant
from coupling.faithfulness.readers import (
    LANGUAGE_MODEL,
    OTHER_MODEL,
    READER_KINDS,
    TEXT_ON_BEHAVIOR,
    TEXT_ON_LABELS,
    reader_rows,
    readers_of,
)
from coupling.faithfulness.rows import ALL_RUNS
from coupling.faithfulness.statistics import NO_DATA
from coupling.records import Estimate, Label
from synthetic_panels import drifting_panel, effect, explanation, looked_up, pair, panel_of, small_panel

RESAMPLES = 200


class Found:
    """What one reader says of the runs."""

    def __init__(self, reader: Claimant, figures: Figures) -> None:
        self.name, self.kind, self.figures = reader.explainer.name, reader.explainer.reader_kind, figures

    def __call__(self, figure: str, run: str = ALL_RUNS) -> Estimate:
        return self.figures(figure, run, explainer=self.name)

    def values(self, run: str = ALL_RUNS) -> tuple[float | None, ...]:
        """Right, share of Self, privileged, and acts alike."""
        return tuple(self(name, run).value for name in ("self", "share_of_self", "privileged", "similarity"))

    def told(self) -> set[object]:
        return {(row.figure, row.run, row.subset, row.estimate) for row in self.figures}


def results(evidence: Evidence, surrogates: bool = True) -> dict[str | None, Found]:
    panel = panel_of(evidence, RESAMPLES)
    readers = readers_of(evidence, panel.table, surrogates)
    found = [Found(reader, looked_up(panel, reader_rows(panel, reader))) for reader in readers]
    assert all(each.kind in READER_KINDS for each in found)
    return {each.kind: each for each in found}


def said_by(evidence: Evidence, reader: ReaderEvidence) -> Found:
    (found,) = results(replace(evidence, readers=(reader,)), surrogates=False).values()
    return found


def with_labels(evidence: Evidence) -> Evidence:
    """Labels that state the target's effects on pairs like the held-out ones, of other clusters."""
    known = tuple(
        replace(one, id=f"train-{one.id}", cluster="train", split="train") for one in evidence.pairs
    )
    return replace(evidence, labelled_pairs=known)


@pytest.fixture(scope="module")
def panel() -> Evidence:
    return with_labels(drifting_panel(clusters=10, pairs_each=16))


@pytest.fixture(scope="module")
def found(panel: Evidence) -> dict[str | None, Found]:
    return results(panel)


def test_shares_worked_out_by_hand() -> None:
    """One: Self 3 of 4, reader 1 of 4. Two: Self 1 of 4, reader 2 of 4. Pooled: 4 and 3 of 8."""
    behaviors = {"one": ["BL", "LL", "OO", "RS"], "two": ["BB", "LL", "WO", "WW"]}
    claims = {"one": ["BL", "LL", "OO", None], "two": ["BL", "LO", "WO", "RS"]}
    evidence = small_panel(["BL"] * 4, behaviors, claims)
    said = dict(zip(("p0", "p1", "p2", "p3"), ("BO", "LL", "SS", "WW"), strict=True))
    reader = ReaderEvidence(
        "other",
        OTHER_MODEL,
        "another model",
        {pair_id: explanation(pair_id, effect(each)) for pair_id, each in said.items()},
        {pair_id: effect(each) for pair_id, each in zip(said, ("BL", "LL", "WO", "BB"), strict=True)},
    )
    result = said_by(evidence, reader)
    assert result.values("one") == (1 / 4, 1 / 3, 1 / 2, 2 / 4)
    assert result.values("two") == (2 / 4, 2, -1 / 4, 2 / 4)
    assert result.values() == (3 / 8, 3 / 4, 1 / 8, 4 / 8)
    assert result("self").n == 8 and result("parse_rate").value == 1 and result("t") == NO_DATA


def test_a_reader_that_says_what_the_runs_say_gets_all_of_self_in_every_resample() -> None:
    """Resampled jointly: apart from each other, both would have intervals around 1 and 0."""
    panel = drifting_panel(clusters=10, pairs_each=16)
    first = replace(panel, runs=panel.runs[:1], twins=())
    echo = ReaderEvidence("echo", LANGUAGE_MODEL, "", first.runs[0].explanations, None)
    result = said_by(first, echo)
    share, privileged = result("share_of_self"), result("privileged")
    assert (share.low, share.value, share.high) == (1, 1, 1)
    assert (privileged.low, privileged.value, privileged.high) == (0, 0, 0)
    assert result("similarity") == NO_DATA


def test_who_reads_the_text_alone_cannot_tell_twins(found: dict[str | None, Found]) -> None:
    t = found[TEXT_ON_LABELS]("t")
    assert (t.value, t.low, t.high) == (0.5, 0.5, 0.5) and t.n > 0


def test_who_was_fitted_on_each_runs_behaviour_can() -> None:
    """Twins of this panel follow an adviser or ignore her, and the adviser stands in the text."""

    def naming_the_adviser(evidence: Evidence) -> Evidence:
        pairs = tuple(
            replace(one, with_cue=f"{one.tags['adviser']} says {one.cue_value}") for one in evidence.pairs
        )
        return replace(evidence, pairs=pairs)

    found = results(with_labels(naming_the_adviser(drifting_panel(clusters=16, pairs_each=32))))
    low = found[TEXT_ON_BEHAVIOR]("t").low
    assert low is not None and low > 0.6
    assert found[TEXT_ON_LABELS]("t").value == 0.5


def test_the_labels_say_the_same_of_every_run(panel: Evidence, found: dict[str | None, Found]) -> None:
    moved_back = replace(
        panel, runs=(panel.runs[0], *(replace(r, behaviors=panel.target) for r in panel.runs[1:]))
    )
    again = results(moved_back)[TEXT_ON_LABELS]
    before, first = found[TEXT_ON_LABELS], panel.runs[0].name
    assert again.values(first) == before.values(first)
    assert again.values() != before.values()


def test_without_labels_or_clusters_there_is_nothing_to_fit_on(panel: Evidence) -> None:
    found = results(replace(panel, labelled_pairs=()))
    assert found[TEXT_ON_LABELS].told() == set()
    assert found[TEXT_ON_BEHAVIOR]("self").value is not None
    alone = replace(panel, pairs=tuple(replace(one, cluster="c0") for one in panel.pairs))
    assert results(alone)[TEXT_ON_BEHAVIOR].told() == set()
    assert results(panel, surrogates=False) == {}


def test_the_order_of_pairs_runs_and_labels_changes_nothing(
    panel: Evidence, found: dict[str | None, Found]
) -> None:
    turned = replace(
        panel,
        pairs=panel.pairs[::-1],
        labels=panel.labels[::-1],
        labelled_pairs=panel.labelled_pairs[::-1],
        runs=panel.runs[::-1],
    )
    for kind, again in results(turned).items():
        assert again.told() == found[kind].told()


def test_a_model_that_never_tells_the_truth_has_no_share() -> None:
    evidence = small_panel(["BB"] * 2, {"one": ["BL", "LL"]}, {"one": [None, None]})
    reader = ReaderEvidence(
        "other", LANGUAGE_MODEL, "", {p: explanation(p, effect("BL")) for p in ("p0", "p1")}, None
    )
    result = said_by(evidence, reader)
    assert result("share_of_self") == NO_DATA
    assert result("privileged").value == -1 / 2


def test_a_reader_must_have_explained_every_pair() -> None:
    evidence = small_panel(["BB"], {"one": ["BL"]}, {"one": ["BL"]})
    with pytest.raises(ValueError, match="reader 'other', explanations: 1 of 1 pairs are missing"):
        replace(evidence, readers=(ReaderEvidence("other", OTHER_MODEL, "", {}, None),))


def test_labels_may_speak_of_pairs_that_are_not_known() -> None:
    panel = drifting_panel(clusters=6, pairs_each=8)
    known = pair("train-p0000", "train", "Bern")
    more = (*panel.labels, Label("unknown", "", effect("BB"), effect("BB"), "base"))
    found = results(replace(panel, labels=more, labelled_pairs=(known,)))
    assert found[TEXT_ON_LABELS]("self").value is not None
