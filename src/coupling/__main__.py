"""``python -m coupling`` is the command line."""

from coupling.cli import main

if __name__ == "__main__":
    main()
