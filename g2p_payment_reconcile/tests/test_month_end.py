from datetime import timedelta
from decimal import Decimal
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.g2p_payment_hub.client import csv_file
from odoo.addons.g2p_payment_hub.client.outcomes import FailureType
from odoo.addons.g2p_payment_hub.tests.common import GATEWAY, LedgerHub
from odoo.addons.queue_job.tests.common import trap_jobs

from .common import FAILED, PAID, WAITING
from .common_evidence import EvidenceCase


@tagged("post_install", "-at_install")
class TestMonthEnd(EvidenceCase):
    """One month of a treasury: three batches through two payment systems, a callback that never came, a
    contradiction, a re-issue, a bank statement; and in the end the figures agree on every side."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.gateway.callback_base_url = "https://payments.example"
        cls.bank = cls._gateway(name="Bank")
        cls.pensions = cls._program("Pensions")
        cls._manager(cls.pensions, gateway_id=cls.bank.id)
        cls.pensions_cycle = cls._cycle(cls.pensions)

    def setUp(self):
        super().setUp()
        self.hubs = {self.gateway: LedgerHub(), self.bank: LedgerHub()}
        patcher = patch.object(
            type(self.env[GATEWAY]), "_client", lambda gateway, *_batch: self.hubs[gateway.sudo(False)]
        )
        patcher.start()
        self.addCleanup(patcher.stop)

    def _pay(self, cycle):
        """Prepared by the program manager, approved and sent by finance."""
        self.cycle = cycle
        batch = self._prepare()
        self._approve(batch, self.first)
        self._send(batch, self.first)
        self.assertEqual(batch.batch_state, "sent")
        return batch

    def _answer(self, payments, status, **values):
        for payment in payments:
            hub = self.hubs[payment.gateway_id]
            hub.tell(payment, status, remote_reference=f"tx-{payment.id}", **values)

    def _time_passes(self):
        """The scheduled action finds what is due, and its jobs run; then the hubs have nothing new to say."""
        submissions = self.env["g2p.payment.submission"].search([("state", "=", "accepted")])
        submissions.sudo().next_poll_at = fields.Datetime.now() - timedelta(seconds=1)
        with trap_jobs() as jobs:
            self.env.ref("g2p_payment_reconcile.cron_pull_outcomes").ir_actions_server_id.run()
            jobs.perform_enqueued_jobs()
        for hub in self.hubs.values():
            hub.told.clear()
        self.env.flush_all()
        self.env.invalidate_all()

    def _totals(self, batch):
        """Outcome to (payments, approved, paid), of the statement that finance prints."""
        totals = batch.with_user(self.first)._statement()[1]
        return {outcome: tuple(figures[:3]) for outcome, *figures in totals.rows if figures[0]}

    def _money(self, *figures):
        count, *amounts = figures
        return (count, *(Decimal(amount).quantize(Decimal("0.01")) for amount in amounts))

    def test_a_month(self):
        # Five grants of 100 and four pensions of 50, through two payment systems.
        for number in range(5):
            self._entitle(phone=f"+2771390{number:04d}", amount=100, cycle=self.cycle)
        for number in range(5, 9):
            self._entitle(phone=f"+2771390{number:04d}", amount=50, cycle=self.pensions_cycle)
        grants_cycle = self.cycle
        grants, pensions = self._pay(grants_cycle), self._pay(self.pensions_cycle)
        self.assertEqual((grants.gateway_id, pensions.gateway_id), (self.gateway, self.bank))

        # The hub was told where to call, and never does; the scheduled action learns it all the same.
        (upload,) = self.hubs[self.gateway].received
        self.assertTrue(upload.callback_url.startswith("https://payments.example/"))
        *paid, short_of_money, closed = grants.payment_ids.sorted("id")
        self._answer(paid, PAID)
        self._answer(short_of_money, FAILED, failure_type=FailureType.INSUFFICIENT_FUNDS, reason="no funds")
        self._answer(closed, FAILED, failure_type=FailureType.ACCOUNT_CLOSED, reason="closed")
        # The bank contradicts itself about one, and has no word about another.
        first, second, both, silent = pensions.payment_ids.sorted("id")
        self._answer(first + second + both, PAID)
        self._answer(both, FAILED)
        self._answer(silent, WAITING)
        self._time_passes()
        self.assertEqual((grants.batch_state, pensions.batch_state), ("done", "sent"))

        # The program manager issues again what may work as it is; finance approves and sends it.
        wizard = self.env["g2p.payment.reissue.wizard"].with_user(self.manager_user)
        wizard = wizard.browse(grants.with_user(self.manager_user).action_reissue_failed()["res_id"])
        self.assertEqual(wizard.line_ids.filtered("chosen").payment_id, short_of_money)
        wizard.action_reissue()
        again = short_of_money.reissue_ids.batch_id
        self._approve(again, self.first)
        self._send(again, self.first)
        self._answer(again.payment_ids, PAID)
        self._time_passes()
        self.assertEqual(again.batch_state, "done")

        # Nothing of the pensions can end before people have decided.
        with self.assertRaisesRegex(UserError, "1 unresolved, 1 waiting"):
            self.pensions_cycle.with_user(self.manager_user).action_distribute()
        self._decide(both.exception_ids, "declare_failed")
        statement = self._upload(
            self._camt((silent.name, "50.00", "DBIT", "booking-1")),
            mapping=False,
            gateway=self.bank,
            name="november.xml",
        )
        self.assertFalse(silent.status)
        self._apply(statement)
        self.assertEqual((silent.status, pensions.batch_state), ("paid", "done"))

        # The three statements, to the cent.
        self.assertEqual(
            self._totals(grants),
            {
                "Paid": self._money(3, 300, 300),
                "Failed": self._money(2, 200, 0),
                "All": self._money(5, 500, 300),
            },
        )
        self.assertEqual(
            self._totals(again), {"Paid": self._money(1, 100, 100), "All": self._money(1, 100, 100)}
        )
        self.assertEqual(
            self._totals(pensions),
            {
                "Paid": self._money(3, 150, 150),
                "Failed": self._money(1, 50, 0),
                "All": self._money(4, 200, 150),
            },
        )
        printed = self.env["ir.actions.report"].with_user(self.first)
        html, _kind = printed._render_qweb_html("g2p_payment_reconcile.payment_batch_statement", pensions.ids)
        for words in (
            "Declare Failed",
            "Letter of the bank",
            "november.xml",
            pensions.frozen_digest,
            "whole",
        ):
            self.assertIn(words, html.decode())

        # The analysis, the hubs' uploads and PostgreSQL say the same.
        report = self.env["g2p.payment.report"].with_user(self.first)
        sums = report._read_group(
            [], ["program_id"], ["payments:sum", "amount_issued:sum", "amount_paid:sum"]
        )
        self.assertEqual(
            {program: tuple(figures) for program, *figures in sums},
            {self.program: (6, 600, 400), self.pensions: (4, 200, 150)},
        )
        self.env.cr.execute(
            "SELECT sum(amount_paid) FROM g2p_payment WHERE gateway_id IS NOT NULL AND status = 'paid'"
        )
        self.assertEqual(self.env.cr.fetchone(), (550,))
        for gateway, sent in ((self.gateway, 600), (self.bank, 200)):
            rows = [row for one in self.hubs[gateway].received for row in csv_file.parse(one.content)]
            self.assertEqual(sum(row.amount for row in rows), sent)
            self.assertEqual(len({row.reference for row in rows}), len(rows))

        # What remains unpaid is said before the cycles end.
        for cycle, remains in ((grants_cycle, "1, $\xa0100.00"), (self.pensions_cycle, "1, $\xa050.00")):
            wizard = self.env["g2p.cycle.distribute.wizard"].with_user(self.manager_user)
            wizard = wizard.create({"cycle_id": cycle.id})
            self.assertIn(remains, wizard.remains)
        for batch in grants + again + pensions:
            self.assertEqual(self.env["g2p.payment.event"]._first_broken(batch), 0)
        found = self.env["g2p.payment.audit.check"]._find(grants + again + pensions)
        self.assertEqual(found["result"], "whole", found["findings"])

        # A pensioner asks at the counter.
        inquiry = self.env["g2p.payment.inquiry"].with_user(self.second)
        answer = inquiry.create({"partner_id": silent.partner_id.id}).answer
        self.assertIn("Yes: ", answer)
        self.assertIn("We know from november.xml", answer)
