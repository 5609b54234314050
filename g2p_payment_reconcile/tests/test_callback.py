import hashlib
import hmac
import time
from datetime import timedelta
from unittest.mock import patch
from urllib.parse import urlsplit

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from odoo.addons.g2p_payment_hub.client.outcomes import OutcomeStatus
from odoo.addons.g2p_payment_hub.tests.common import GATEWAY, PaymentHubCase

from ..controllers.callback import CALLS, MAX_BODY_BYTES, PaymentCallback

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
