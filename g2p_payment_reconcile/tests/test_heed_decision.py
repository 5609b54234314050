from unittest.mock import patch

from odoo.tests import tagged

from .common import PAID
from .common_evidence import EvidenceCase


@tagged("post_install", "-at_install")
class TestHeedDecision(EvidenceCase):
    """Whoever still pays a payment is told when others than the payment system give it its result."""

    def setUp(self):
        super().setUp()
        self.heard = []

        def heed(payments):
            self.heard += [one.status for one in payments]

        self._start(patch.object(self.env.registry["g2p.payment"], "_heed_decision", heed))

    def test_people_decide_and_take_back(self):
        _batch, exception = self._doubtful()
        self._propose(exception, "declare_failed")
        self.assertEqual(self.heard, [], "nothing is decided before a second person agrees")
        exception.with_user(self.second).action_confirm()
        self.assertEqual(self.heard, ["failed"])
        self._undo(exception, "take_back", self.third)
        self.assertEqual(self.heard, ["failed", False])

    def test_a_document_is_applied(self):
        batch = self._sent()
        evidence = self._upload(self._csv(self._row(batch.payment_ids)))
        self._apply(evidence)
        self.assertEqual((batch.payment_ids.status, self.heard), ("paid", ["paid"]))

    def test_the_payment_system_itself_says_so(self):
        batch = self._sent()
        self._say(batch.payment_ids, PAID)
        self.assertEqual(self.heard, [])
