"""A sampler for models that somebody serves: the questions that a local model is asked, through chat
completions.

An answer is read from the log-probabilities of its first token, where the server gives them; they are
normalised over the pair's choices, when all of these are among the tokens shown. Else the answer is generated
as text and read for one of the choices. Explanations are generated greedily, and so is what is written where
behaviour is (`WrittenSampler`).

A question without an answer, because its request failed, its text is empty or was cut off before it came to
one, or no choice could be read, has no behaviour, and a pair none of whose claims was written out has no
explanation: the lists that are returned leave it out, and nothing may be scored in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from coupling.answers import Written
from coupling.config import EndpointConfig
from coupling.explanations.formats import ExplanationFormat, read_explanation
from coupling.models.completions import Completions, Request
from coupling.models.journal import Answer, Journal
from coupling.models.named_choice import read_text
from coupling.models.replies import Reply, majority, read_tokens
from coupling.models.sampling import explanation_message
from coupling.progress import Progress
from coupling.records import Behavior, CounterfactualPair, Effect, Explanation
from coupling.thoughts import less_thoughts

CHARACTERS_A_TOKEN = 4
TOKENS_A_MESSAGE = 8
"""What a chat template adds. Both are a rule of thumb, for English and vocabularies of 100 000 tokens."""
_FIRST_LOOKS = 3
"""Questions by which it is found out whether there are log-probabilities; one alone may come back empty."""


@dataclass(frozen=True, slots=True)
class Load:
    """What asking costs, before it has been asked: characters / 4 + 8 a message, and answers as long as they
    may be."""

    requests: int
    input_tokens: int
    output_tokens: int

    def __add__(self, other: Load) -> Load:
        return Load(
            self.requests + other.requests,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
        )

    def price(self, config: EndpointConfig) -> float | None:
        """In the currency of the prices; None where one is not known."""
        per_input, per_output = config.price_per_million_input, config.price_per_million_output
        if per_input is None or per_output is None:
            return None
        return (self.input_tokens * per_input + self.output_tokens * per_output) / 1e6


@dataclass(frozen=True, slots=True)
class Plan:
    """What is still to be asked."""

    expected: Load
    at_most: Load
    """If the server gives no log-probabilities, so that answers are asked for again as text."""
    answered: int
    """Requests that were answered before."""
    journal: Path
    """Where their answers are kept."""


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked for a behaviour; several pairs may share it."""

    message: str
    prefix: str
    choices: tuple[str, ...]


