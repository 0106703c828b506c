"""The command line: one file per command, `main` ties them together."""
