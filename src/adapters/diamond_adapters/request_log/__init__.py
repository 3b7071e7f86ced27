"""Request logs: the record of every request and response."""
