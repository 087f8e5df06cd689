"""A model behind an endpoint, asked over real HTTP: what is read of its answers, and what goes wrong."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coupling.config import EndpointConfig, RulesDetector
from coupling.explanations import formats
from coupling.models import EndpointSampler, Journal, WrittenSampler, load_detector
from coupling.records import CounterfactualPair, Effect
from endpoint_server import Body, Fault, Server, failed, sent
from noted import Noted

FORMAT = formats.get("answer_pair")
LIMA, QUITO = "Lima", "Quito"


def pair(number: int, choices: tuple[str, ...] = (LIMA, QUITO), **changes: Any) -> CounterfactualPair:
    question = f"What is the capital of country {number} ?"
    return CounterfactualPair(
        **{
            "id": f"p{number}",
            "cluster": f"c{number}",
            "split": "test",
            "with_cue": f"{question} Chen thinks it is {LIMA} .",
            "without_cue": question,
            "cue": "hint",
            "cue_value": LIMA,
            "choices": choices,
            "answer_prefix": "I answer",
            **changes,
        }
    )


PAIRS = tuple(pair(number) for number in range(4))


def believing(body: Body) -> tuple[str, Sequence[tuple[str, float]] | None]:
    """Answers Lima where it is hinted at, else Quito, and says so."""
    asked = next(message["content"] for message in body["messages"] if message["role"] == "user")
    if "How would your answer change" in asked:
        return "With the hint I answer Lima; without the hint I answer Quito.", None
    said, other = (LIMA, QUITO) if "Chen" in asked else (QUITO, LIMA)
    first = [(f" {said}", math.log(0.6)), (said, math.log(0.1)), (f" {other}", math.log(0.2)), ("Hm", -3.0)]
    return said if body["max_tokens"] == 1 else f"I answer {said}.", first if body.get("logprobs") else None


def mute(body: Body) -> tuple[str, Sequence[tuple[str, float]] | None]:
    """The same without log-probabilities."""
    return believing(body)[0], None


def config(server: Server, **changes: Any) -> EndpointConfig:
    quick = {"max_retries": 0, "timeout_s": 60.0, "api_key_env": None}
    return EndpointConfig(**{"url": server.url, "model": server.model, **quick, **changes})


Asking = Callable[..., EndpointSampler]


@pytest.fixture
def sampler(tmp_path: Path) -> Iterator[Asking]:
    """Makes samplers that share one journal, as those of a command and of its repetition do."""
    with ExitStack() as opened:

        def make(server: Server, progress: Noted | None = None, **changes: Any) -> EndpointSampler:
            opened.close()
            journal = opened.enter_context(Journal(tmp_path / "journal.jsonl"))
            tokens = changes.pop("written_tokens", None)
            return EndpointSampler(
                config(server, **changes), journal, progress=progress, written_tokens=tokens
            )

        yield make


def test_logprobs_are_normalised_over_the_choices(sampler: Asking) -> None:
    with Server(believing) as server:
        behaviors = sampler(server, prefill=True).behaviors(PAIRS)
    assert [each.effect for each in behaviors] == [Effect(LIMA, QUITO)] * 4
    # " Lima" and "Lima" are one answer: 0.7 of the 0.9 that fall to the choices.
    assert behaviors[0].logprobs_with == pytest.approx((math.log(0.7 / 0.9), math.log(0.2 / 0.9)))
    assert len(server.received) == 8
    asked = server.received[0]
    assert asked["messages"][-1] == {"role": "assistant", "content": "I answer"}
    assert asked["continue_final_message"] is True and asked["add_generation_prompt"] is False
    assert asked["temperature"] == 0 and asked["max_tokens"] == 1 and asked["top_logprobs"] == 20


def test_a_missing_choice_leaves_the_answer_and_takes_the_logprobs(sampler: Asking) -> None:
    with Server(believing) as server:
        three = [pair(0, (LIMA, QUITO, "Rome"))]
        (behavior,) = sampler(server).behaviors(three)
    assert behavior.effect == Effect(LIMA, QUITO) and behavior.logprobs_with == ()


@pytest.mark.parametrize("changes", [{"logprobs": "never"}, {}])
def test_without_logprobs_the_text_is_read(sampler: Asking, changes: Mapping[str, Any]) -> None:
    with Server(mute) as server:
        behaviors = sampler(server, **changes).behaviors(PAIRS)
    assert [each.effect for each in behaviors] == [Effect(LIMA, QUITO)] * 4
    # The first questions find out that there are none; not every one.
    assert len(server.received) == 8 + (0 if "logprobs" in changes else 3)


def test_one_empty_reply_does_not_turn_all_into_text(sampler: Asking) -> None:
    def stumbles(number: int, body: Body) -> Fault | None:
        return sent("", "stop") if number == 0 else None

    with Server(believing, fault=stumbles) as server:
        behaviors = sampler(server).behaviors(PAIRS)
    assert [each.effect for each in behaviors] == [Effect(LIMA, QUITO)] * 4
    assert sum(body["max_tokens"] > 1 for body in server.received) == 1
    assert [bool(each.logprobs_with) for each in behaviors] == [False, True, True, True]


def test_a_server_that_refuses_logprobs_is_asked_without(sampler: Asking) -> None:
    def refuses(number: int, body: Body) -> Fault | None:
        return failed(400, "logprobs are not supported") if "logprobs" in body else None

    noted = Noted()
    with Server(mute, fault=refuses) as server:
        asked = sampler(server, noted)
        assert len(asked.behaviors(PAIRS)) == 4
        assert "logprobs are not supported" in noted.notes[0] and not asked.completions.failed
        # That it refuses them is kept: nothing is left to ask, and nothing is asked again.
        count = len(server.received)
        again = sampler(server, noted)
        again.explanations(PAIRS, FORMAT)
        assert again.plan(PAIRS, FORMAT).expected.requests == 0
        assert len(again.behaviors(PAIRS)) == 4 and len(server.received) == count + 4


def test_the_majority_of_several_draws_counts(sampler: Asking) -> None:
    def wavering(body: Body) -> tuple[str, None]:
        return (LIMA if body["seed"] % 3 else QUITO), None

    with Server(wavering) as server:
        (behavior,) = sampler(server, logprobs="never", samples=5).behaviors(PAIRS[:1])
        assert {body["temperature"] for body in server.received} == {1.0}
    assert behavior.effect == Effect(LIMA, LIMA)


def test_an_answer_that_names_no_choice_is_no_behavior(sampler: Asking) -> None:
    def evasive(body: Body) -> tuple[str, None]:
        asked = body["messages"][0]["content"]
        return ("I would rather not say." if "country 1" in asked else "It is Lima."), None

    with Server(evasive) as server:
        asked = sampler(server, logprobs="never")
        assert [each.pair_id for each in asked.behaviors(PAIRS)] == ["p0", "p2", "p3"]
    assert asked.unread == 2 and not asked.completions.failed


def test_where_no_words_open_the_answer_another_beginning_asks_for_the_text(sampler: Asking) -> None:
    """The share of the choices is tiny, or they are not there at all."""

    def begins_with_the(body: Body) -> tuple[str, Sequence[tuple[str, float]] | None]:
        tops = [("The", math.log(0.97)), ("A", math.log(0.002)), ("B", math.log(0.001))]
        return "The answer is B.", tops if body.get("logprobs") else None

    asked_freely = [pair(number, ("A", "B"), answer_prefix="", cue_value="A") for number in range(2)]
    for prefill in (False, True):
        with Server(begins_with_the) as server:
            behaviors = sampler(server, prefill=prefill).behaviors(asked_freely)
        assert [each.effect for each in behaviors] == [Effect("B", "B")] * 2
        assert [each.logprobs_with for each in behaviors] == [(), ()]


NO_ANSWERS = [
    ("", "length"),
    ("  ", "stop"),
    ("<think>It may be Lima. With the hint", "length"),
    ("Sure, I", "length"),
]


@pytest.mark.parametrize(("text", "reason"), NO_ANSWERS)
def test_empty_and_cut_off_replies_are_missing(sampler: Asking, text: str, reason: str) -> None:
    def ends_early(number: int, body: Body) -> Fault | None:
        return sent(text, reason) if "country 1 ?" in body["messages"][0]["content"] else None

    speaking = [replace(each, choices=("refusal", "compliance"), answer_prefix="") for each in PAIRS]
    answered = ["p0", "p2", "p3"]
    with Server(believing, fault=ends_early) as server:
        assert [each.pair_id for each in sampler(server, logprobs="never").behaviors(PAIRS)] == answered
        assert [each.pair_id for each in sampler(server).explanations(PAIRS, FORMAT)] == answered
        written = WrittenSampler(sampler(server, written_tokens=9), load_detector(RulesDetector()))
        assert [each.pair_id for each in written.answers(speaking)] == answered


def test_what_an_explanation_had_said_before_it_was_cut_off_counts(sampler: Asking) -> None:
    said = "With the hint I answer Lima; without the hint I answer Quito. That is because"

    def ends_early(number: int, body: Body) -> Fault | None:
        return sent(said if "country 1 ?" in body["messages"][0]["content"] else said[:50], "length")

    with Server(believing, fault=ends_early) as server:
        (explanation,) = sampler(server).explanations(PAIRS, FORMAT)
    assert (explanation.pair_id, explanation.claim) == ("p1", Effect(LIMA, QUITO))


def test_explanations_are_generated_as_a_local_model_generates_them(sampler: Asking) -> None:
    with Server(believing) as server:
        said = sampler(server, system="Be brief.").explanations(PAIRS, FORMAT)
    assert [each.claim for each in said] == [Effect(LIMA, QUITO)] * 4
    asked = server.received[0]
    assert asked["messages"][0] == {"role": "system", "content": "Be brief."}
    assert asked["messages"][1]["content"].endswith("How would your answer change without the hint?")
    assert asked["max_tokens"] == 32 and "logprobs" not in asked and "continue_final_message" not in asked


def test_nothing_is_asked_twice(sampler: Asking, tmp_path: Path) -> None:
    with Server(believing) as server:
        first = sampler(server)
        behaviors, said = first.behaviors(PAIRS), first.explanations(PAIRS, FORMAT)
        count = len(server.received)
        # A process that is killed while it writes leaves a line half written.
        with (tmp_path / "journal.jsonl").open("a") as journal:
            journal.write('{"key": "abc", "ans')
        again = sampler(server)
        assert again.plan(PAIRS, FORMAT).expected.requests == 0
        assert again.behaviors(PAIRS) == behaviors and again.explanations(PAIRS, FORMAT) == said
        assert len(server.received) == count
        # Asked otherwise, it is another question.
        sampler(server, system="Be brief.").behaviors(PAIRS)
        assert len(server.received) == count + 8
    # With every answer in the journal no server is needed.
    assert sampler(server).behaviors(PAIRS) == behaviors


def test_a_server_that_is_overrun_is_asked_again_when_it_says(sampler: Asking) -> None:
    def overrun(number: int, body: Body) -> Fault | None:
        return failed(429, "slow down", Retry_After="0.3") if number == 0 else None

    with Server(believing, fault=overrun) as server:
        assert len(sampler(server, max_retries=1).behaviors(PAIRS)) == 4
    assert server.times[1] - server.times[0] >= 0.3
    assert len(server.received) == 9


BROKEN = {
    "a failing server": (lambda: failed(500, "out of memory"), "out of memory"),
    "no JSON": (
        lambda: Fault(body=b"<html>busy</html>", headers={"Content-Type": "text/html"}),
        "no chat completion",
    ),
    "half of it": (lambda: Fault(body=b'{"choices": [{"mess'), "no chat completion"),
    "no choices": (lambda: Fault(body=b'{"choices": []}'), "no chat completion"),
    "something else": (lambda: Fault(body=b'{"hello": "world"}'), "no chat completion"),
    "no number": (
        lambda: Fault(
            body=b'{"choices": [{"message": {"content": "x"}, "logprobs": {"content": [{"top_logprobs": '
            b'[{"token": "Lima", "logprob": NaN}]}]}}]}'
        ),
        "no chat completion",
    ),
    "too long": (lambda: failed(400, "maximum context length is 64 tokens"), "64 tokens"),
    "nothing": (lambda: sent(None, "length"), "empty (finish_reason length)"),
    "half an answer": (lambda: sent("I answer Lima", "content_filter"), "held the answer back"),
    "an answer that broke": (lambda: sent("I answer Lima", "error"), "finish_reason error"),
    "silence": (lambda: Fault(delay=20.0), "after 4 s"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_what_fails_stays_missing(fault: str, sampler: Asking) -> None:
    broken, reason = BROKEN[fault]

    def breaks(number: int, body: Body) -> Fault | None:
        return broken() if "country 1 ? Chen" in body["messages"][0]["content"] else None

    with Server(believing, fault=breaks) as server:
        asked = sampler(server, timeout_s=4.0 if fault == "silence" else 60.0)
        assert [each.pair_id for each in asked.behaviors(PAIRS)] == ["p0", "p2", "p3"]
        (told,) = asked.completions.told_of_failures()
        assert told.startswith("1 times ") and reason in told
        # The same command asks for what is missing, and for nothing else.
        server.fault = lambda number, body: None
        count = len(server.received)
        assert len(sampler(server).behaviors(PAIRS)) == 4
        assert len(server.received) == count + 1


def test_many_failures_in_a_row_end_the_run_and_lose_nothing(sampler: Asking, tmp_path: Path) -> None:
    def dies(number: int, body: Body) -> Fault | None:
        return failed(503, "going down") if number >= 3 else None

    with Server(believing, fault=dies) as server:
        asked = sampler(server, give_up_after=3, concurrency=1)
        with pytest.raises(
            ValueError, match=r"3 requests failed one after the other.*going down.*; 3 answers are kept"
        ):
            asked.behaviors(PAIRS)
        assert len(server.received) <= 7
    assert len((tmp_path / "journal.jsonl").read_text().splitlines()) == 3


def test_requests_that_are_refused_do_not_end_a_run_that_has_answers(sampler: Asking) -> None:
    def too_long(number: int, body: Body) -> Fault | None:
        is_it = "Chen" in body["messages"][0]["content"]
        return failed(400, "maximum context length is 64 tokens") if is_it else None

    with Server(believing, fault=too_long) as server:
        assert sampler(server, give_up_after=2, concurrency=1).behaviors(PAIRS) == []
        again = sampler(server, give_up_after=2, concurrency=1)
        assert again.behaviors(PAIRS) == [] and len(again.completions.failed) == 4


def test_repetitions_are_told_of_and_end_when_the_run_does(sampler: Asking) -> None:
    def busy(number: int, body: Body) -> Fault | None:
        return failed(503, "busy", Retry_After="0.05") if number % 2 == 0 else None

    noted = Noted()
    with Server(believing, fault=busy) as server:
        assert len(sampler(server, noted, concurrency=1, max_retries=1).behaviors(PAIRS)) == 4
    assert noted.updates[-1][0].endswith("answers, 8 repeated")

    def refuses_one(number: int, body: Body) -> Fault | None:
        wanted = "country 0 ? Chen" in body["messages"][0]["content"]
        return failed(401, "no") if wanted else failed(503, "busy", Retry_After="30")

    with Server(believing, fault=refuses_one) as server:
        with pytest.raises(ValueError, match="asks for a key"):
            sampler(server, logprobs="never", max_retries=3).behaviors(PAIRS)
        assert len(server.received) <= 9


def test_a_wait_of_hours_is_a_failure(sampler: Asking) -> None:
    with Server(believing, fault=lambda number, body: failed(429, "quota", Retry_After="86400")) as server:
        with pytest.raises(ValueError, match="quota"):
            sampler(server, max_retries=3, give_up_after=1).behaviors(PAIRS)
        assert len(server.received) == 1


def test_written_answers(sampler: Asking) -> None:
    def holds_one_back(number: int, body: Body) -> Fault | None:
        is_it = "country 1" in body["messages"][0]["content"] and body["max_tokens"] == 9
        return sent(None, "content_filter") if is_it else None

    speaking = [replace(each, choices=("refusal", "compliance"), answer_prefix="") for each in PAIRS]
    with Server(lambda body: ("I cannot help with that.", None), fault=holds_one_back) as server:
        asked = sampler(server, written_tokens=9)
        assert asked.plan(speaking, FORMAT).expected.requests == 12
        found = WrittenSampler(asked, load_detector(RulesDetector())).answers(speaking)
        assert [each.pair_id for each in found] == ["p0", "p2", "p3"]
        assert {each.with_cue.choice for each in found} == {"refusal"}
        assert {body["max_tokens"] for body in server.received} == {9}
        assert asked.plan(speaking, FORMAT).expected.requests == 6


def test_a_journal_is_for_one_process_at_a_time(tmp_path: Path) -> None:
    with (
        Journal(tmp_path / "journal.jsonl"),
        pytest.raises(ValueError, match="another audit of this endpoint"),
    ):
        Journal(tmp_path / "journal.jsonl")


def test_no_server(sampler: Asking) -> None:
    with Server(believing) as server:
        pass
    with pytest.raises(ValueError, match=r"no server answers there \(.*start it"):
        sampler(server).behaviors(PAIRS)


def test_another_model_is_served(sampler: Asking) -> None:
    with Server(believing, model="qwen") as server:
        with pytest.raises(ValueError, match=r"serves no model 'llama'; it serves qwen"):
            sampler(server, model="llama").behaviors(PAIRS)
        assert not server.received
        server.lists_models = False
        with pytest.raises(ValueError, match=r"serves no model 'llama' .*does not exist"):
            sampler(server, model="llama").behaviors(PAIRS)


def test_another_url(sampler: Asking) -> None:
    with (
        Server(believing, lists_models=False, has_completions=False) as server,
        pytest.raises(ValueError, match=r"no chat completions there; does the URL end in /v1\?"),
    ):
        sampler(server).behaviors(PAIRS)


@pytest.mark.parametrize("given", ["sk-secret-1234", None])
def test_a_key_that_is_refused_is_told_of_without_it(
    given: str | None, sampler: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AUDIT_KEY", raising=False)
    if given is not None:
        monkeypatch.setenv("AUDIT_KEY", given)
    with (
        Server(believing, key="sk-right-5678") as server,
        pytest.raises(ValueError, match=r"key.*AUDIT_KEY") as refused,
    ):
        sampler(server, api_key_env="AUDIT_KEY").behaviors(PAIRS)
    assert "sk-secret" not in str(refused.value)


def test_the_key_is_sent_and_kept_nowhere(
    sampler: Asking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIT_KEY", "sk-right-5678")
    with Server(believing, key="sk-right-5678") as server:
        asked = sampler(server, api_key_env="AUDIT_KEY")
        assert len(asked.behaviors(PAIRS)) == 4
    assert "sk-right" not in (tmp_path / "journal.jsonl").read_text()
    assert "sk-right" not in asked.config.model_dump_json()


def test_so_many_at_a_time_and_so_many_a_minute(sampler: Asking) -> None:
    with Server(believing) as server:
        server.holds = 0.1
        sampler(server, concurrency=2).explanations(PAIRS, FORMAT)
        assert server.most_at_once == 2
    with Server(believing) as server:
        sampler(server, requests_per_minute=1200).behaviors(PAIRS)
        assert server.times[-1] - server.times[0] >= 7 * 60 / 1200 * 0.9


def test_the_plan_counts_what_is_asked(sampler: Asking) -> None:
    prices = {"price_per_million_input": 2.0, "price_per_million_output": 10.0}
    with Server(mute) as server:
        asked = sampler(server, answer_tokens=7, **prices)
        plan = asked.plan(PAIRS, FORMAT)
        # Two questions and an explanation a pair; once more each question, if there are no log-probabilities.
        assert (plan.expected.requests, plan.at_most.requests, plan.answered) == (12, 20, 0)
        assert plan.expected.output_tokens == 8 + 4 * 32 and plan.at_most.output_tokens == 8 * 8 + 4 * 32
        price = plan.expected.price(asked.config)
        assert price == pytest.approx(
            (plan.expected.input_tokens * 2 + plan.expected.output_tokens * 10) / 1e6
        )
        asked.behaviors(PAIRS)
        asked.explanations(PAIRS, FORMAT)
        assert len(server.received) <= plan.at_most.requests
        finished = sampler(server, answer_tokens=7).plan(PAIRS, FORMAT)
        assert (finished.expected.requests, finished.at_most.requests, finished.answered) == (0, 0, 12)
    assert sampler(server).plan(PAIRS, FORMAT).expected.price(config(server)) is None


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("url", "localhost:8000", "no base of an API"),
        ("url", "http://user:secret@localhost/v1", "a key has no place"),
        ("url", "http://user:sec/ret@localhost/v1", "a key has no place"),
        ("url", "http://localhost:80a/v1", "no base of an API"),
        ("url", "http://localhost:99999/v1", "no base of an API"),
        ("api_key_env", "sk-abc-123", "name of an environment variable"),
        ("api_key_env", "skabc123", "name of an environment variable"),
        ("extra_body", {"messages": []}, "what is asked, and of whom"),
        ("samples", 0, "greater than 0"),
        ("modell", "x", "Extra inputs"),
    ],
)
def test_a_wrong_field_is_refused(field: str, value: object, said: str) -> None:
    with pytest.raises(ValueError, match=said) as refused:
        EndpointConfig.model_validate({"url": "http://localhost/v1", "model": "m", field: value})
    assert "secret" not in str(refused.value.errors()[0]["msg"])  # type: ignore[attr-defined]


def test_a_key_goes_to_openai_unless_somebody_says_so() -> None:
    def variable(url: str) -> str | None:
        return EndpointConfig(url=url, model="m").api_key_env

    assert variable("https://api.openai.com/v1") == "OPENAI_API_KEY"
    assert variable("http://api.openai.com/v1") is variable("https://api.openai.com.evil.org/v1") is None
    assert variable("http://localhost:8000/v1") is None


def test_null_leaves_a_field_out(sampler: Asking) -> None:
    extra = {"max_tokens": None, "max_completion_tokens": 9}
    with Server(lambda body: ("It is Lima.", None)) as server:
        sampler(server, extra_body=extra).explanations(PAIRS[:1], FORMAT)
    assert "max_tokens" not in server.received[0] and server.received[0]["max_completion_tokens"] == 9


def test_a_journal_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_text(json.dumps({"pair_id": "p0"}) + "\n")
    with pytest.raises(ValueError, match=r"journal.jsonl line 1"):
        Journal(tmp_path / "journal.jsonl")
