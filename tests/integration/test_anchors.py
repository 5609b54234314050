"""The daily anchor of the audit trail, in the transactions of a real server, to a server with TLS."""

import datetime
import json
import os
import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

ANCHOR = "g2p.payment.audit.anchor"


class _Log(BaseHTTPRequestHandler):
    """Keeps what it is handed."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, json.loads(body)))
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments):
        pass


@pytest.fixture(scope="module")
def pem(tmp_path_factory):
    """A certificate and its key in a file; Odoo of this module takes it for a public authority's."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("anchors") / "server.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(certificate.public_bytes(Encoding.PEM) + private)
    return path


@pytest.fixture(scope="module", autouse=True)
def trusted(pem):
    before = os.environ.get("SSL_CERT_FILE")
    os.environ["SSL_CERT_FILE"] = str(pem)
    yield
    if before is None:
        del os.environ["SSL_CERT_FILE"]
    else:
        os.environ["SSL_CERT_FILE"] = before


@pytest.fixture
def log(pem):
    server = HTTPServer(("127.0.0.1", 0), _Log)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.received = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def _next_day(world, eventually, url):
    """The anchor that the scheduled action makes, with this address in the settings."""
    admin = world.admin
    before = world.finance.search_count(ANCHOR)
    admin.execute_kw("ir.config_parameter", "set_param", ["g2p_payment_hub.anchor_url", url])
    admin.button("ir.cron", [admin.ref("g2p_payment_hub.cron_audit")], "method_direct_trigger")
    fields = ["number", "hash", "previous_hash", "event_count", "sent_at", "failure"]

    def handed_over():
        anchors = world.finance.search_read(ANCHOR, (), fields, order="number desc", limit=1)
        if world.finance.search_count(ANCHOR) == before:
            return False
        (anchor,) = anchors
        return (anchor["sent_at"] or "could not" in (anchor["failure"] or "")) and anchor

    return eventually(handed_over)


def test_an_anchor_arrives_and_is_part_of_the_trail(world, log, eventually):
    world.entitle(["27713850001"])
    world.prepare()
    anchor = _next_day(world, eventually, f"https://localhost:{log.server_port}/anchors")
    assert anchor["sent_at"], anchor["failure"]
    ((path, message),) = log.received
    assert (path, message["number"], message["hash"]) == ("/anchors", anchor["number"], anchor["hash"])
    assert message["events"] == anchor["event_count"] > 0

    wizard = "g2p.payment.audit.verify.wizard"
    asked = world.finance.create(wizard, {"number": message["number"], "hash": message["hash"]})
    world.finance.button(wizard, [asked], "action_verify")
    assert world.finance.read(wizard, [asked], ["found"])[0]["found"] == "yes"


def test_a_server_that_is_not_there_is_told_to_administrators(world, log, eventually):
    first = _next_day(world, eventually, f"https://localhost:{log.server_port}/")
    anchor = _next_day(world, eventually, "https://localhost:9/")
    assert "could not be posted" in anchor["failure"]
    assert anchor["previous_hash"] == first["hash"]
    tasks = world.admin.search_read("mail.activity", [("res_model", "=", ANCHOR)], ["user_id"])
    assert world.admin.uid in {task["user_id"][0] for task in tasks}


def test_a_certificate_that_is_not_trusted_takes_nothing(world, log, eventually):
    anchor = _next_day(world, eventually, f"https://127.0.0.1:{log.server_port}/")
    assert "tls" in anchor["failure"]
    assert not log.received
