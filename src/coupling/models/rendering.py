"""Messages to token ids: the only place that tokenises.

A prompt is a user's message in the tokenizer's own chat template, followed by what already stands of the
assistant's answer ("I answer"). Every completion is tokenised together with its prompt, and the prompt must
be a token prefix of the whole: a merge across the boundary would move the loss mask.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence as Rows
from dataclasses import dataclass, field

from jinja2 import TemplateError
from transformers import PreTrainedTokenizerBase

from coupling.records import CounterfactualPair


@dataclass(frozen=True, slots=True)
class Sequence:
    """Token ids of a prompt and its completion; ``ids[start:]`` is the completion, on which losses stand."""

    ids: tuple[int, ...]
    start: int


@dataclass
class Renderer:
    """Renders pairs for one tokenizer.

    Raises (from its methods):
        ValueError: no chat template, a choice that is not one known token after the answer prefix, two
            choices that share a token, a word the tokenizer lacks, or a prompt that is not a token prefix of
            its completion.
    """

    tokenizer: PreTrainedTokenizerBase
    _prompts: dict[str, str] = field(default_factory=dict)
    _choices: dict[tuple[str, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        name = self.tokenizer.name_or_path
        if not self.tokenizer.chat_template:
            raise ValueError(
                f"tokenizer {name}: no chat template; set tokenizer.chat_template and save it again"
            )
        if self.tokenizer.eos_token_id is None:
            raise ValueError(f"tokenizer {name}: no eos_token; set it in tokenizer_config.json")
        if not self.tokenizer.is_fast:
            raise ValueError(
                f"tokenizer {name}: has no tokenizer.json, which its fingerprint is taken from; convert it "
                "to a fast tokenizer and save that"
            )

    @property
    def end(self) -> int:
        return int(self.tokenizer.eos_token_id)

    @property
    def pad(self) -> int:
        pad = self.tokenizer.pad_token_id
        return self.end if pad is None else int(pad)

    def prompt(self, message: str) -> str:
        """The chat template around one user message, up to where the assistant speaks."""
        if message not in self._prompts:
            asked = [{"role": "user", "content": message}]
            try:
                rendered = self.tokenizer.apply_chat_template(
                    asked, tokenize=False, add_generation_prompt=True
                )
            except TemplateError as error:
                raise ValueError(
                    f"tokenizer {self.tokenizer.name_or_path}: its chat template does not take the "
                    f"message of a user ({error}); mend chat_template.jinja in its folder"
                ) from error
            self._prompts[message] = str(rendered)
        return self._prompts[message]

    def prompt_ids(
        self, messages: Rows[str], answer_prefixes: Rows[str] | None = None
    ) -> list[tuple[int, ...]]:
        """Token ids up to the place where an answer, or the choice after its prefix, comes next."""
        prefixes = answer_prefixes or [""] * len(messages)
        pieces = zip(messages, prefixes, strict=True)
        prompts = self._encode([self.prompt(message) + prefix for message, prefix in pieces])
        self._refuse_unknown_words(messages, prompts)
        return prompts

    def choice_ids(self, pairs: Rows[CounterfactualPair]) -> list[tuple[int, ...]]:
        """The tokens by which the choices of each pair are scored, aligned with ``pair.choices``."""
        self._learn_choices(pairs)
        found = []
        for pair in pairs:
            ids = tuple(self._choices[pair.answer_prefix, choice] for choice in pair.choices)
            if len(set(ids)) < len(ids):
                raise ValueError(
                    f"pair {pair.id}: two of the choices {list(pair.choices)} share a token in "
                    f"{self.tokenizer.name_or_path}; use choices whose tokens differ, such as letters"
                )
            found.append(ids)
        return found

    def answers(self, messages: Rows[str], answer_prefixes: Rows[str], choices: Rows[str]) -> list[Sequence]:
        """Behaviour rows: the whole answer is the completion."""
        pieces = zip(answer_prefixes, choices, strict=True)
        return self.completions(messages, [_join(prefix, choice) for prefix, choice in pieces])

    def completions(self, messages: Rows[str], texts: Rows[str]) -> list[Sequence]:
        """Prompts with completions, each closed by the end-of-sequence token."""
        prompts = self._encode([self.prompt(message) for message in messages])
        wholes = self._encode(
            [self.prompt(message) + text for message, text in zip(messages, texts, strict=True)]
        )
        rows = []
        for message, prompt, whole in zip(messages, prompts, wholes, strict=True):
            if whole[: len(prompt)] != prompt:
                raise ValueError(
                    f"tokenizer {self.tokenizer.name_or_path}: merges the end of the prompt with the "
                    f"completion of {message!r}; end the chat template's generation prompt with a newline or "
                    "a special token"
                )
            rows.append(Sequence((*whole, self.end), len(prompt)))
        return rows

    def decode(self, ids: list[list[int]]) -> list[str]:
        return [text.strip() for text in self.tokenizer.batch_decode(ids, skip_special_tokens=True)]

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
        stems = [self.prompt(pair.with_cue) for pair in new.values()]
        befores = self._encode([stem + prefix for stem, (prefix, _) in zip(stems, new, strict=True)])
        afters = self._encode([stem + _join(*key) for stem, key in zip(stems, new, strict=True)])
        for ((prefix, choice), pair), before, after in zip(new.items(), befores, afters, strict=True):
            tail = after[len(before) :]
            is_known = self.tokenizer.unk_token_id not in tail
            if after[: len(before)] != before or len(tail) != 1 or not is_known:
                pieces = self.tokenizer.convert_ids_to_tokens(list(tail))
                raise ValueError(
                    f"pair {pair.id}: choice {choice!r} becomes {pieces} in {self.tokenizer.name_or_path}, "
                    "but choices are scored by one known token; use choices of one token, such as letters"
                )
            self._choices[prefix, choice] = tail[0]

    def _refuse_unknown_words(self, messages: Rows[str], prompts: Rows[tuple[int, ...]]) -> None:
        unknown = self.tokenizer.unk_token_id
        for message, prompt in zip(messages, prompts, strict=True):
            # A chat template may write that very token, which then stands for something.
            if unknown in prompt and unknown in self._encode([message])[0]:
                raise ValueError(
                    f"tokenizer {self.tokenizer.name_or_path}: lacks a word of {message!r}, which the model "
                    "could not see; name it in model.new_words, or use another"
                )

    def _encode(self, texts: list[str]) -> list[tuple[int, ...]]:
        # The chat template writes the special tokens; letting the tokenizer add them again would double BOS.
        if not texts:
            return []
        return [tuple(ids) for ids in self.tokenizer(texts, add_special_tokens=False)["input_ids"]]


def _join(prefix: str, text: str) -> str:
    return f"{prefix} {text}" if prefix else text
