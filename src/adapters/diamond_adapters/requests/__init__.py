"""Request logs: every request and response, in a database behind a spool on disk."""
