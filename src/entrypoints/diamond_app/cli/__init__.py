"""The command line: ``diamond``."""
