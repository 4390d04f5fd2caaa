"""What ends a run before it has a result."""


class Wrong(Exception):
    """What the user asked for cannot be done. The message is for them; exit code 2."""
