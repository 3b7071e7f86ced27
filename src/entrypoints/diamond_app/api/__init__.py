"""The HTTP service: resources, payloads, problems and the record of every exchange."""
