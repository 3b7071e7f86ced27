"""Models as they are served, and where they and their promotions are kept."""
