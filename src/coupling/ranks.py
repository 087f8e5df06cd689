"""Several processes at one command, as ``accelerate launch`` starts them: one leads, the others follow.

The leader alone runs the command: it holds the run directory, decides what is done already, writes artifacts
and shows progress. Work that can be shared it hands to ``together``: then every process calls the same
function with the same arguments, and is one of ``count()``. Between two such calls the followers wait, and
whatever the leader does meanwhile it does alone. So no two processes can decide one thing differently.

A process that dies takes the others with it: the launcher ends them, the lock of the run directory goes with
its holder, and the same command goes on from the last state. torch is imported only where processes are many.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup

PATIENCE = timedelta(hours=24)
"""How long a process waits for another. That one died, the launcher notices; not who waits."""
PATIENCE_OVER_FAILURES = timedelta(minutes=2)
"""How long a process that failed waits for the others to fail alike."""

Job = TypeVarTuple("Job")
Here = TypeVar("Here")
Result = TypeVar("Result")
Key = TypeVar("Key")
Value = TypeVar("Value")
Item = TypeVar("Item")

_is_led = False
_is_shared = False
_failures: ProcessGroup | None = None
"""In which processes that failed wait for each other."""


class Disbanded(RuntimeError):
    """The launched processes can do nothing together any more; this one has to end, so that all do."""


def launched() -> int:
    """Processes that the launcher started; 1 without one."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def count() -> int:
    """Processes that share the work at hand; 1 outside of ``together``."""
    return launched() if _is_shared else 1


def index() -> int:
    """Which of them this one is; 0 is the leader."""
    return _rank() if _is_shared else 0


def leads() -> bool:
    return index() == 0


def shards_weights() -> bool:
    """Whether weights in training are to be spread over the processes (FSDP2)."""
    return count() > 1 and _is_set("ACCELERATE_USE_FSDP")


def name() -> str:
    """How an error tells whose it is: nothing where there is but one process."""
    return f"rank {_rank()}: " if launched() > 1 else ""


@contextmanager
def led() -> Iterator[bool]:
    """True where the command is to be run; in a follower False, after it has done all that it was called for.

    Raises:
        ValueError: the processes were launched in a way that is not supported.
    """
    global _is_led
    if launched() == 1:
        yield True
        return
    _join()
    _is_led = True
    if _rank() > 0:
        _follow()
        _leave()
        yield False
        return
    try:
        yield True
    finally:
        # Followers that are in the middle of something would take this for a part of it.
        if not _is_shared:
            _tell_followers(None)
            _leave()


def require_led(device: str, device_map: str | None = None) -> None:
    """Raises ValueError unless this process leads those launched, and ``model.device`` and
    ``model.device_map`` fit them."""
    if launched() == 1:
        return
    if device_map is not None:
        raise ValueError(
            f"model.device_map: {device_map!r} lays one model over all GPUs, but {launched()} processes were "
            "launched, and each takes a GPU of its own; leave it out (FSDP2 spreads the weights in "
            "training), or run without accelerate launch"
        )
    if not _is_led:
        raise ValueError(
            f"{launched()} processes were launched (WORLD_SIZE), and each would do all of the work: start "
            "the command line with `accelerate launch -m coupling …`, or do in Python what "
            "`with coupling.ranks.led() as leads:` gives to the one that leads"
        )
    if device not in ("auto", "cuda" if _on_gpus() else "cpu"):
        raise ValueError(
            f"model.device: {device!r} does not fit {launched()} processes on "
            f"{'GPUs, one each' if _on_gpus() else 'the CPU'}; set it to auto, or launch otherwise"
        )
    if device == "auto" and not _on_gpus() and _gpus() > 0:
        raise ValueError("model.device: auto takes a GPU, but the launch is for the CPU; set it to cpu")


def together(
    function: Callable[[*Job, Here], Result], job: tuple[*Job], here: Here, elsewhere: Here
) -> Result:
    """Calls ``function(*job, …)`` in every process and returns what it returned here.

    Args:
        here: its last argument in this process.
        elsewhere: its last argument in the others, who get it and ``job`` as copies.

    Raises:
        ValueError: from ``function``, which raised it in every process; they may go on to something else.
        Disbanded: some raised it, and others are in the middle of the job.
    """
    global _is_shared
    if launched() == 1:
        return function(*job, here)
    assert _is_led and not _is_shared
    _tell_followers((function, job, elsewhere))
    _is_shared = True
    try:
        result = function(*job, here)
    except ValueError as error:
        # Where others are in the middle of the job, it stays shared.
        _require_all_failed(error)
        _is_shared = False
        raise
    _is_shared = False
    return result


def dealt(items: Iterable[Item]) -> Iterator[Item]:
    """Those of the items that fall to this process, dealt out in turn."""
    return (item for number, item in enumerate(items) if number % count() == index())


