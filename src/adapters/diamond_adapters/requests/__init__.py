"""Request logs: every request and response, in a database behind a journal on disk."""
