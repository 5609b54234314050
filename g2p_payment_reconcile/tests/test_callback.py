from datetime import timedelta
from urllib.parse import urlsplit

from odoo import fields
from odoo.tests import HttpCase, tagged

from odoo.addons.g2p_payment_hub.client.outcomes import OutcomeStatus
from odoo.addons.g2p_payment_hub.tests.common import PaymentHubCase


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

    def _call(self, url=None, data=b'{"message": "complete with : 100"}'):
        self.env.flush_all()
        return self.url_open(
            urlsplit(url or self.url).path, data=data, headers={"Content-Type": "text/plain"}
        )

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
