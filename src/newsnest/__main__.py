"""`python -m newsnest` is the `newsnest` command."""

from newsnest.cli.main import main

main()
