"""The one suite to which all modules add their tests, in the order in which they are imported."""
from tap import Suite

suite = Suite()
