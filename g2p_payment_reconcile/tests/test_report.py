from datetime import timedelta

from lxml import etree

from odoo import Command, fields
from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools.safe_eval import safe_eval

from odoo.addons.g2p_payment_hub.client.outcomes import FailureType, OutcomeStatus

from .common_reissue import ReissueCase

SUSPECT = OutcomeStatus.SUSPECT
AMOUNTS = ("amount_issued", "amount_paid", "amount_failed", "amount_open")


@tagged("post_install", "-at_install")
class TestReport(ReissueCase):
    """The figures that finance groups as it likes add up to what is in the database."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.report = cls.env["g2p.payment.report"]

    def _everything(self):
        """Two batches: one paid, one failed and issued again, one returned, one in doubt, one waiting."""
        self._entitle_others(3)
        batch = self._sent()
        paid, failed, returned, doubt, _waiting = batch.payment_ids.sorted("id")
        self._pays(paid + returned)
        self._fails(failed, FailureType.TECHNICAL)
        self.hub.tell(doubt, SUSPECT, remote_reference="r9")
        self._pull(batch)
        self.hub.tell(
            returned, OutcomeStatus.FAILED, failure_type=FailureType.RETURNED, remote_reference="r8"
        )
        self._pull(batch)
        self._decides(returned.exception_ids, "reverse")
        return batch, self._reissue(batch)

    def test_its_sums_are_those_of_the_payments(self):
        self._everything()
        self._payment_of_another_manager(self._entitle(phone="+27713899999"), status="paid")
        self.env.flush_all()
        ((payments, *amounts),) = self.report.sudo()._read_group(
            [], aggregates=["payments:sum", *(f"{name}:sum" for name in AMOUNTS)]
        )
        self.env.cr.execute(
            """
            SELECT count(*), sum(amount_issued), coalesce(sum(amount_paid) FILTER (WHERE status = 'paid'), 0),
                   sum(amount_issued) FILTER (WHERE status = 'failed'),
                   sum(amount_issued) FILTER (WHERE status IS NULL)
              FROM g2p_payment WHERE gateway_id IS NOT NULL
            """
        )
        self.assertEqual((payments, *map(float, amounts)), tuple(map(float, self.env.cr.fetchone())))
        self.assertEqual(amounts[0], sum(amounts[1:]), "issued is paid, failed and open")

    def test_by_outcome_and_failure_type(self):
        batch, again = self._everything()
        rows = self.report._read_group(
            [("program_id", "=", self.program.id)], ["outcome", "failure_type"], ["payments:sum"]
        )
        self.assertEqual(
            {row[:2]: row[2] for row in rows},
            {
                ("paid", False): 1,
                ("failed", "technical"): 1,
                ("failed", "returned"): 1,
                ("unresolved", False): 1,
                ("waiting", False): 1,
                ("not_sent", False): 1,
            },
        )
        one = self.report.search([("batch_id", "=", again.id)])
        self.assertTrue(one.reissued)
        self.assertEqual(one.gateway_id, batch.gateway_id)

    def test_what_the_screens_group_by(self):
        self._everything()
        for field in (
            "program_id",
            "cycle_id",
            "gateway_id",
            "batch_id",
            "currency_id",
            "issued_at:month",
            "age",
        ):
            rows = self.report._read_group([], [field], ["payments:sum", "days_to_final:avg"])
            self.assertEqual(sum(row[1] for row in rows), 6, field)

    def test_no_screen_opens_with_a_sum_over_currencies(self):
        pivot, graph = (
            self.env.ref(f"g2p_payment_reconcile.payment_report_view_{kind}").arch
            for kind in ("pivot", "graph")
        )
        first_row = etree.fromstring(pivot).find("field[@type='row']")
        self.assertEqual(first_row.get("name"), "currency_id")
        measures = [one.get("name") for one in etree.fromstring(graph).findall("field[@type='measure']")]
        self.assertEqual(measures, ["payments"])
        ageing = safe_eval(self.env.ref("g2p_payment_reconcile.payment_report_ageing_action").context)
        self.assertEqual(ageing["pivot_row_groupby"][0], "currency_id")
        self.assertEqual(ageing["graph_measure"], "payments")

    def test_days_and_ages(self):
        batch, _again = self._everything()
        now = fields.Datetime.now()
        paid, _failed, _returned, doubt, waiting = batch.payment_ids.sorted("id")
        batch.submission_ids.sudo().ended_at = now - timedelta(days=5)
        paid.sudo().status_datetime = now - timedelta(days=3)
        self.env.flush_all()
        row = {one.payment_id: one for one in self.report.search([("batch_id", "=", batch.id)])}
        self.assertAlmostEqual(row[paid].days_to_final, 2, 4)
        self.assertFalse(row[paid].age)
        self.assertEqual((row[doubt].age, row[waiting].age), ("7", "7"))
        self.assertFalse(row[waiting].days_to_final)
        for days, bucket in ((0.5, "1"), (2, "3"), (20, "30"), (31, "more")):
            batch.submission_ids.sudo().ended_at = now - timedelta(days=days)
            self.env.invalidate_all()
            self.assertEqual(row[waiting].age, bucket)

    def test_who_sees_it(self):
        self._sent()
        self._only(
            {"manager", "finance", "admin"},
            lambda _none, user: self.report.with_user(user).search([]).read(),
        )
        for user in (self.users["admin"], self.users["manager"]):
            with self.assertRaises(AccessError):
                self.report.with_user(user).search([], limit=1).write({"amount_paid": 1})

    def test_nobody_sees_another_companys(self):
        self._sent()
        company = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = self._user("stranger", "g2p_programs.g2p_finance_validator")
        self.assertEqual(self.report.with_user(stranger).search_count([]), 2)
        stranger.write({"company_ids": [Command.set(company.ids)], "company_id": company.id})
        self.assertFalse(self.report.with_user(stranger).search_count([]))

    def test_it_says_nothing_of_who_is_paid(self):
        names = set(self.report._fields)
        self.assertFalse(names & {"partner_id", "account_number", "entitlement_id"})