def pooled(mine: dict[Key, Value]) -> dict[Key, Value]:
    """What all processes found, by key; the same in each."""
    if count() == 1:
        return mine
    import torch.distributed as dist

    found: list[Mapping[Key, Value] | None] = [None] * count()
    dist.all_gather_object(found, mine)
    return {key: value for each in found if each is not None for key, value in each.items()}


def total(figures: list[float]) -> list[float]:
    """Sums over all processes, figure by figure."""
    if count() == 1:
        return figures
    import torch
    import torch.distributed as dist

    summed = torch.tensor(figures, dtype=torch.float64)
    dist.all_reduce(summed)
    return [float(figure) for figure in summed]


def require_agreement(what: str, value: int) -> None:
    """Raises ValueError when ``value``, read from a file, is not the same in every process."""
    if len(set(pooled({index(): value}).values())) > 1:
        raise ValueError(
            f"{what}: the processes read different files; --runs-dir has to be on a file system that all of "
            "them share"
        )


def _join() -> None:
    global _failures
    import torch
    import torch.distributed as dist

    _refuse_unsupported()
    # Else transformers would give weights to the first process only, but each asks its model before training.
    os.environ["FSDP_CPU_RAM_EFFICIENT_LOADING"] = "false"
    if _on_gpus():
        local = int(os.environ["LOCAL_RANK"])
        if local >= _gpus():
            raise ValueError(
                f"{local + 1} or more processes were launched on a machine with {_gpus()} GPUs; launch one "
                "for each"
            )
        # What asks for "cuda" later is to mean this one.
        torch.cuda.set_device(local)
    dist.init_process_group("cpu:gloo,cuda:nccl" if _on_gpus() else "gloo", timeout=PATIENCE)
    _failures = dist.new_group(backend="gloo")


def _leave() -> None:
    import torch
    import torch.distributed as dist

    # All of them first: who still listens to one that has hung up is aborted.
    dist.all_reduce(torch.zeros(1))
    dist.destroy_process_group()


def _follow() -> None:
    global _is_shared
    while (call := _told_by_leader()) is not None:
        function, job, elsewhere = call
        _is_shared = True
        try:
            function(*job, elsewhere)
        except ValueError as error:
            # The leader tells of it.
            _require_all_failed(error)
        _is_shared = False


def _require_all_failed(error: ValueError) -> None:
    """Raises Disbanded unless all processes come here.

    A group of its own, and a barrier that gives up: those who did not fail wait for us somewhere else.
    """
    import torch.distributed as dist

    try:
        dist.monitored_barrier(_failures, timeout=PATIENCE_OVER_FAILURES)
    except RuntimeError:
        raise Disbanded(
            f"{error}\nThis befell not all of the launched processes, and the others cannot go on alone; run "
            "the same command again to go on"
        ) from error


def _tell_followers(call: object) -> None:
    import torch.distributed as dist

    dist.broadcast_object_list([call], src=0)


def _told_by_leader() -> tuple[Callable[..., object], tuple[object, ...], object] | None:
    import torch.distributed as dist

    told: list[tuple[Callable[..., object], tuple[object, ...], object] | None] = [None]
    dist.broadcast_object_list(told, src=0)
    return told[0]


def _refuse_unsupported() -> None:
    refused = {
        "ACCELERATE_USE_DEEPSPEED": "DeepSpeed",
        "ACCELERATE_USE_MEGATRON_LM": "Megatron-LM",
        "ACCELERATE_USE_PARALLELISM_CONFIG": "tensor and context parallelism",
    }
    for variable, what in refused.items():
        if _is_set(variable):
            raise ValueError(
                f"accelerate launch: {what} is not supported; use data parallelism, or FSDP with "
                "fsdp_version: 2 (docs/scale.md has files for both)"
            )
    if _is_set("ACCELERATE_USE_FSDP"):
        version = os.environ.get("FSDP_VERSION", "1")
        if version != "2":
            raise ValueError(f"accelerate launch: fsdp_version is {version}; set it to 2")
        if _is_set("FSDP_OFFLOAD_PARAMS"):
            raise ValueError("accelerate launch: fsdp_offload_params is not supported; switch it off")
        if _is_set("FSDP_ACTIVATION_CHECKPOINTING"):
            raise ValueError(
                "accelerate launch: fsdp_activation_checkpointing is on; switch it off, and set "
                "training.gradient_checkpointing: true in the experiment file"
            )
    precision = os.environ.get("ACCELERATE_MIXED_PRECISION", "no")
    if precision != "no":
        raise ValueError(
            f"accelerate launch: mixed_precision is {precision}; set it to 'no', and training.autocast "
            "in the experiment file, from which results follow"
        )


def _rank() -> int:
    return int(os.environ.get("RANK", "0"))


def _is_set(variable: str) -> bool:
    return os.environ.get(variable, "false").lower() in ("true", "1")


def _on_gpus() -> bool:
    return _gpus() > 0 and not _is_set("ACCELERATE_USE_CPU")


def _gpus() -> int:
    import torch

    return torch.cuda.device_count()
