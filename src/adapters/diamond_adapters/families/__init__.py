"""Model families: ways to learn prices from stones."""
