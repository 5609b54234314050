"""Stands for a Connection Manager, over HTTP on this machine, for the tests of the add-on."""

import json
import threading
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

SECRET = "manager-s3cret"


class Authority:
    """Signs certificates that start and end so many days from now."""

    def __init__(self):
        self._key = ec.generate_private_key(ec.SECP256R1())

    def sign(self, request, days=365, starts=-400):
        """PEM of a certificate for a request (PEM)."""
        request = x509.load_pem_x509_csr(request.encode())
        return self.certificate(request.public_key(), request.subject, days, starts)

    def certificate(self, public_key=None, subject=None, days=365, starts=-400):
        now = datetime.now(timezone.utc)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "The hub")])
        builder = x509.CertificateBuilder().issuer_name(name).subject_name(subject or name)
        builder = builder.public_key(public_key or self._key.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now + timedelta(days=starts)).not_valid_after(
            now + timedelta(days=days)
        )
        return builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


class Manager:
    """What connection-manager-api 1.6 does as far as an institution sees it; whoever asks needs a token.

    `lists`: what was posted, by path, as it is listed. `others`: answers for other paths, (status, body).
    With `lose_answers`, what is posted is kept and answered with an error. `posts`: path and body, as they
    came.
    `on_request` is called for each request with the path.
    """

    def __init__(self):
        self.authority = Authority()
        self.lists, self.others, self.posts = {}, {}, []
        self.lose_answers = False
        self.on_request = lambda _path: None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def enrollments(self):
        return self.lists.get("/dfsps/treasury/enrollments/inbound", [])

    def sign(self, days=365, request=None, starts=-400):
        """The hub's operator signs the last request, or by mistake another one."""
        row = self.enrollments[-1]
        certificate = self.authority.sign(request or row["csr"], days, starts)
        row.update(state="CERT_SIGNED", certificate=certificate)

    def answer(self, method, path, headers, body):
        if path == "/token":
            good = headers.get("Authorization") == "Basic dHJlYXN1cnk6bWFuYWdlci1zM2NyZXQ="
            return (200, {"access_token": "t0ken", "expires_in": 300}) if good else (401, {"error": "no"})
        if headers.get("Authorization") != "Bearer t0ken":
            return 401, {}
        path = path.removeprefix("/api")
        self.on_request(path)
        if path in self.others:
            return self.others[path]
        if method == "POST":
            return self._add(path, json.loads(body))
        listed, _slash, identifier = path.rpartition("/")
        if identifier.isdigit():
            return 200, self.lists[listed][int(identifier) - 1]
        return 200, self.lists.get(path, [])

    def _add(self, path, body):
        self.posts.append((path, body))
        rows = self.lists.setdefault(path, [])
        made = {"id": len(rows) + 1, **body}
        if "clientCSR" in body:
            made = {"id": len(rows) + 1, "csr": body["clientCSR"], "state": "CSR_LOADED"}
        rows.append(made)
        if self.lose_answers:
            return 500, {}
        return 200, {"id": made["id"]} if "csr" in made else made

    def _handler(manager):
        class Handler(BaseHTTPRequestHandler):
            def _do(self):
                length = int(self.headers.get("Content-Length", 0))
                status, members = manager.answer(
                    self.command, self.path, self.headers, self.rfile.read(length)
                )
                data = json.dumps(members).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = _do

            def log_message(self, *_arguments):
                pass

        return Handler
