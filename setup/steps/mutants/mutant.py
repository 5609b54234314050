"""One mechanism that can be taken out, and the tests of which one has to go red."""

import dataclasses

from .. import say


@dataclasses.dataclass(frozen=True)
class Mutant:
    """`old` stands exactly once in the file at `path`; `tests` are arguments of setup/test."""

    name: str
    path: str
    old: str
    new: str
    tests: tuple

    def apply(self, checkout):
        file = checkout / self.path
        text = file.read_text()
        if text.count(self.old) != 1:
            raise say.Problem(
                f"{self.name}: {self.path} has the text to be replaced {text.count(self.old)} times; "
                "bring setup/steps/mutants up to date."
            )
        file.write_text(text.replace(self.old, self.new))


# Arguments of setup/test; `expression` is pytest's -k.


def unit(expression):
    return ("--only", "unit", "-k", expression)


def integration(expression):
    return ("--only", "integration", "-k", expression)


def hub(expression):
    return _addon("g2p_payment_hub", expression)


def reconcile(expression):
    return _addon("g2p_payment_reconcile", expression)


def mojaloop(expression):
    return _addon("g2p_mojaloop_connector", expression)


def _addon(name, expression):
    return ("--only", "addons", "--addon", name, "-k", expression)