class EndpointSampler:
    """Samples a model behind an endpoint.

    Args:
        journal: where answers are kept, and looked for before anything is asked.
        max_new_tokens: where generation of an explanation is cut off.
        written_tokens: where a written answer is; None where behaviours are choices.

    Raises (from its methods):
        ValueError: as `Completions`.
    """

    def __init__(
        self,
        config: EndpointConfig,
        journal: Journal,
        max_new_tokens: int = 32,
        progress: Progress | None = None,
        name: str = "the endpoint",
        written_tokens: int | None = None,
    ) -> None:
        self.config = config
        self.max_new_tokens, self.written_tokens = max_new_tokens, written_tokens
        self.name = name
        self._journal = journal
        self.completions = Completions(config, journal, progress)
        self.unread = 0
        """Replies that come to nothing: they name no choice, or several, or end before they do."""
        self.answers_used: dict[Request, Answer] = {}
        """Every answer that was asked for or found in the journal."""

    def behaviors(self, pairs: Sequence[CounterfactualPair]) -> list[Behavior]:
        """The behaviour on each pair that has one, in the order given."""
        replies = self._replies(_questions(pairs))
        behaviors = []
        for pair in pairs:
            with_cue, without_cue = (replies.get(question) for question in _questions([pair]))
            if with_cue is not None and without_cue is not None:
                effect = Effect(with_cue.choice, without_cue.choice)
                behaviors.append(Behavior(pair.id, effect, with_cue.logprobs, without_cue.logprobs))
        return behaviors

    def explanations(
        self, pairs: Sequence[CounterfactualPair], format: ExplanationFormat
    ) -> list[Explanation]:
        """The explanation of each pair that has one, in the order given."""
        requests = {pair.id: self._explaining(pair, format) for pair in pairs}
        answers = self._answers("explanations", requests.values())
        said = []
        for pair in pairs:
            answer = answers.get(requests[pair.id])
            if answer is None:
                continue
            read = read_explanation(format, pair, answer.text.strip(), answer.is_cut_off)
            if read.claim is None and (answer.is_cut_off or not (less_thoughts(answer.text) or "").strip()):
                self.unread += 1
            else:
                said.append(read)
        return said

    def written(self, messages: Sequence[str], advance: Callable[[int], None]) -> list[Written | None]:
        """What is written when it is told each message; None where there is no answer."""
        requests = [self._writing(message) for message in messages]
        answers = self._answers("written answers", requests)
        advance(len(messages))
        written = [
            Written(answers[each].text, answers[each].is_cut_off) if each in answers else None
            for each in requests
        ]
        self.unread += sum(each is not None and each.answer is None for each in written)
        return written

    def plan(self, pairs: Sequence[CounterfactualPair], format: ExplanationFormat) -> Plan:
        """What asking for behaviours and explanations of these pairs takes; asks nothing."""
        questions = _questions(pairs)
        now, if_no_logprobs = self._planned(questions)
        now += [self._explaining(pair, format) for pair in pairs]
        open_ = self._open(now)
        expected = self._load(open_)
        return Plan(
            expected=expected,
            at_most=expected + self._load(self._open(if_no_logprobs)),
            answered=len(set(now)) - len(open_),
            journal=self._journal.path,
        )

    def _planned(self, questions: Sequence[_Question]) -> tuple[list[Request], list[Request]]:
        """What is asked for behaviours in any case, and what only if there are no log-probabilities."""
        if self.written_tokens is not None:
            return [self._writing(question.message) for question in questions], []
        now, if_no_logprobs = list[Request](), list[Request]()
        gives_logprobs = self.config.logprobs == "auto" and self._has_given_logprobs(questions)
        for question in questions:
            scoring, draws = self._scoring(question), self._draws(question)
            answer = self._journal.get(scoring.key(self.config))
            if gives_logprobs is False:
                now += draws
            elif answer is None and self._journal.refused(scoring.key(self.config)) is None:
                now.append(scoring)
                if_no_logprobs += draws
            else:
                now.append(scoring)
                now += draws if answer is None or self._read(question, answer) is None else []
        return now, if_no_logprobs

    def _replies(self, questions: Sequence[_Question]) -> dict[_Question, Reply]:
        """The answer to each question that has one."""
        replies: dict[_Question, Reply] = {}
        as_text = questions
        if self.config.logprobs == "auto" and questions and self._gives_logprobs(questions):
            scored = {question: self._scoring(question) for question in questions}
            answers = self._answers("answers", scored.values())
            for question in questions:
                answer = answers.get(scored[question])
                reply = None if answer is None else self._read(question, answer)
                if reply is not None:
                    replies[question] = reply
            failed = self.completions.failed
            as_text = [
                question
                for question in questions
                if question not in replies and scored[question].key(self.config) not in failed
            ]
        return replies | self._texts(as_text)

    def _gives_logprobs(self, questions: Sequence[_Question]) -> bool:
        """Found out by the first questions that are answered, so that not everything need be asked twice."""
        for question in questions[: 2 * _FIRST_LOOKS]:
            if self._has_given_logprobs(questions) is not None:
                break
            self._answers("answers", [self._scoring(question)])
        if self._has_given_logprobs(questions) is not False:
            return True
        told = f"{self.name}: no log-probabilities ({self._why_none(questions)}); answers are read as text"
        self.completions.progress.note(told)
        return False

    def _has_given_logprobs(self, questions: Sequence[_Question]) -> bool | None:
        """As far as the journal tells; None where it does not."""
        keys = [self._scoring(question).key(self.config) for question in questions]
        answers = [answer for key in keys if (answer := self._journal.get(key)) is not None]
        if any(answer.first for answer in answers):
            return True
        is_refused = any(self._journal.refused(key) is not None for key in keys)
        if is_refused or len(answers) >= min(_FIRST_LOOKS, len(questions)):
            return False
        return None

    def _why_none(self, questions: Sequence[_Question]) -> str:
        reasons = (self._journal.refused(self._scoring(question).key(self.config)) for question in questions)
        reason = next((each for each in reasons if each is not None), None)
        return "it gives none" if reason is None else f"it refuses them: {reason}"

    def _texts(self, questions: Sequence[_Question]) -> dict[_Question, Reply]:
        """The same from generated text; of several draws the majority."""
        if not questions:
            return {}
        draws = {question: self._draws(question) for question in questions}
        answers = self._answers("answers as text", [each for of_one in draws.values() for each in of_one])
        replies = {}
        for question, requests in draws.items():
            if any(request not in answers for request in requests):
                continue
            found = [answers[each] for each in requests]
            read = [
                read_text(each.text, question.choices, question.prefix, each.is_cut_off) for each in found
            ]
            choice = majority([each for each in read if each is not None], question.choices)
            if choice is None:
                self.unread += 1
            else:
                replies[question] = Reply(choice, ())
        return replies

    def _answers(self, what: str, requests: Iterable[Request]) -> dict[Request, Answer]:
        answers = self.completions.answers(f"{self.name}: {what}", requests)
        self.answers_used |= answers
        return answers

    def _read(self, question: _Question, answer: Answer) -> Reply | None:
        is_opened = self.config.prefill and question.prefix != ""
        return read_tokens(answer.first, question.choices, is_opened)

    def _scoring(self, question: _Question) -> Request:
        return Request(self._messages(question), max_tokens=1, top_logprobs=self.config.top_logprobs)

    def _draws(self, question: _Question) -> list[Request]:
        messages, count = self._messages(question), self.config.samples
        temperature = 0.0 if count == 1 else 1.0
        return [Request(messages, self.config.answer_tokens, temperature, seed) for seed in range(count)]

    def _explaining(self, pair: CounterfactualPair, format: ExplanationFormat) -> Request:
        messages = (*self._system(), ("user", explanation_message(pair, format)))
        return Request(messages, self.max_new_tokens)

    def _writing(self, message: str) -> Request:
        assert self.written_tokens is not None
        return Request((*self._system(), ("user", message)), self.written_tokens)

    def _messages(self, question: _Question) -> tuple[tuple[str, str], ...]:
        asked = (*self._system(), ("user", question.message))
        opened = self.config.prefill and question.prefix
        return (*asked, ("assistant", question.prefix)) if opened else asked

    def _system(self) -> tuple[tuple[str, str], ...]:
        return () if self.config.system is None else (("system", self.config.system),)

    def _open(self, requests: Iterable[Request]) -> list[Request]:
        """Those that are not answered yet, each once."""
        return [each for each in dict.fromkeys(requests) if self._journal.get(each.key(self.config)) is None]

    def _load(self, requests: Sequence[Request]) -> Load:
        texts = [text for request in requests for _, text in request.messages]
        characters = sum(len(text) for text in texts)
        return Load(
            requests=len(requests),
            input_tokens=ceil(characters / CHARACTERS_A_TOKEN) + TOKENS_A_MESSAGE * len(texts),
            output_tokens=sum(request.max_tokens for request in requests),
        )


def _questions(pairs: Sequence[CounterfactualPair]) -> list[_Question]:
    """Both questions of each pair, with the cue first; each once."""
    return list(
        dict.fromkeys(
            _Question(message, pair.answer_prefix, pair.choices)
            for pair in pairs
            for message in (pair.with_cue, pair.without_cue)
        )
    )
