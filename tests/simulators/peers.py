"""Runs Mojaloop's own scheme adapter and Testing Toolkit for tests and demonstrations.

with MojaloopPeers(steps.mojaloop.install()) as peers:
    requests.get(peers.info["connector_url"] + "/parties/MSISDN/27710000001")
    peers.payments()
"""

from mojaloop_peers import payees
from process import Process


class MojaloopPeers(Process):
    """`software` is from steps.mojaloop.install(); options are those of `python -m mojaloop_peers --help`."""

    module = "mojaloop_peers"

    def __init__(self, software, *options, **others):
        super().__init__(*software.arguments(), *options, **{"ready_seconds": 120, **others})

    # -- what the hub says ---------------------------------------------------------------------------

    def transfers(self):
        """What the hub has in its books: dicts with transferId, amount, currency, payee, payeeFsp, state."""
        return self.control("GET", "/transfers")

    def payments(self):
        """The transfers that are committed: {transferId: row}."""
        return {row["transferId"]: row for row in self.control("GET", "/payments")}

    def requests(self, method=None, path=""):
        """What the hub took, oldest first: dicts with method (lower case), path, headers, body, at."""
        rows = self.control("GET", "/requests")
        return [row for row in rows if method in (None, row["method"]) and row["path"].startswith(path)]

    def callbacks(self, path=""):
        """What it called back, or would have called back while it was silenced."""
        return [row for row in self.control("GET", "/callbacks") if row["path"].startswith(path)]

    # -- what happens --------------------------------------------------------------------------------

    def act(self, name, do):
        """`name` is redis, toolkit or connector; `do` is kill, start, freeze or thaw."""
        self.control("POST", "/processes", {"name": name, "do": do})

    def silence(self, silent=True):
        """The hub takes and books, and calls nobody back."""
        self.control("POST", "/hub", {"silent": silent})

    def name_payees(self, names):
        """What the banks call their customers: {identifier: name}; all others are "Payee <identifier>"."""
        self.control("POST", "/names", names)

    def mend(self, *names):
        """From now on the payees of these rows go as any other."""
        self.control("POST", "/mended", names)

    def reset(self):
        """Everything runs and talks again; books, records and names are empty, and nobody is mended."""
        self.control("POST", "/reset")


def payee(name, number=1):
    """A phone number with which it goes as the row of that name in mojaloop_peers/payees.py says."""
    return f"2771{number:03d}{payees.ending(name)}"


def usual_payee(number=1):
    """A phone number that is paid."""
    return f"2778{number // 1000:03d}{7000 + number % 1000}"
