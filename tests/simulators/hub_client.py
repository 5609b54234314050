"""The least that a client of the hub can be; only the tests of the simulator use it.

`cryptography` checks each signature, where the simulator computes on integers: each checks the other.
"""

import base64
import hashlib
from pathlib import Path

import requests
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import load_pem_private_key

HEADER = (
    "id,request_id,payment_mode,payer_identifier_type,payer_identifier,"
    "payee_identifier_type,payee_identifier,amount,currency,note"
)
TIMEOUT = 10
# Seconds of the hub's own clock: nothing waits for them.
TIMES = ("--import-lag", 10, "--start-delay", 10, "--processing", 10, "--row-time", 10)
OTHER_TIMES = ("--repair", 100, "--slow", 200, "--late", 300, "--callback-delay", 5)
ALL_DONE = 60


def statuses(rows, key="clientCorrelationId"):
    return {row[key]: row["status"] for row in rows}


def digest(text):
    return hashlib.sha3_256(text.encode()).hexdigest().encode()


def signed(key, data):
    """PKCS#1 v1.5 without DigestInfo: the `cryptography` of Odoo 17 can check that, but not make it."""
    size = key.key_size // 8
    block = b"\0\1" + b"\xff" * (size - len(data) - 3) + b"\0" + data
    modulus = key.public_key().public_numbers().n
    return pow(int.from_bytes(block, "big"), key.private_numbers().d, modulus).to_bytes(size, "big")


def make_csv(rows, mode="mojaloop"):
    """A file of (request_id, payee, amount) rows."""
    lines = [
        f"{number},{request_id},{mode},MSISDN,123456789,MSISDN,{payee},{amount},USD,note"
        for number, (request_id, payee, amount) in enumerate(rows)
    ]
    return "\n".join([HEADER, *lines])


def some_rows(count, prefix="r", amount=10):
    """Rows that are paid: no payee ends in a number with a meaning."""
    return [(f"{prefix}-{number}", f"27710{number:05}1", amount) for number in range(count)]


class HubClient:
    def __init__(self, hub):
        self.info = hub.info
        self.key = load_pem_private_key(Path(self.info["client_private_key_file"]).read_bytes(), None)
        certificate = x509.load_pem_x509_certificate(Path(self.info["hub_certificate_file"]).read_bytes())
        self.hub_key = certificate.public_key()
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = self.info["ca_file"] or True
        self.bearer = None

    # -- bulk processor --------------------------------------------------------------------------------

    def sign(self, text, key=None):
        key, data = key or self.key, digest(text)
        signature = signed(key, data)
        assert key.public_key().recover_data_from_signature(signature, PKCS1v15(), None) == data
        return base64.b64encode(signature).decode()

    def check_response(self, response):
        """Raises InvalidSignature unless the hub signed the body."""
        signature = base64.b64decode(response.headers["X-SIGNATURE"])
        signed_text = self.hub_key.recover_data_from_signature(signature, PKCS1v15(), None)
        if signed_text != digest(response.text):
            raise InvalidSignature

    def headers(self, payload, **changes):
        """Headers of an upload; a change to None leaves one out (underscores stand for hyphens)."""
        headers = {
            "X-CorrelationID": "100000000001",
            "Platform-TenantId": self.info["tenant"],
            "Purpose": "test",
            "Type": "csv",
            "filename": "batch.csv",
            **{name.replace("_", "-"): value for name, value in changes.items()},
        }
        signed = ":".join(
            [headers[name] for name in ("X-CorrelationID", "Platform-TenantId") if headers[name]]
        )
        headers.setdefault("X-SIGNATURE", self.sign(f"{signed}:{payload}"))
        return {name: value for name, value in headers.items() if value is not None}

    def upload(self, text, sent=None, timeout=TIMEOUT, **changes):
        """POST a file; `sent` is what goes out when it is not what was signed."""
        files = {"data": ("batch.csv", sent or text)}
        return self.post(self.headers(text, **changes), files=files, timeout=timeout)

    def post(self, headers, path="/batchtransactions", timeout=TIMEOUT, **body):
        return self.session.post(self.info["bulk_url"] + path, headers=headers, timeout=timeout, **body)

    def send(self, rows, mode="mojaloop", **changes):
        """The id of a batch that was accepted."""
        response = self.upload(make_csv(rows, mode), **changes)
        assert response.status_code == 202, response.text
        return response.json()["PollingPath"].rsplit("/", 1)[1]

    # -- operations application ------------------------------------------------------------------------

    def token(self, client=("client", ""), tenant=None, **form):
        headers = {"Platform-TenantId": tenant or self.info["tenant"]}
        url = self.info["operations_url"] + "/oauth/token"
        return self.session.post(url, headers=headers, auth=client, data=form, timeout=TIMEOUT)

    def login(self):
        form = {"username": self.info["username"], "password": self.info["password"]}
        answer = self.token(grant_type="password", **form).json()
        self.bearer = answer["access_token"]
        return answer

    def call(self, path, method="GET", tenant=None, timeout=TIMEOUT, json=None, headers=None, **params):
        """An answer of /api/v1; logs in when there is no token yet."""
        if self.bearer is None:
            self.login()
        headers = {
            "Platform-TenantId": tenant or self.info["tenant"],
            "Authorization": f"Bearer {self.bearer}",
            **(headers or {}),
        }
        url = f"{self.info['operations_url']}/api/v1{path}"
        return self.session.request(
            method, url, params=params, json=json, headers=headers, timeout=timeout, allow_redirects=False
        )

    def aggregate(self, batch_id):
        return self.call(f"/batch/{batch_id}").json()

    def details(self, batch_id, size=1000, **params):
        return self.call("/batch/detail", batchId=batch_id, pageSize=size, **params).json()["content"]

    def transfers(self, **params):
        return self.call("/transfers", size=100, **params).json()["content"]
