"""An audit of a folder, of the same model behind a real server, and of a server that dies in the middle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import endpoint_server
from coupling.cli import main
from coupling.faithfulness.results import CONSTRUCTED
from coupling.models.folders import organism_folder
from coupling.records import Behavior, CounterfactualPair, Explanation
from coupling.report.runs import read_results
from coupling.store import read_records
from coupling.studies.audit.definition import define_audit
from coupling.studies.audit.findings import INFORMATIVE, NOT_MEASURED, UNDECIDED, UNINFORMATIVE, read_findings
from coupling.studies.audit.respondents import JOURNALS, MODEL, behaviors_of, explanations_of
from coupling.studies.audit.running import Audited, run_audit
from endpoint_server import Body, Fault, Served, Server, failed
from noted import Noted

QUICK = ["evaluation.resamples=100"]
PAIRS = 24
ANSWER_TOKENS = 128
ALL_CHOICES = ["prefill=true", "top_logprobs=400", "max_retries=0", "give_up_after=2", "api_key_env=null"]
"""So that every choice is among the top tokens; the organism knows some hundred words."""


@pytest.fixture(scope="module")
def served() -> Served:
    return Served(str(organism_folder("coupled")))


@pytest.fixture(scope="module")
def of_folder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Audited]:
    path = tmp_path_factory.mktemp("audits") / "folder"
    defined = define_audit(
        "organism:coupled", "quickstart", "organism:coupled-early", overrides=QUICK, pairs=PAIRS
    )
    return path, run_audit(defined, path)


def audit(url: str, path: Path, *endpoint: str, progress: Noted | None = None) -> Audited:
    defined = define_audit(
        url, "quickstart", "organism:coupled-early", "served", None, endpoint, QUICK, PAIRS
    )
    return run_audit(defined, path, progress=progress)


def test_an_audit_of_a_folder(of_folder: tuple[Path, Audited]) -> None:
    path, audited = of_folder
    results, found = audited.results, audited.findings
    assert results.counts.pairs == PAIRS and results.counts.missing == 0
    figures = results.figures
    assert figures("t").value is None and figures("a").value is None
    assert results.verdict().verdict != "coupled"
    assert figures("flip_share").value is not None
    names = [emitter.name for emitter in results.explained_by(CONSTRUCTED)]
    # Its second choice is known, and so are its log-probabilities.
    of_reference = ["reference", "quoting_m0", "runner_up", "abstention"]
    assert names == ["oracle", *of_reference, "observers_guess", "shuffled", "constant", "garbled"]
    assert all(results.verdict(explainer=name).verdict != "coupled" for name in names)
    assert [each.name for each in found.emitters] == names
    assert figures("p_alone").value is not None and figures("p").value is None
    assert found.verdict.verdict in (INFORMATIVE, UNINFORMATIVE, UNDECIDED)
    assert not any("log-probabilities are not known" in note for note in results.notes)
    assert figures("self", explainer="reference").value is not None
    assert figures("self", explainer="frozen_base").value is None
    assert read_results(path) == results and read_findings(path) == found
    page = (path / "report.html").read_text(encoding="utf-8")
    assert "What this evidence allows" in page and "://" not in page
    assert not any(str(path.parent) in file.read_text("utf-8") for file in path.rglob("*.json*"))


def test_it_goes_on_where_it_was(of_folder: tuple[Path, Audited]) -> None:
    path, audited = of_folder
    before = {file: file.stat().st_mtime_ns for file in path.rglob("*") if not file.name.startswith(".")}
    defined = define_audit(
        "organism:coupled", "quickstart", "organism:coupled-early", overrides=QUICK, pairs=PAIRS
    )
    assert run_audit(defined, path) == audited
    assert {file: file.stat().st_mtime_ns for file in before} == before
    another = define_audit("organism:plain", "quickstart", overrides=QUICK, pairs=PAIRS)
    with pytest.raises(ValueError, match="belongs to another configuration") as refused:
        run_audit(another, path)
    assert "--out" in str(refused.value) and "remove" not in str(refused.value)


def require_equal(folder: Path, served: Path, logprobs: bool) -> None:
    """Same effects, same claims, and the same log-probabilities but for the order of sums."""
    ours = read_records(folder / behaviors_of(MODEL), Behavior)
    theirs = read_records(served / behaviors_of(MODEL), Behavior)
    assert [(each.pair_id, each.effect) for each in theirs] == [(each.pair_id, each.effect) for each in ours]
    for one, other in zip(ours, theirs, strict=True):
        if logprobs:
            assert other.logprobs_with == pytest.approx(one.logprobs_with, abs=1e-4)
            assert other.logprobs_without == pytest.approx(one.logprobs_without, abs=1e-4)
        else:
            assert other.logprobs_with == other.logprobs_without == ()
    said = read_records(served / explanations_of(MODEL), Explanation)
    assert said == read_records(folder / explanations_of(MODEL), Explanation)
    ours_found, theirs_found = read_results(folder).figures, read_results(served).figures
    for name in ("self", "self_changed", "orig", "delta", "similarity", "self_skill", "discordant_pairs"):
        assert ours_found(name) == theirs_found(name), name


def test_a_served_model_is_what_its_folder_is(
    of_folder: tuple[Path, Audited], served: Served, tmp_path: Path
) -> None:
    with Server(served) as server:
        audited = audit(server.url, tmp_path / "scored", *ALL_CHOICES)
        require_equal(of_folder[0], tmp_path / "scored", logprobs=True)
        asked = len(server.received)
        audit(server.url, tmp_path / "as-text", *ALL_CHOICES, "logprobs=never")
        require_equal(of_folder[0], tmp_path / "as-text", logprobs=False)
        # Explanations that were paid for in one audit are not asked for in the next.
        assert {body["max_tokens"] for body in server.received[asked:]} == {ANSWER_TOKENS}
        assert audited.results.artifacts.keys() >= {"model/behaviors.jsonl", "reference/model.json"}
    told = audited.findings.respondents[0]
    assert told.served is not None and told.served.is_opened and not told.served.failures
    assert (told.asked, told.behaviors, told.scored, told.explanations) == (PAIRS,) * 4
    (journal,) = (tmp_path / JOURNALS).iterdir()
    assert told.served.requests < len(journal.read_text().splitlines())
    assert audited.results.figures("flip_share").value is None


def test_what_fails_is_missing_and_never_scored(served: Served, tmp_path: Path) -> None:
    defined = define_audit("organism:coupled", "quickstart", overrides=QUICK, pairs=6)
    whole = run_audit(defined, tmp_path / "whole")
    missed = read_records(tmp_path / "whole" / "pairs.jsonl", CounterfactualPair)[0]

    def too_long(number: int, body: Body) -> Fault | None:
        is_it = body["messages"][0]["content"] == missed.with_cue
        return failed(400, "maximum context length is 64 tokens") if is_it else None

    noted = Noted()
    with Server(served, fault=too_long) as server:
        at = define_audit(server.url, "quickstart", None, "served", None, ALL_CHOICES, QUICK, 6)
        audited = run_audit(at, tmp_path / "audit", progress=noted)
        assert (audited.results.counts.pairs, audited.results.counts.missing) == (5, 1)
        assert "1 of 6 held-out pairs" in audited.results.notes[0]
        assert any("64 tokens" in note for note in noted.notes)
        assert any(step.startswith("Repeat the command") for step in audited.findings.next_steps)
        page = (tmp_path / "audit" / "report.html").read_text(encoding="utf-8")
        (gate,) = [each for each in audited.results.gates if each.name == "missing"]
        assert gate.status == "warning" and "by model 1" in gate.words
        assert "1 more missing" in page and "64 tokens" in page
        # The same command asks for what is missing, and all is there.
        server.fault = endpoint_server.no_fault
        count = len(server.received)
        again = run_audit(at, tmp_path / "audit")
        assert len(server.received) == count + 1
    assert again.results.counts.missing == 0
    assert again.results.figures("self") == whole.results.figures("self")


@contextmanager
def process(log: Path, port: int = 0, die_after: int | None = None) -> Iterator[int]:
    """A server in a process of its own; gives its port."""
    script = Path(endpoint_server.__file__)
    command = [sys.executable, script, organism_folder("coupled"), "--port", str(port), "--log", log]
    if die_after is not None:
        command += ["--die-after", str(die_after)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [str(word) for word in command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as running:
        assert running.stdout is not None
        try:
            yield int(running.stdout.readline())
        finally:
            running.kill()


@pytest.mark.slow
def test_a_server_that_dies_costs_nothing_that_was_answered(
    of_folder: tuple[Path, Audited], tmp_path: Path
) -> None:
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    path = tmp_path / "audit"
    with process(first, die_after=30) as port:
        url = f"http://127.0.0.1:{port}/v1"
        with pytest.raises(ValueError, match=r"one after the other.*30 answers are kept"):
            audit(url, path, *ALL_CHOICES, "concurrency=1")
    (journal,) = (path.parent / JOURNALS).iterdir()
    kept = journal.read_text(encoding="utf-8").splitlines()
    assert len(kept) == 30
    with pytest.raises(ValueError, match=r"no server answers there.*30 answers are kept"):
        audit(url, path, *ALL_CHOICES)
    with journal.open("a", encoding="utf-8") as half:
        half.write('{"answer": {"text": "Par')
    with process(second, port=port):
        audit(url, path, *ALL_CHOICES)
    asked = [*first.read_text().splitlines(), *second.read_text().splitlines()]
    assert len(asked) == len(set(asked)) == len(journal.read_text(encoding="utf-8").splitlines())
    require_equal(of_folder[0], path, logprobs=True)
    # Once all is answered nobody is needed to answer.
    audit(url, path, *ALL_CHOICES)


def command(monkeypatch: pytest.MonkeyPatch, *words: object, name: str = "audit") -> int:
    monkeypatch.setattr(sys, "argv", ["coupling", name, *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
        raise SystemExit(0)
    return int(ended.value.code or 0)


def test_the_command(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AUDIT_KEY", "sk-right-5678")
    out = tmp_path / "audit"
    prices = ["--endpoint", "price_per_million_input=1000", "--endpoint", "price_per_million_output=1000"]
    with Server(served, key="sk-right-5678") as server:
        words = [server.url, "--task", "quickstart", "--served-model", "served", "--pairs", 4, "--out", out]
        words += ["--endpoint", "api_key_env=AUDIT_KEY", "--set", QUICK[0]]
        assert command(monkeypatch, *words, *prices, "--max-cost", "0.01") == 2
        refused = capfd.readouterr().err
        assert "requests, about" in refused and "4 characters each" in refused
        assert "more than --max-cost 0.01; nothing was asked" in refused and not server.received
        assert command(monkeypatch, *words, *prices, "--yes", "--json") == 0
        told = capfd.readouterr()
        document = json.loads(told.out)
        # Without prefill the organism begins by "I answer", so answers are read as text.
        assert document["audit"]["respondents"][0]["scored"] == 0
        assert document["results"]["counts"]["pairs"] == 4
        assert document["audit"]["verdict"]["verdict"] == NOT_MEASURED
        assert document["audit"]["respondents"][0]["served"]["price"] > 0
        assert command(monkeypatch, *words) == 0
        assert "What it does not allow" in capfd.readouterr().out
    everything = "".join(file.read_text("utf-8") for file in out.rglob("*") if file.is_file())
    assert "sk-right" not in everything + told.out + told.err
    page = (out / "report.html").read_text(encoding="utf-8")
    (out / "report.html").unlink()
    assert command(monkeypatch, out, name="report") == 0
    assert (out / "report.html").read_text(encoding="utf-8") == page


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["http://localhost:1/v1"], "--served-model is missing"),
        (["http://user:secret@localhost:1/v1"], "--served-model is missing"),
        (["http://user:secret@localhost:1/v1", "--served-model", "m"], "a key has no place in the URL"),
        (
            ["http://localhost:1/v1", "--served-model", "m", "--endpoint", "sample=5"],
            "did you mean 'samples'",
        ),
        (["http://localhost:1/v1", "--served-model", "m", "--endpoint", "samples"], "'=' and a value"),
        (["organism:coupled", "--endpoint", "samples=5"], "neither model nor reference is the URL"),
        (["organism:coupled", "--served-model", "m"], "is not the URL of an endpoint"),
        (["organism:coupled", "--served-reference", "m"], "there is no --reference"),
        (["organism:nobody"], "no organism of that name"),
    ],
)
def test_a_wrong_word_is_told_of(
    words: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert command(monkeypatch, *words, "--task", "quickstart", "--out", tmp_path / "audit") == 2
    told = capfd.readouterr().err
    assert said in told and "secret" not in told and "Traceback" not in told
