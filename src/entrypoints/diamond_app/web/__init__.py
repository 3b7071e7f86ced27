"""The web pages: HTML, CSS and small scripts, served by the same app as the API."""
