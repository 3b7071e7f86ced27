"""``python -m diamond_app`` is the command ``diamond``."""

from diamond_app.cli.main import main

if __name__ == "__main__":
    main()
