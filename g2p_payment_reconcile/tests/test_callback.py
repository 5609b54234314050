import contextlib
import hashlib
import hmac
import logging
import os
import select
import socket
import time
from datetime import timedelta
from unittest.mock import patch
from urllib.parse import urlsplit

from odoo import fields
from odoo.exceptions import AccessError
from odoo.service import server
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from odoo.addons.g2p_payment_hub.client.outcomes import OutcomeStatus
from odoo.addons.g2p_payment_hub.tests.common import GATEWAY, PaymentHubCase

from ..controllers.body import MAX_BODY_BYTES
from ..controllers.body import SECONDS as BODY_SECONDS
from ..controllers.callback import CALLS, PaymentCallback

LOGGER = "odoo.addons.g2p_payment_reconcile.controllers.callback"
BODY = b'{"message": "complete with : 100"}'


@tagged("post_install", "-at_install")
class TestCallback(PaymentHubCase, HttpCase):
    def setUp(self):
        super().setUp()
        self.gateway.callback_base_url = "https://payments.example/"
        self.batch = self._sent()
        self.submission = self.batch.submission_ids
        self.later = fields.Datetime.now() + timedelta(minutes=5)
        self.submission.next_poll_at = self.later
        self.url = self.hub.received[0].callback_url
        PaymentCallback._recent.clear()

    def _call(self, url=None, data=BODY, **headers):
        self.env.flush_all()
        return self.url_open(
            urlsplit(url or self.url).path, data=data, headers={"Content-Type": "text/plain", **headers}
        )

    def _is_due(self):
        """Whether the next question is due; from here on it is not."""
        self.env.invalidate_all()
        due = self.submission.next_poll_at <= fields.Datetime.now()
        self.submission.next_poll_at = self.later
        return due

    def _signed(self, stamp=None, body=BODY, secret=b"shared"):
        stamp = str(int(time.time()) if stamp is None else stamp)
        signature = hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        return {"X-Timestamp": stamp, "X-Signature": f"sha256={signature}"}

    def _facts(self):
        self.env.invalidate_all()
        return self.batch.payment_ids.read(["state", "status", "amount_paid"]), self.batch.batch_state

    def test_the_hub_is_told_where(self):
        self.assertTrue(self.url.startswith("https://payments.example/g2p_payment/news/"))
        self.assertNotIn("?", self.url)

    def test_news_make_the_next_question_due_and_nothing_else(self):
        before = self._facts()
        for _time in range(3):
            answer = self._call()
            self.assertEqual((answer.status_code, answer.text), (202, ""))
        self.assertEqual(self._facts(), before)
        self.assertLessEqual(self.submission.next_poll_at, fields.Datetime.now())

    def test_forged_calls_change_nothing_and_learn_nothing(self):
        good = self._call()
        self.submission.next_poll_at = self.later
        token = self.url.rpartition("/")[2]
        for url in (
            self.url[:-1] + ("0" if self.url[-1] != "0" else "1"),
            self.url.replace(self.submission.key, "00000000-0000-5000-8000-000000000000"),
            self.url.replace(token, "x"),
            self.url.replace(token, "%E2%82%AC"),
        ):
            answer = self._call(url)
            self.assertEqual((answer.status_code, answer.text), (good.status_code, good.text))
            self.env.invalidate_all()
            self.assertEqual(self.submission.next_poll_at, self.later)

    def test_a_flood_asks_no_more_often(self):
        self.submission.last_polled_at = fields.Datetime.now()
        self._call()
        self.env.invalidate_all()
        self.assertEqual(self.submission.next_poll_at, self.later)

    def test_too_early_and_too_late_are_ignored(self):
        self.submission.started_at -= timedelta(days=31)
        self._call()
        self.env.invalidate_all()
        self.assertEqual(self.submission.next_poll_at, self.later)

    def test_after_the_end(self):
        self.hub.tell(self.batch.payment_ids, OutcomeStatus.PAID, remote_reference="r1")
        self.submission._pull()
        before = self._facts()
        self._call()
        self.assertEqual(self._facts(), before)

    def test_a_payment_system_may_name_what_it_is_about(self):
        answer = self._call(self.url + "/transfers/17")
        self.assertEqual((answer.status_code, self._is_due()), (202, True))

    def test_too_much_is_not_read(self):
        for headers in ({}, {"Content-Type": "application/x-www-form-urlencoded"}):
            answer = self._call(data=b"x" * (MAX_BODY_BYTES + 1), **headers)
            self.assertFalse(self._is_due(), answer.status_code)

    def _raw(self, head, *parts, pause=0.0):
        """Send a call, part by part. Return after how many seconds it was answered, and the answer."""
        self.env.flush_all()
        address = urlsplit(self.base_url())
        begun = time.monotonic()
        with (
            self._allowed(),
            socket.create_connection((address.hostname, address.port), timeout=20) as connection,
        ):
            # The session of the test client, which names the database.
            cookies = "; ".join(f"{name}={value}" for name, value in self.opener.cookies.items())
            call = f"POST {urlsplit(self.url).path} HTTP/1.1"
            lines = [call, f"Host: {address.netloc}", f"Cookie: {cookies}", *head, "", ""]
            connection.sendall("\r\n".join(lines).encode())
            for part in parts:
                connection.sendall(part)
                if select.select([connection], [], [], pause)[0]:
                    break
            if not pause:
                connection.shutdown(socket.SHUT_WR)
            return connection.recv(1000), time.monotonic() - begun

    def _allowed(self):
        """Let Odoo 19 serve requests that do not come from its own test client."""
        allow = getattr(self, "allow_requests", None)
        return allow(all_requests=True) if allow else contextlib.nullcontext()

    @contextlib.contextmanager
    def _passed_over(self):
        """Expect one line in the log, without payload and traceback, and nothing louder of anybody."""
        # By number: Odoo's tests give the name INFO to another level.
        with self.assertNoLogs(level=logging.WARNING), self.assertLogs(LOGGER, logging.INFO) as log:
            yield
        (line,) = log.records
        self.assertRegex(line.getMessage(), r"^a callback was passed over: it [\w ,]+$")
        self.assertEqual((line.levelno, line.exc_info), (logging.INFO, None))
        self.assertFalse(self._is_due())

    def test_half_a_body_is_one_line_without_payload(self):
        for kind in ("text/plain", "application/json", "application/x-www-form-urlencoded"):
            head = [f"Content-Type: {kind}", "Content-Length: 1000"]
            with self.subTest(kind), self._passed_over():
                answer, _seconds = self._raw(head, b"name=Payee")
            self.assertIn(b" 202 ", answer)

    def test_a_slow_body_holds_a_worker_for_seconds_only(self):
        chunked = ["Content-Type: text/plain", "Transfer-Encoding: chunked"]
        plain = ["Content-Type: application/x-www-form-urlencoded", "Content-Length: 5000"]
        for name, head, parts in (
            ("byte by byte", plain, [b"x"] * 40),
            ("chunk by chunk", chunked, [b"1\r\nx\r\n"] * 40),
            ("a chunk's size without an end", chunked, [b"0"] * 40),
            ("nothing more", plain, [b"x"]),
            ("nothing", plain, []),
        ):
            with self.subTest(name), self._passed_over():
                answer, seconds = self._raw(head, *parts, pause=0.25)
            self.assertLess(seconds, BODY_SECONDS + 4)  # the bytes last ten
            self.assertIn(b" 202 ", answer)

    def test_a_slow_body_ends_in_a_worker_process_too(self):
        """Their server names the connection otherwise than the one with threads, in which tests run."""
        threaded = server.RequestHandler.make_environ

        def make_environ(handler):
            environ = threaded(handler)
            del environ["socket"]
            return environ

        head = ["Content-Type: text/plain", "Content-Length: 5000"]
        with patch.object(server.RequestHandler, "make_environ", make_environ), self._passed_over():
            answer, seconds = self._raw(head, *[b"x"] * 40, pause=0.25)
        self.assertLess(seconds, BODY_SECONDS + 1.5)
        self.assertIn(b" 202 ", answer)

    def test_a_chunked_body_is_read_up_to_the_limit(self):
        head = ["Content-Type: text/plain", "Transfer-Encoding: chunked"]
        self._raw(head, b"5\r\nhello\r\n", b"0\r\n\r\n")
        self.assertTrue(self._is_due())
        with self._passed_over(), contextlib.suppress(ConnectionError):
            self._raw(head, *[b"4000\r\n" + b"x" * 0x4000 + b"\r\n"] * 6, pause=0.01)

    def test_too_many_are_passed_over(self):
        PaymentCallback._recent.extend([time.monotonic()] * CALLS)
        answer = self._call()
        self.assertEqual((answer.status_code, answer.text, self._is_due()), (202, "", False))
        PaymentCallback._recent.clear()
        self._call()
        self.assertTrue(self._is_due())

    def test_without_the_gateways_key_no_address_is_good(self):
        """As in a neutralized copy of the database, whose `database.secret` everybody can read."""
        self.env["g2p.payment.gateway.secret"]._keep(self.gateway, "callback_key", "")
        self._call()
        self.assertFalse(self._is_due())
        self.assertEqual(self.submission._callback_url(), "")

    def test_no_job_keeps_the_key(self):
        """A template may queue any method, and the queue keeps what it returns."""
        key = self.gateway._secrets()["callback_key"]
        methods = [name for name in dir(type(self.gateway)) if "callback" in name and name.endswith("key")]
        for name in methods:
            with self.subTest(name):
                self.assertNotIn(key, str(getattr(self.gateway, name)()))

    def test_a_key_that_cannot_be_read_makes_no_address_good(self):
        """As on a server without the key file: results come by asking."""
        with patch.dict(os.environ, {"G2P_PAYMENT_KEY_FILE": "/nowhere/payment-keys"}):
            self.assertEqual(self._call().status_code, 202)
            self.assertEqual(self.submission._callback_url(), "")
        self.assertFalse(self._is_due())

    def test_a_secret_that_cannot_be_read_lets_nobody_in(self):
        self.gateway.callback_secret = "shared"
        moved = "UPDATE g2p_payment_gateway_secret SET value = 'fernet:x' WHERE name = 'callback_secret'"
        self._sql(moved)
        self._call()
        self.assertFalse(self._is_due())

    def test_a_new_key_ends_the_addresses_given_out(self):
        administrator = self._user("gateway_admin", "g2p_payment_hub.group_gateway_admin")
        for user in (self.finance_user, self.manager_user):
            with self.assertRaises(AccessError):
                self.gateway.with_user(user).action_renew_callback_key()
        self.gateway.with_user(administrator).action_renew_callback_key()
        self._call()
        self.assertFalse(self._is_due())
        self._call(self.submission._callback_url())
        self.assertTrue(self._is_due())

    def test_where_it_is_signed_the_signature_counts(self):
        self.gateway.callback_secret = "shared"
        now = int(time.time())
        for headers, body in (
            ({}, BODY),
            (self._signed(secret=b"guessed"), BODY),
            (self._signed(), b"another body"),
            (self._signed(now - 330), BODY),
            (self._signed(now + 360), BODY),
            ({**self._signed(), "X-Timestamp": str(now - 1)}, BODY),
            ({**self._signed(), "X-Timestamp": "soon"}, BODY),
            ({"X-Signature": self._signed()["X-Signature"]}, BODY),
        ):
            answer = self._call(data=body, **headers)
            self.assertEqual((answer.status_code, answer.text, self._is_due()), (202, "", False), headers)
        signed = self._signed()
        self._call(**signed)
        self.assertTrue(self._is_due())
        self._call(**signed)
        self.assertFalse(self._is_due(), "the same call again")

    def test_the_secret_does_not_come_back(self):
        self.gateway.callback_secret = "shared-secret-value"
        self.assertNotIn("shared-secret-value", repr(self.gateway.read()))
        with self.assertRaises(AccessError):
            self.gateway.with_user(self.finance_user).read(["callback_secret"])

    def test_a_gateway_can_check_more(self):
        seen = []

        def check(gateway, call):
            seen.append((gateway, call.method, call.headers["Content-Type"], call.body, call.path))
            return False

        with patch.object(type(self.env[GATEWAY]), "_check_callback", check):
            self._call()
        self.assertFalse(self._is_due())
        self.assertEqual(seen, [(self.gateway, "POST", "text/plain", BODY, urlsplit(self.url).path)])

    def test_the_gateways_own_address(self):
        """For payment systems that cannot be told an address with each batch."""
        self.assertTrue(self.gateway.callback_url.startswith("https://payments.example/g2p_payment/"))
        token, heard = self.gateway.callback_url.rpartition("/")[2], []

        def hear(gateway, call):
            heard.append((gateway, call.method, call.path, call.body))

        other = self.gateway.copy({"callback_base_url": "https://payments.example"})
        path = urlsplit(self.gateway.callback_url).path + "/transfers/17"
        with patch.object(type(self.env[GATEWAY]), "_hear_news", hear):
            answer = self._call(path)
            self.assertEqual((answer.status_code, answer.text), (202, ""))
            self.assertEqual(heard, [(self.gateway, "POST", path, BODY)])
            for forged in (
                path.replace(token, "0" * 64),
                path.replace(token, self.url.rpartition("/")[2]),
                urlsplit(other.callback_url).path.replace(f"/{other.id}/", f"/{self.gateway.id}/"),
                path.replace(f"/{self.gateway.id}/", "/2147483647/"),
                path.replace("/gateway_news/", "/news/"),
            ):
                self.assertEqual(self._call(forged).text, "")
            self.gateway.action_renew_callback_key()
            self._call(path)
            self.assertEqual(len(heard), 1)
        self.assertFalse(self._is_due())
        with self.assertRaises(AccessError):
            self.gateway.with_user(self.finance_user).read(["callback_url"])

    def test_an_error_of_ours_is_not_told(self):
        def fail(*_arguments):
            raise ValueError("of ours")

        with (
            patch.object(type(self.env[GATEWAY]), "_check_callback", fail),
            mute_logger("odoo.addons.g2p_payment_reconcile.controllers.callback"),
        ):
            answer = self._call()
        self.assertEqual((answer.status_code, answer.text, self._is_due()), (202, "", False))
