"""Who may do what with evidence."""

from psycopg2.errors import CheckViolation

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.g2p_payment_hub.tests.common_rights import RolesCase

from .common_evidence import EVIDENCE, EvidenceCase


@tagged("post_install", "-at_install")
class TestEvidenceRights(EvidenceCase, RolesCase):
    def test_who_may_upload(self):
        def upload(number, user):
            self._read(self._row(reference=f"R{number}"), user=user)

        self._only(("finance", "admin"), upload, make=iter(range(100)).__next__)

    def test_who_may_apply_and_discard(self):
        numbers = iter(range(100))

        def make():
            return self._read(self._row(reference=f"R{next(numbers)}"), user=self.third)

        for act in (
            lambda one, user: one.with_user(user).with_context(preview=one.preview).action_apply(),
            lambda one, user: one.with_user(user).action_discard(),
            lambda one, user: one.with_user(user).action_match_again(),
        ):
            self._only(("finance", "admin"), act, make)

    def test_who_may_look(self):
        evidence = self._read(self._row(reference="R"))

        def look(_nothing, user):
            evidence.with_user(user).read(["name", "totals"])
            evidence.with_user(user).line_ids.read(["why", "amount"])

        self._only(("finance", "admin", "manager"), look)

    def test_the_file_is_for_those_who_see_payment_files(self):
        evidence = self._read(self._row(reference="R"))

        def look(_nothing, user):
            evidence.with_user(user).read(["file"])
            evidence.with_user(user).line_ids.read(["raw", "payee"])

        self._only(("finance", "admin"), look)

    def test_defaults_that_somebody_keeps_apply_nothing(self):
        for name, value in (("applied_by_id", self.third.id), ("state", '"applied"'), ("discarded_by_id", 2)):
            field = self.env["ir.model.fields"]._get(EVIDENCE, name)
            values = {"field_id": field.id, "json_value": str(value), "user_id": self.first.id}
            self.env["ir.default"].with_user(self.first).create(values)
        evidence = self._read(self._row(reference="R"))
        self.assertEqual(evidence.state, "matched")
        self.assertFalse(evidence.applied_by_id or evidence.discarded_by_id)

    def test_nobody_writes_makes_or_deletes_them(self):
        evidence = self._read(self._row(self._sent().payment_ids))
        line = evidence.line_ids
        for act in (
            lambda user: evidence.with_user(user).write({"uploaded_by_id": self.third.id}),
            lambda user: evidence.with_user(user).write({"state": "applied", "applied_by_id": user.id}),
            lambda user: evidence.with_user(user).copy(),
            lambda user: evidence.with_user(user).unlink(),
            lambda user: line.with_user(user).write({"match": "matched", "effect": "pays"}),
            lambda user: line.with_user(user).copy(),
            lambda user: line.with_user(user).unlink(),
            lambda user: (
                self.env[EVIDENCE]
                .with_user(user)
                .create({"name": "x", "gateway_id": self.gateway.id, "digest": "x"})
            ),
            lambda user: (
                self.env["g2p.payment.evidence.line"]
                .with_user(user)
                .create({"evidence_id": evidence.id, "number": 9})
            ),
        ):
            self._only((), lambda _nothing, user, act=act: act(user))

    def test_evidence_is_never_deleted(self):
        with self.assertRaisesRegex(UserError, "never deleted"):
            self._read(self._row(reference="R")).sudo().unlink()

    def test_who_may_change_a_mapping(self):
        def change(_nothing, user):
            self.mapping.with_user(user).paid_words = "Rejected, Done"

        self.mapping.failed_words = "Nope"
        self._only(("admin", "gateway_admin"), change)

    def test_what_paid_means_is_in_the_chatter_when_it_changes(self):
        self.env.flush_all()
        self.cr.precommit.run()
        self.mapping.paid_words = "Done, Settled"
        self.env.flush_all()
        self.cr.precommit.run()
        self.assertTrue(self.mapping.message_ids.tracking_value_ids)

    def test_the_superuser_is_nobody(self):
        evidence = self._read(self._row(reference="R"))
        for act in (evidence.action_apply, evidence.action_discard):
            with self.assertRaisesRegex(AccessError, "superuser"):
                act()
        with self.assertRaisesRegex(AccessError, "superuser"):
            self.env[EVIDENCE]._upload(self.gateway, self.mapping, "x", b"x")

    @mute_logger("odoo.sql_db")
    def test_postgresql_asks_for_two_people_as_well(self):
        evidence = self._read(self._row(reference="R"))
        for applier in (self.first.id, None):
            with self.assertRaises(CheckViolation), self.env.cr.savepoint():
                self._sql(
                    "UPDATE g2p_payment_evidence SET state = 'applied', applied_by_id = %s WHERE id = %s",
                    applier,
                    evidence.id,
                )

    def test_nobody_uploads_for_a_gateway_of_another_company(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        gateway = self._gateway(name="Elsewhere", company_id=company.id)
        mapping = self._mapping(gateway_id=gateway.id)
        with self.assertRaises(AccessError):
            self.env[EVIDENCE].with_user(self.first)._upload(gateway, mapping, "x", self._csv(self._row()))
        evidence = self._read(self._row(reference="R"))
        self._sql("UPDATE g2p_payment_evidence SET company_id = %s", company.id)
        self._sql("UPDATE g2p_payment_evidence_line SET company_id = %s", company.id)
        self.assertFalse(self.env[EVIDENCE].with_user(self.second).search([]))
        with self.assertRaises(AccessError):
            evidence.with_user(self.second).action_apply()

    def test_the_mapping_is_this_gateways(self):
        other = self._gateway(name="Other")
        with self.assertRaisesRegex(UserError, "another gateway's"):
            self._upload(self._csv(self._row()), gateway=other)

    def test_applied_evidence_is_not_discarded(self):
        evidence = self._read(self._row(reference="R"))
        self._apply(evidence)
        with self.assertRaisesRegex(UserError, "cannot become"):
            evidence.with_user(self.second).action_discard()
        with self.assertRaisesRegex(UserError, "Only evidence in preview"):
            self._apply(evidence, self.third)
