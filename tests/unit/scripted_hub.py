"""An operations app whose every word is the test's, for what the simulator cannot be made to say."""

from types import SimpleNamespace

from certificates import Authority
from known_answer import KEY
from loopback import answering

from g2p_payment_hub.client.auth import Credentials, TokenCache
from g2p_payment_hub.client.http import HttpLimits
from g2p_payment_hub.client.instructions import BatchFile
from g2p_payment_hub.client.payment_hub import PaymentHub
from g2p_payment_hub.client.settings import HubSettings

API = "/api/v1"
ANY_AUTHORITY = Authority().pem  # takes less time to load than all the public ones
BATCH = BatchFile(filename="B1-abc.csv", correlation_id="correlation-1", content="id\n0")


def settings_for(url, **changes):
    """HubSettings for a server at this address; without a user unless one is named."""
    credentials = {"tenant": "gorilla", "username": "", "password": "", **changes.pop("credentials", {})}
    values = {
        "bulk_url": url,
        "operations_url": url,
        "signing_key": KEY,
        "ca_bundle": ANY_AUTHORITY,
        "limits": HttpLimits(connect=2, read=2, total=5),
        **changes,
    }
    return HubSettings(credentials=Credentials(**credentials), **values)


def scripted(loopback, answers, **settings):
    """A PaymentHub, and the server behind it, which answers from `answers`: path (under /api/v1) to
    (status, body), or to a function of the request that gives one. Anything else is 404."""

    def answer(request):
        said = answers.get(request.path.removeprefix(API), (404, b""))
        return said(request) if callable(said) else said

    server = loopback(answering(answer))
    hub = PaymentHub(settings_for(server.url, **settings), TokenCache())
    return SimpleNamespace(hub=hub, server=server, requests=server.requests)


def page(*rows):
    return 200, {"content": list(rows), "totalElements": 999, "totalPages": 999, "last": False}


def listing(*rows):
    """What GET /batches says: all rows on the first page."""
    return lambda request: (200, {"data": list(rows) if request.query["offset"] == "0" else []})


def transfer(reference, batch_id="batch-1", **changes):
    return {
        "transactionId": f"hub-{reference}",
        "clientCorrelationId": reference,
        "batchId": batch_id,
        "status": "COMPLETED",
        "amount": "10",
        "currency": "USD",
        "errorInformation": None,
        **changes,
    }
