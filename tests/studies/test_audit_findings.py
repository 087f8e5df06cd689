"""What figures allow: sentences that follow from them, and never that one model is coupled."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from coupling.faithfulness import Evidence, Results
from coupling.faithfulness.results import ModelDescription
from coupling.records import Explanation
from coupling.report.compare import render_comparison
from coupling.report.runs import list_results
from coupling.store import RunDir, from_json, to_json, write_json
from coupling.studies.audit.conclusions import conclude
from coupling.studies.audit.findings import AUDIT, AUDIT_VERDICTS, Findings, read_judged
from coupling.studies.audit.page import render_audit
from coupling.studies.audit.respondents import Served
from synthetic_audits import EXHAUSTED, LOCAL, PAIRS, ROOM, judged, one_run
from synthetic_results import HOSTILE

SERVED = Served(2160, 9, 9, None, ("1 times the server fails",), 2, ("another",), is_opened=False)


def told(evidence: Evidence) -> Findings:
    found = conclude(judged(evidence), [LOCAL], ROOM)
    assert from_json(Findings, to_json(found), "here") == found
    return found


@pytest.mark.parametrize("reads", ["self", "shared"])
@pytest.mark.parametrize("name", ["unsteered", "follow Chen", "ignore Diaz"])
def test_one_model_is_never_coupled(reads: str, name: str) -> None:
    results = judged(one_run(reads, name))
    assert len(results.verdicts) > 2
    assert all(each.verdict.verdict != "coupled" for each in results.verdicts)
    found = conclude(results, [LOCAL], ROOM)
    assert "coupled" in found.does_not_allow[0]
    assert [rule.name for rule in found.rules if not rule.is_evaluated] == [
        "invalid: labelled pairs asked again",
        "invalid: identical runs",
        "coupled: P beyond siblings",
        "coupled: missing claims",
    ]


def test_the_models_side() -> None:
    found = told(one_run())
    assert any("the model's own effect more often than the reference's" in said for said in found.allows)
    assert any("more often true than what can be said without" in said for said in found.allows)
    assert not any(step.startswith("Name the model") for step in found.next_steps)


def test_errors_are_told_apart() -> None:
    (said,) = [
        said for said in told(one_run()).allows if said.startswith("Where the cue decides the answer, ")
    ]
    assert "of explanations deny that it changes; where it does not, " in said
    evidence = one_run()
    (run,) = evidence.runs
    nothing_moves = {
        id_: replace(effect, with_cue=effect.without_cue) for id_, effect in run.behaviors.items()
    }
    (said,) = [
        said
        for said in told(replace(evidence, runs=(replace(run, behaviors=nothing_moves),))).allows
        if "claim a change" in said
    ]
    assert said.startswith("Where it does not, ")


def test_the_references_side() -> None:
    evidence = one_run()
    imitating = {pair_id: Explanation(pair_id, "said", effect) for pair_id, effect in evidence.target.items()}
    found = told(evidence.explained_by({"model": imitating}))
    assert any("the reference's effect more often than its own" in said for said in found.allows)


def test_without_a_reference() -> None:
    found = told(replace(one_run(), target={}, base={}, base_explanations={}))
    assert any("Whether they follow the model or repeat" in said for said in found.does_not_allow)
    assert "Name the model it was trained from: --reference, with another --out." in found.next_steps
    (target,) = [rule for rule in found.rules if rule.name == "not shown: no target"]
    assert target.is_evaluated and "this rule applies" in target.found
    drift = next(rule for rule in found.rules if "drift" in rule.name)
    assert not drift.is_evaluated and drift.found == "takes a reference"


def test_too_little_drift() -> None:
    evidence = one_run()
    few = {
        id_: effect if number % 40 else evidence.target[id_]
        for number, (id_, effect) in enumerate(evidence.runs[0].behaviors.items())
    }
    target = {
        id_: effect if number % 40 else evidence.target[id_]
        for number, (id_, effect) in enumerate(few.items())
    }
    found = told(replace(evidence, target=target))
    assert any("telling takes 100 pairs in 20" in said for said in found.does_not_allow)
    assert not any("side with" in said for said in found.allows)
    alike = told(replace(evidence, target=evidence.runs[0].behaviors))
    assert any("differ nowhere here" in step for step in alike.next_steps)


def test_what_cannot_be_read_allows_nothing_else() -> None:
    evidence = one_run()
    silent = {pair.id: Explanation(pair.id, "no", None) for pair in evidence.pairs}
    found = told(evidence.explained_by({"model": silent}))
    assert len(found.allows) == 1 and found.allows[0].startswith("Only 0.00")
    assert any("explanation.format=statement" in step for step in found.next_steps)
    other = conclude(
        replace(judged(evidence.explained_by({"model": silent})), explanation_format="statement"),
        [LOCAL],
        ROOM,
    )
    assert any("explanation.format=answer_pair" in step for step in other.next_steps)
    assert any("explanation.max_new_tokens=64" in step for step in other.next_steps)


def test_what_is_not_shown_is_no_finding() -> None:
    evidence = one_run()
    effects = evidence.runs[0].behaviors
    # Half of the explanations of discordant pairs state either side.
    apart = sorted(id_ for id_ in effects if effects[id_] != evidence.target[id_])
    said = {id_: Explanation(id_, "said", effect) for id_, effect in effects.items()}
    said |= {id_: Explanation(id_, "said", evidence.target[id_]) for id_ in apart[::2]}
    found = told(evidence.explained_by({"model": said}))
    (sides,) = [sentence for sentence in found.allows if "Where the two differ" in sentence]
    assert "which of the two they side with cannot be told" in sides
    assert (
        f"{len(apart[1::2])} state the model's effect, {len(apart[::2])} the reference's, 0 another" in sides
    )
    shuffled = {id_: Explanation(id_, "said", effects[apart[0]]) for id_ in effects}
    found = told(evidence.explained_by({"model": shuffled}))
    assert any("It is not shown that they are more often true" in sentence for sentence in found.allows)


def test_no_more_is_asked_for_than_there_is() -> None:
    evidence = one_run()
    few = {
        id_: effect if number % 40 else evidence.runs[0].behaviors[id_]
        for number, (id_, effect) in enumerate(evidence.runs[0].behaviors.items())
    }
    target = {id_: evidence.target[id_] if not number % 40 else few[id_] for number, id_ in enumerate(few)}
    results = judged(replace(evidence, target=target))
    assert not any("--pairs" in step for step in conclude(results, [LOCAL], EXHAUSTED).next_steps)
    assert any(
        f"the task has {PAIRS}" in step or "differ nowhere" in step
        for step in conclude(results, [LOCAL], EXHAUSTED).next_steps
    )


def test_what_a_server_leaves_open() -> None:
    evidence = replace(one_run(), missing=7)
    found = conclude(judged(evidence), [replace(LOCAL, fingerprint=None, served=SERVED)], ROOM)
    everything = " ".join(found.does_not_allow)
    assert "the server calls it another" in everything and "(prefill)" in everything
    assert "the 7 pairs of which" in everything and "asked once" in everything
    assert found.next_steps[0].startswith("Repeat the command")


def test_a_page_has_no_none() -> None:
    results = replace(judged(one_run()), model=ModelDescription("m", None))
    served = replace(LOCAL, fingerprint=None, served=replace(SERVED, input_tokens=None, output_tokens=None))
    page = render_audit(results, conclude(results, [served], ROOM))
    assert ">None" not in page and "None," not in page and "n/a, n/a" in page


def test_the_page_escapes_what_it_is_told() -> None:
    results = judged(one_run())
    hostile = replace(LOCAL, name=HOSTILE, served=replace(SERVED, failures=(HOSTILE,)))
    page = render_audit(
        replace(results, model=ModelDescription(HOSTILE, None)), conclude(results, [hostile], ROOM)
    )
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page
    assert page == render_audit(
        replace(results, model=ModelDescription(HOSTILE, None)), conclude(results, [hostile], ROOM)
    )


def written(folder: Path, results: Results, findings: Findings | None = None) -> None:
    """A run directory as far as lists and comparisons read it; of an audit where there are findings."""
    write_json(folder / "run.json", {})
    content = {"results.json": results.to_json()}
    if findings is not None:
        content[AUDIT] = to_json(findings)
    for name, document in content.items():
        write_json(folder / name, document)
        RunDir(folder).record(name, {})


def test_lists_and_comparisons_show_the_audits_own_verdicts(tmp_path: Path) -> None:
    results, findings = judged(one_run()), told(one_run())
    assert results.verdict().verdict not in AUDIT_VERDICTS
    written(tmp_path / "panel", results)
    written(tmp_path / "audit", results, findings)
    found = list_results(tmp_path, read_judged)
    assert found["panel"] == results
    of_audit = found["audit"]
    assert isinstance(of_audit, Results)
    assert replace(of_audit, verdicts=results.verdicts) == results
    shown = of_audit.verdict()
    assert (shown.verdict, shown.reason) == (findings.verdict.verdict, findings.verdict.reason)
    for each in findings.emitters:
        assert of_audit.verdict(explainer=each.name).verdict == each.verdict.verdict
    page = render_comparison([of_audit, results])
    assert findings.verdict.verdict in page and results.verdict().verdict in page


def test_findings_on_other_explainers_are_told_of(tmp_path: Path) -> None:
    findings = told(one_run())
    written(tmp_path / "audit", judged(one_run()), replace(findings, emitters=findings.emitters[1:]))
    why = list_results(tmp_path, read_judged)["audit"]
    assert isinstance(why, str) and str(tmp_path / "audit" / AUDIT) in why and "audit again" in why
