"""A command whose two workers say who they are, and sleep."""

from __future__ import annotations

import os
import time

from coupling.cli import main
from coupling.cli.app import app
from coupling.processes import side_by_side
from coupling.progress import Progress, Silent


def rest(seconds: float, progress: Progress) -> None:
    print(os.getpid(), flush=True)
    time.sleep(seconds)


@app.command()
def sleep() -> None:
    side_by_side(rest, [(600.0,), (600.0,)], 2, Silent())


if __name__ == "__main__":
    main()
