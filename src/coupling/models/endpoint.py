"""A sampler for models that somebody serves: the questions that a local model is asked, through chat
completions.

An answer is read from the log-probabilities of its first token, where the server gives them; they are
normalised over the pair's choices, when all of these are among the tokens shown. Else the answer is generated
as text and read for one of the choices. Explanations are generated greedily.

A question without an answer, because its request failed or because no choice could be read, has no behaviour:
the lists that are returned leave it out, and nothing may be scored in its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil

from coupling.config import EndpointConfig
from coupling.explanations.formats import ExplanationFormat, read_explanation
from coupling.models.completions import Completions, Request
from coupling.models.journal import Answer, Journal
from coupling.models.replies import Reply, majority, read_text, read_tokens
from coupling.models.sampling import explanation_message
from coupling.progress import Progress
from coupling.records import Behavior, CounterfactualPair, Effect, Explanation

CHARACTERS_A_TOKEN = 4
TOKENS_A_MESSAGE = 8
"""What a chat template adds. Both are a rule of thumb, for English and vocabularies of 100 000 tokens."""


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
    ) -> None:
        self.config = config
        self.max_new_tokens = max_new_tokens
        self.name = name
        self._journal = journal
        self.completions = Completions(config, journal, progress)
        self.unread = 0
        """Questions whose answer names no choice, or several."""
        self.used: dict[Request, Answer] = {}
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
        return [
            read_explanation(format, pair, answers[requests[pair.id]].text.strip())
            for pair in pairs
            if requests[pair.id] in answers
        ]

    def plan(self, pairs: Sequence[CounterfactualPair], format: ExplanationFormat) -> Plan:
        """What asking for behaviours and explanations of these pairs takes; asks nothing."""
        now, perhaps = [], list[Request]()
        for question in _questions(pairs):
            scoring, draws = self._scoring(question), self._draws(question)
            if self.config.logprobs == "never":
                now += draws
                continue
            now.append(scoring)
            answer = self._journal.get(scoring.key(self.config))
            if answer is None:
                perhaps += draws
            elif self._read(question, answer) is None:
                now += draws
        now += [self._explaining(pair, format) for pair in pairs]
        open_ = self._open(now)
        expected = self._load(open_)
        return Plan(
            expected=expected,
            at_most=expected + self._load(self._open(perhaps)),
            answered=len(set(now)) - len(open_),
        )

    def _replies(self, questions: Sequence[_Question]) -> dict[_Question, Reply]:
        """The answer to each question that has one."""
        replies: dict[_Question, Reply] = {}
        as_text = questions
        if self.config.logprobs == "auto" and questions and self._gives_logprobs(questions):
            scored = {question: self._scoring(question) for question in questions}
            answers = self._answers("answers", scored.values())
            answered = [question for question in questions if scored[question] in answers]
            for question in answered:
                reply = self._read(question, answers[scored[question]])
                if reply is not None:
                    replies[question] = reply
            as_text = [question for question in answered if question not in replies]
        return replies | self._texts(as_text)

    def _gives_logprobs(self, questions: Sequence[_Question]) -> bool:
        """Found out by the first question that is answered, so that not everything need be asked twice."""
        for question in questions:
            request = self._scoring(question)
            answer = self._answers("answers", [request]).get(request)
            if self.completions.refused_logprobs is not None:
                self.completions.failed.pop(request.key(self.config), None)
                said = f"it refuses them: {self.completions.refused_logprobs}"
            elif answer is None:
                continue
            elif answer.first:
                return True
            else:
                said = "it gives none"
            told = f"{self.name}: no log-probabilities ({said}); answers are read as text"
            self.completions.progress.note(told)
            return False
        return True

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
            read = [read_text(answers[each].text, question.choices, question.prefix) for each in requests]
            choice = majority([each for each in read if each is not None], question.choices)
            if choice is None:
                self.unread += 1
            else:
                replies[question] = Reply(choice, ())
        return replies

    def _answers(self, what: str, requests: Iterable[Request]) -> dict[Request, Answer]:
        answers = self.completions.answers(f"{self.name}: {what}", requests)
        self.used |= answers
        return answers

    def _read(self, question: _Question, answer: Answer) -> Reply | None:
        return read_tokens(answer.first, question.choices, self.config.prefill or not question.prefix)

    def _scoring(self, question: _Question) -> Request:
        return Request(self._messages(question), max_tokens=1, top_logprobs=self.config.top_logprobs)

    def _draws(self, question: _Question) -> list[Request]:
        messages, count = self._messages(question), self.config.samples
        temperature = 0.0 if count == 1 else 1.0
        return [Request(messages, self.config.answer_tokens, temperature, seed) for seed in range(count)]

    def _explaining(self, pair: CounterfactualPair, format: ExplanationFormat) -> Request:
        messages = (*self._system(), ("user", explanation_message(pair, format)))
        return Request(messages, self.max_new_tokens)

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
