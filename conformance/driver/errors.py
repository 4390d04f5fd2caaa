"""What ends a run, or a part of it."""


class Wrong(Exception):
    """What the user asked for cannot be done. The message is for them; exit code 2."""


class Broken(Exception):
    """The broker does not do what it must so that there can be a run. The message is for the user; exit code 1."""
