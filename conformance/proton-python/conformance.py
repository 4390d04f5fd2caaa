"""Runs all tests of the project; see client.toml."""
from importlib import import_module

from suite import suite

if __name__ == "__main__":
    for part in ("examples", "outcomes", "credit", "browsing", "addresses", "subscriptions", "transactions", "values", "large",
                 "connections", "crashes"):
        import_module(part)
    suite.main([("qpid-proton for Python", "python3-qpid-proton")])
