"""The `newsnest` command, and `python -m newsnest`."""

import sys


def main() -> None:
    """Run the command; Ctrl-C before it has begun ends in one line too."""
    try:
        from newsnest.cli.main import main as command

        command()
    except KeyboardInterrupt:
        sys.stderr.write("\nnewsnest: interrupted.\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
