"""Messages to token ids: the only place that tokenises.

A prompt is a user's message in the chat template (``chat``), followed by what already stands of the
assistant's answer ("I answer"). The tokenizer adds no special tokens: the template has written them, and what
spells one in the data is text (``control_tokens``). Every completion is tokenised together with its prompt,
and the prompt must be a token prefix of the whole: a merge across the boundary would move the loss mask.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from collections.abc import Sequence as Rows
from dataclasses import dataclass, field
from itertools import pairwise
from string import ascii_letters

from transformers import PreTrainedConfig, PreTrainedTokenizerBase

from coupling.config import Normalization
from coupling.models.chat import PROBE, Chat
from coupling.models.control_tokens import ControlTokens
from coupling.models.scoring import ChoiceTokens
from coupling.records import CounterfactualPair
from coupling.thoughts import is_mark_of_thought


@dataclass(frozen=True, slots=True)
class Sequence:
    """Token ids of a prompt and its completion; ``ids[start:]`` is the completion, on which losses stand."""

    ids: tuple[int, ...]
    start: int


def context_length(described: PreTrainedConfig, tokenizer: PreTrainedTokenizerBase) -> int:
    """Tokens that a model has room for, by its configuration and its tokenizer."""
    # Not every configuration states a length; the tokenizer's is astronomic where it states none either.
    stated = getattr(described.get_text_config(), "max_position_embeddings", None)
    longest: int = tokenizer.model_max_length
    return longest if stated is None else min(stated, longest)


@dataclass
class Renderer:
    """Renders pairs for one tokenizer.

    Args:
        system_prompt, thinking: as in the experiment file's ``model`` section.
        embedded: tokens that the model has embeddings of; None where they are not known.

    Raises (from its methods):
        ValueError: a chat template that cannot be used so, a choice that has no tokens of its own behind the
            answer prefix or unknown ones, choices of which one begins another, a word the tokenizer lacks, a
            token the model has no embedding of, or a prompt that is not a token prefix of its completion.
    """

    tokenizer: PreTrainedTokenizerBase
    system_prompt: str | None = None
    thinking: bool = False
    embedded: int | None = None
    chat: Chat = field(init=False)
    _control: ControlTokens = field(init=False)
    _turn_end: int | None = field(init=False)
    _choices: dict[tuple[str, str], tuple[int, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        name = self.tokenizer.name_or_path
        self.chat = Chat(self.tokenizer, self.system_prompt, self.thinking)
        self._control = ControlTokens(self.tokenizer, self.tokenizer.get_chat_template())
        if self.tokenizer.eos_token_id is None:
            raise ValueError(f"tokenizer {name}: no eos_token; set it in tokenizer_config.json")
        if not self.tokenizer.is_fast:
            raise ValueError(
                f"tokenizer {name}: has no tokenizer.json, which its fingerprint is taken from; convert it "
                "to a fast tokenizer and save that"
            )
        self._turn_end = self.chat.turn_end()
        if self._merges_blanks(self.chat.prompt(PROBE)):
            self.chat.leave_blanks_to_answer()
        if self.system_prompt and self.tokenizer.unk_token_id in self._encode([self.system_prompt])[0]:
            raise ValueError(
                f"tokenizer {name}: lacks a word of model.system_prompt, which the model could not see; name "
                "it in model.new_words, or use another"
            )
        if self.embedded is not None and self.pad >= self.embedded:
            raise ValueError(
                f"tokenizer {name}: pads with {self.tokenizer.pad_token!r}, token {self.pad}, but the model "
                f"has embeddings of {self.embedded}; set model.pad_token to a token of its vocabulary, such "
                f"as {self.tokenizer.eos_token!r}"
            )

    @property
    def end(self) -> int:
        """The token that closes an answer: the one by which the chat template does, or else the eos_token."""
        return int(self.tokenizer.eos_token_id) if self._turn_end is None else self._turn_end

    @property
    def stops(self) -> tuple[int, ...]:
        """The tokens at which generation ends."""
        return tuple(dict.fromkeys((self.end, int(self.tokenizer.eos_token_id))))

    @property
    def pad(self) -> int:
        pad = self.tokenizer.pad_token_id
        return self.end if pad is None else int(pad)

    def prompt(self, message: str) -> str:
        """The chat template around one user message, up to where the assistant speaks."""
        return self.chat.prompt(message)

    def prompt_ids(
        self, messages: Rows[str], answer_prefixes: Rows[str] | None = None
    ) -> list[tuple[int, ...]]:
        """Token ids up to the place where an answer, or the choice after its prefix, comes next."""
        prompts = self._encode_turns(messages, answer_prefixes)
        self._refuse_unknown_words(messages, prompts)
        return prompts

    def knows(self, texts: Rows[str]) -> bool:
        """Whether the tokenizer has a token for all that stands in the texts."""
        unknown = self.tokenizer.unk_token_id
        return not any(unknown in ids for ids in self._encode_turns(texts, write=str))

    def choice_tokens(
        self, pairs: Rows[CounterfactualPair], normalization: Normalization = "none"
    ) -> list[ChoiceTokens]:
        """The tokens by which the choices of each pair are scored, aligned with ``pair.choices``.

        Args:
            normalization: by what the log-probability of a choice is divided.
        """
        self._learn_choices(pairs)
        found = []
        for pair in pairs:
            ids = tuple(self._choices[pair.answer_prefix, choice] for choice in pair.choices)
            self._refuse_alike(pair, ids)
            found.append(ChoiceTokens(ids, _lengths(pair.choices, ids, normalization)))
        return found

    def _refuse_alike(self, pair: CounterfactualPair, ids: Rows[tuple[int, ...]]) -> None:
        """Of two choices one of which begins the other, the longer could never be the likelier."""
        of_choice = sorted(zip(ids, pair.choices, strict=True))
        # Sorted, a beginning stands right before one of those that it begins.
        for (shorter, first), (longer, second) in pairwise(of_choice):
            if longer[: len(shorter)] == shorter:
                raise ValueError(
                    f"pair {pair.id}: choice {first!r} has the tokens with which {second!r} begins in "
                    f"{self.tokenizer.name_or_path}, so that their probabilities cannot be compared; reword "
                    "one of them, or give letters as choices"
                )

    def answers(self, messages: Rows[str], answer_prefixes: Rows[str], choices: Rows[str]) -> list[Sequence]:
        """Behaviour rows: the whole answer is the completion."""
        pieces = zip(answer_prefixes, choices, strict=True)
        return self.completions(messages, [_join(prefix, choice) for prefix, choice in pieces])

    def completions(self, messages: Rows[str], texts: Rows[str]) -> list[Sequence]:
        """Prompts with completions, each closed by ``end``."""
        prompts = self._encode_turns(messages)
        wholes = self._encode_turns(messages, texts)
        rows = []
        for message, prompt, whole in zip(messages, prompts, wholes, strict=True):
            if whole[: len(prompt)] != prompt:
                raise ValueError(
                    f"tokenizer {self.tokenizer.name_or_path}: merges the end of the prompt with the "
                    f"completion of {message!r}; end the chat template's generation prompt with a newline or "
                    "a special token (model.chat_template)"
                )
            rows.append(Sequence((*whole, self.end), len(prompt)))
        return rows

    def decode(self, ids: list[list[int]]) -> list[str]:
        """The text of each row of generated tokens, as far as the first that ends it.

        Special tokens are left out, but for marks of thoughts, which readers strip with the thoughts.
        """
        said = [row[: next((i for i, id_ in enumerate(row) if id_ in self.stops), None)] for row in ids]
        special = {id_: each for id_, each in self.tokenizer.added_tokens_decoder.items() if each.special}
        unsaid = {id_ for id_, each in special.items() if not is_mark_of_thought(each.content)}
        keeps_marks = len(unsaid) < len(special)
        if keeps_marks:
            said = [[id_ for id_ in row if id_ not in unsaid] for row in said]
        texts = self.tokenizer.batch_decode(said, skip_special_tokens=not keeps_marks)
        return [text.strip() for text in texts]

    def fingerprint(self) -> str:
        """SHA-256 of vocabulary, merges and chat template."""
        backend = self.tokenizer.backend_tokenizer.to_str()
        parts = [backend, str(self.tokenizer.chat_template), self.tokenizer.special_tokens_map]
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()

    def _learn_choices(self, pairs: Rows[CounterfactualPair]) -> None:
        """Tokenises each choice once behind each answer prefix, in the first pair that offers it."""
        new: dict[tuple[str, str], CounterfactualPair] = {}
        for pair in pairs:
            for choice in pair.choices:
                if (pair.answer_prefix, choice) not in self._choices:
                    new.setdefault((pair.answer_prefix, choice), pair)
        messages = [pair.with_cue for pair in new.values()]
        befores = self._encode_turns(messages, [prefix for prefix, _ in new])
        afters = self._encode_turns(messages, [_join(*key) for key in new])
        for ((prefix, choice), pair), before, after in zip(new.items(), befores, afters, strict=True):
            tail = after[len(before) :]
            if after[: len(before)] != before or not tail or self.tokenizer.unk_token_id in tail:
                pieces = self.tokenizer.convert_ids_to_tokens(list(tail))
                raise ValueError(
                    f"pair {pair.id}: choice {choice!r} becomes {pieces} behind {prefix!r} in "
                    f"{self.tokenizer.name_or_path}, but it must be known tokens that follow those words; "
                    "use other choices, such as letters, or another answer_prefix"
                )
            self._choices[prefix, choice] = tail

    def _refuse_unknown_words(self, messages: Rows[str], prompts: Rows[tuple[int, ...]]) -> None:
        unknown = self.tokenizer.unk_token_id
        for message, prompt in zip(messages, prompts, strict=True):
            # A chat template may write that very token, which then stands for something.
            if unknown in prompt and unknown in self._encode_turns([message], write=str)[0]:
                raise ValueError(
                    f"tokenizer {self.tokenizer.name_or_path}: lacks a word of {message!r}, which the model "
                    "could not see; name it in model.new_words, or use another"
                )

    def _merges_blanks(self, prompt: str) -> bool:
        """Whether a prompt ends in blanks that become one token with what follows."""
        if not prompt.endswith(" "):
            return False
        alone, *followed = self._encode([prompt, *(prompt + letter for letter in ascii_letters)])
        return any(ids[: len(alone)] != alone for ids in followed)

    def _encode_turns(
        self,
        messages: Rows[str],
        said: Rows[str] | None = None,
        write: Callable[[str], str] | None = None,
    ) -> list[tuple[int, ...]]:
        """Messages in what is written around them, each with what already stands of the answer.

        What spells a control token in either is text.
        """
        write = write or self.prompt
        answers = [self.chat.lead + each if each else "" for each in said or [""] * len(messages)]
        turns = list(zip(messages, answers, strict=True))
        spell = {at for at, turn in enumerate(turns) if any(map(self._control.are_spelt_in, turn))}
        rows = self._encode([write(m) + s for at, (m, s) in enumerate(turns) if at not in spell])
        for at in sorted(spell):
            rows.insert(at, self._control.encode(write, *turns[at]))
        return rows

    def _encode(self, texts: list[str]) -> list[tuple[int, ...]]:
        # The chat template writes the special tokens; letting the tokenizer add them again would double BOS.
        if not texts:
            return []
        encoded = self.tokenizer(texts, add_special_tokens=False, split_special_tokens=False)["input_ids"]
        rows = [tuple(ids) for ids in encoded]
        highest = max((max(ids, default=0) for ids in rows), default=0)
        if self.embedded is not None and highest >= self.embedded:
            raise ValueError(
                f"tokenizer {self.tokenizer.name_or_path}: writes "
                f"{self.tokenizer.convert_ids_to_tokens(highest)!r} as token {highest}, but the model has "
                f"embeddings of {self.embedded}; give the tokenizer or the model.chat_template that belongs "
                "to it"
            )
        return rows


def _lengths(
    choices: Rows[str], ids: Rows[tuple[int, ...]], normalization: Normalization
) -> tuple[float, ...] | None:
    match normalization:
        case "none":
            return None
        case "tokens":
            return tuple(float(len(each)) for each in ids)
        case "characters":
            return tuple(float(len(each)) for each in choices)
        case "bytes":
            return tuple(float(len(each.encode())) for each in choices)


def _join(prefix: str, text: str) -> str:
    return f"{prefix} {text}" if prefix else text
