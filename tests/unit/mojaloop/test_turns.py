"""One exchange at a time about one party or transfer, and many about many."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from scripted_connector import ScriptedConnector, party

from odoo.addons.g2p_mojaloop_connector.client.turns import Turns


class Crowd:
    """Answers slowly, and remembers how many exchanges about one path, and at all, were under way at once."""

    def __init__(self, peer):
        self.peer, self.lock = peer, threading.Lock()
        self.under_way, self.most_of_one, self.most = {}, 0, 0

    def __call__(self, request):
        with self.lock:
            self.under_way[request.path] = self.under_way.get(request.path, 0) + 1
            self.most_of_one = max(self.most_of_one, self.under_way[request.path])
            self.most = max(self.most, sum(self.under_way.values()))
        time.sleep(0.1)
        with self.lock:
            self.under_way[request.path] -= 1
        return 200, {"party": {"body": party("MSISDN", request.path.rsplit("/")[-1])}}


@pytest.fixture
def crowd(loopback):
    peer = ScriptedConnector(loopback)
    peer.answers["party"] = Crowd(peer)
    return peer.answers["party"]


def look_up(crowd, identifiers):
    def one(identifier):
        with crowd.peer.connector() as connector:
            return connector.lookup("MSISDN", identifier).id_value

    with ThreadPoolExecutor(len(identifiers)) as pool:
        assert list(pool.map(one, identifiers)) == identifiers


def test_the_same_party(crowd):
    look_up(crowd, ["27713803912"] * 6)
    assert crowd.most_of_one == 1


def test_other_parties_do_not_wait(crowd):
    look_up(crowd, [f"277138039{number:02d}" for number in range(6)])
    assert crowd.most > 2


def test_a_turn_ends_with_an_error():
    turns = Turns()
    with pytest.raises(RuntimeError):
        with turns.turn("name"):
            raise RuntimeError
    with turns.turn("name"):
        pass
