"""One request with its response, which of them are asked for, and the health of their log."""
