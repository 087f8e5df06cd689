"""Two processes that fail: all of them, and go on; then one alone, and end."""

from __future__ import annotations

import sys
from datetime import timedelta

import torch
import torch.distributed as dist

from coupling import ranks


def fail(who: tuple[int, ...], here: None) -> int:
    if ranks.index() in who:
        raise ValueError("no such thing")
    summed = torch.ones(1)
    dist.all_reduce(summed)
    return int(summed)


if __name__ == "__main__":
    ranks.PATIENCE_OVER_FAILURES = timedelta(seconds=3)
    with ranks.led() as leads:
        if leads:
            try:
                ranks.together(fail, ((0, 1),), None, None)
            except ValueError as error:
                print(f"all: {error}")
            print("after:", ranks.together(fail, ((),), None, None), flush=True)
            try:
                ranks.together(fail, (tuple(map(int, sys.argv[1:])),), None, None)
            except ranks.Disbanded as error:
                print(f"one: {error}", flush=True)
                sys.exit(2)
