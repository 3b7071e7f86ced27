"""Entry points: the command line, the HTTP service, and the container that wires them."""
