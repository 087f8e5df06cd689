"""What the libraries raise over a model's files, as errors that say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from coupling.models.folders import ModelFolder
from coupling.models.gguf import complaint_about
from coupling.store.complaints import first_line


@contextmanager
def damage_told(path: str, folder: ModelFolder, quantised: bool = False) -> Iterator[None]:
    """Turns what is raised within into errors that say what to do.

    Args:
        path: the model's, as the user wrote it.
        quantised: the checkpoint is, by a library that may not run here.

    Raises:
        ValueError: the files are damaged, another model's, or not to be loaded on this machine.
    """
    gguf = None if folder.gguf is None else folder.path / folder.gguf
    told = f"model {path!r}"
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise ValueError(
            f"{told}: no room for it ({first_line(error)}); set model.dtype: bfloat16, model.device_map: "
            "auto to use several GPUs, or model.device: cpu"
        ) from error
    except ImportError as error:
        raise ValueError(
            f"{told}: needs a library that is not installed ({first_line(error)}); install it, or give a "
            "checkpoint that needs none"
        ) from error
    except Exception as error:
        # Over files that are not what they should be transformers raises whatever it stumbles over, and
        # tokenizers Exception itself.
        if gguf is not None:
            raise ValueError(complaint_about(gguf, told, error)) from error
        if quantised and isinstance(error, RuntimeError):
            raise ValueError(
                f"{told}: is quantised, and cannot be loaded on this machine ({first_line(error)}); give the "
                "checkpoint it was made from"
            ) from error
        raise ValueError(
            f"{told}: its files are not those of a causal language model with its tokenizer "
            f"({first_line(error)}); save it again with save_pretrained, or give another"
        ) from error
