import base64
import json
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

from werkzeug.datastructures import Headers

from odoo import fields
from odoo.tests import tagged

from odoo.addons.g2p_payment_hub.client.calls import Call

from ..client import jws, keys
from .common import MojaloopCase

PREFIX = "/g2p_payment/gateway_news/1/token"
KEYS = {name: keys.new_key(2048) for name in ("payeefsp", "mallory", "treasury")}


@tagged("post_install", "-at_install")
class TestSignedCallback(MojaloopCase):
    """What a gateway believes: the call of an institution of the scheme, to us, now, once."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        published = {name: keys.public_key(KEYS[name]) for name in ("payeefsp", "mallory")}
        cls.env["g2p.mojaloop.peer.key"]._replace(cls.gateway, published)

    def setUp(self):
        super().setUp()
        self.batch = self._approved()
        self.scheme.lose_replies.add(self.batch.payment_ids.account_number)
        self._send(self.batch)
        self._pay(self.batch)
        self.transfer = self._transfers(self.batch)
        self.assertEqual(self.transfer.state, "unknown")
        self.uri = f"/transfers/{self.transfer.transfer_id}"
        self.body = {"transferState": "COMMITTED", "note": "José", "fulfilment": "f" * 43}
        self.later = fields.Datetime.now() + timedelta(minutes=5)
        self._wait()

    def _wait(self):
        """The scheme is to be asked later, and was asked some time ago."""
        self._sql(
            "UPDATE g2p_mojaloop_transfer SET next_at = %s, write_date = %s WHERE id = %s",
            self.later,
            self.later - timedelta(minutes=10),
            self.transfer.id,
        )

    def _call(self, minutes=0, key="payeefsp", uri=None, method="PUT", **headers):
        """As the payee's institution sends it, however many minutes ago; a header is left out by None."""
        then = datetime.now(timezone.utc) - timedelta(minutes=minutes)
        given = {
            "FSPIOP-Source": "payeefsp",
            "FSPIOP-Destination": "treasury",
            "Date": format_datetime(then, usegmt=True),
        }
        given.update({name.replace("_", "-"): value for name, value in headers.items()})
        given = {name: value for name, value in given.items() if value is not None}
        uri = uri or self.uri
        given.update(jws.sign(method, uri, given, self.body, keys.load_key(KEYS[key])))
        return Call(method, PREFIX + uri, Headers(given), json.dumps(self.body, indent=1).encode())

    def _with(self, call, **headers):
        """The call with other headers than were signed."""
        changed = Headers(list(call.headers))
        for name, value in headers.items():
            changed[name.replace("_", "-")] = value
        return call._replace(headers=changed)

    def _believes(self, call):
        return self.gateway._check_callback(call)

    def test_signed_by_the_sender_for_us_now(self):
        self.assertTrue(self._believes(self._call()))
        self.assertTrue(self._believes(self._call(4, uri=self.uri + "/error")))

    def test_once(self):
        call = self._call()
        self.assertTrue(self._believes(call))
        self.assertFalse(self._believes(call), "the same call again")
        self.assertFalse(self._believes(call._replace(path="/another" + call.path)), "to another address")

    def test_once_however_the_signature_is_written(self):
        """The last letter of base64url has bits that do not count."""
        call = self._call()
        header = json.loads(call.headers[jws.SIGNATURE])
        signature = header["signature"]
        same = next(
            signature[:-1] + letter
            for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
            if letter != signature[-1] and _bytes(signature[:-1] + letter) == _bytes(signature)
        )
        again = self._with(call, FSPIOP_Signature=json.dumps({**header, "signature": same}))
        self.assertTrue(self._believes(again))
        self.assertFalse(self._believes(call))

    def test_another_gateway_takes_it_once_as_well(self):
        other = self._mojaloop(name="Another")
        call = self._call()
        self.assertFalse(other._check_callback(call), "no key of the sender was fetched there")
        published = {"payeefsp": keys.public_key(KEYS["payeefsp"])}
        self.env["g2p.mojaloop.peer.key"]._replace(other, published)
        self.assertTrue(other._check_callback(call))
        self.assertTrue(self._believes(call))

    def test_forged(self):
        good = self._call()
        for what, call in {
            "by another's key": self._call(key="mallory"),
            "by our own key": self._call(key="treasury", FSPIOP_Source="treasury"),
            "by somebody unknown": self._call(FSPIOP_Source="nobody"),
            "for somebody else": self._call(FSPIOP_Destination="mallory"),
            "for nobody": self._call(FSPIOP_Destination=None),
            "by nobody": self._with(good, FSPIOP_Source=""),
            "under another's name": self._with(good, FSPIOP_Source="mallory"),
            "for us after all": self._with(
                self._call(FSPIOP_Destination="mallory"), FSPIOP_Destination="treasury"
            ),
            "another body": good._replace(body=good.body.replace(b"COMMITTED", b"ABORTED")),
            "no body": good._replace(body=b""),
            "no JSON": good._replace(body=b"<html>"),
            "another method": good._replace(method="POST"),
            "another address": good._replace(path=PREFIX + "/transfers/" + "0" * 36),
            "half a signature": self._with(good, FSPIOP_Signature="{}"),
            "an empty signature": self._with(good, FSPIOP_Signature=""),
        }.items():
            with self.subTest(what):
                self.assertFalse(self._believes(call))
        self.assertTrue(self._believes(good))

    def test_stale(self):
        good = self._call()
        now = format_datetime(datetime.now(timezone.utc), usegmt=True)
        for what, call in {
            "six minutes ago": self._call(6),
            "in six minutes": self._call(-6),
            "with another date": self._with(self._call(6), Date=now),
            "at no time": self._call(Date=None),
            "at some time": self._call(Date="soon"),
            "in no zone": self._call(Date=now.replace("GMT", "-0000")),
        }.items():
            with self.subTest(what):
                self.assertFalse(self._believes(call))
        self.assertTrue(self._believes(good))

    def test_a_key_that_is_withdrawn(self):
        call = self._call()
        self.env["g2p.mojaloop.peer.key"]._replace(self.gateway, {})
        self.assertFalse(self._believes(call))

    def test_without_a_signature(self):
        call = self._call()
        unsigned = call._replace(headers=Headers([pair for pair in call.headers if pair[0] != jws.SIGNATURE]))
        self.assertFalse(self._believes(unsigned))
        self.gateway.mojaloop_signed_callbacks = False
        self.assertTrue(self._believes(unsigned))
        self.assertFalse(self._believes(self._call(key="mallory")), "what is signed is checked all the same")
        self.assertTrue(self.payment_hub._check_callback(unsigned), "Payment Hub EE cannot sign")

    def _is_asked_for(self, path):
        """Whether the call makes the scheme asked for the transfer now; from here on it is not."""
        before = self._facts()
        self.gateway._hear_news(Call("PUT", PREFIX + path, Headers(), b""))
        self.env.invalidate_all()
        self.assertEqual(self._facts(), before)
        due = self.transfer.next_at <= fields.Datetime.now()
        self.assertEqual(due, bool(self._wakes()))
        self._wakes().unlink()
        self._wait()
        return due

    def _facts(self):
        payment = self.batch.payment_ids
        return self.transfer.read(["state", "asks", "transfer_state"]), payment.read(["state", "status"])

    def _wakes(self):
        cron = self.env.ref("g2p_mojaloop_connector.cron_carry_on")
        soon = fields.Datetime.now() + timedelta(seconds=2)
        return self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id), ("call_at", "<=", soon)])

    def test_news_make_the_scheme_asked_and_nothing_else(self):
        self._wakes().unlink()
        self.assertTrue(self._is_asked_for(self.uri))
        self.assertTrue(self._is_asked_for(self.uri + "/error"))
        for path in (
            "",
            "/transfers/",
            self.uri.replace("transfers", "quotes"),
            self.uri + "/x",
            self.uri + "0",
        ):
            with self.subTest(path):
                self.assertFalse(self._is_asked_for(path))

    def test_not_more_often_than_every_ten_seconds(self):
        self._wakes().unlink()
        # Not now(), which is when the test began: on a busy machine that may be long ago.
        self._sql("UPDATE g2p_mojaloop_transfer SET write_date = clock_timestamp() at time zone 'UTC'")
        self.assertFalse(self._is_asked_for(self.uri))

    def test_only_what_is_unknown_and_nobody_works_on(self):
        self._wakes().unlink()
        for change in ("lease_until = now() at time zone 'UTC' + interval '1 minute'", "state = 'committed'"):
            self._sql(f"UPDATE g2p_mojaloop_transfer SET {change}")
            self.assertFalse(self._is_asked_for(self.uri), change)

    def test_only_of_this_gateway(self):
        self._mojaloop(name="Another")._hear_news(Call("PUT", self.uri, Headers(), b""))
        self.env.invalidate_all()
        self.assertEqual(self.transfer.next_at, self.later.replace(microsecond=0))

    def test_then_the_scheme_is_asked(self):
        """The scheme had carried it out; the answer had been lost."""
        self.gateway._hear_news(Call("PUT", PREFIX + self.uri, Headers(), b""))
        self.env.invalidate_all()
        self.assertEqual(self.env["g2p.payment.submission"]._due_submissions(), self.batch.submission_ids)
        asked = len(self.scheme.requests)
        self.batch.submission_ids.sudo()._pay()
        self.assertIn(("GET", self.uri), self.scheme.requests[asked:])


def _bytes(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
