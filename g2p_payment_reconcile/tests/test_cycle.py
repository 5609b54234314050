from unittest.mock import patch

from odoo import _
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from odoo.addons.g2p_payment_hub.client.outcomes import OutcomeStatus

from .common_reissue import ReissueCase

SUSPECT = OutcomeStatus.SUSPECT
_REMAINS = ("Approved, and never prepared: %(count)s, %(amount)s.",)


@tagged("post_install", "-at_install")
class TestCycle(ReissueCase):
    """What a cycle says of its payments, and when it ends."""

    def setUp(self):
        super().setUp()
        self._cycle_manager()

    def _cycle_manager(self):
        """A program made without OpenG2P's wizard has none."""
        manager = self.env["g2p.cycle.manager.default"].create(
            {"name": "Cycles", "program_id": self.program.id, "cycle_duration": 1}
        )
        wrapper = self.env["g2p.cycle.manager"].create(
            {"program_id": self.program.id, "manager_ref_id": f"{manager._name},{manager.id}"}
        )
        self.program.cycle_managers = wrapper

    def _progress(self, user=None):
        cycle = self.cycle.with_user(user or self.manager_user)
        cycle.invalidate_recordset()
        names = ("paid", "failed", "waiting", "unresolved", "unprepared")
        (row,) = cycle.read([f"{name}_{kind}" for name in names for kind in ("count", "amount")])
        figures = {name: (row[f"{name}_count"], row[f"{name}_amount"]) for name in names}
        return {name: figure for name, figure in figures.items() if any(figure)}

    def _end_by_itself(self):
        self.env["g2p.cycle"]._cron_mark_distributed()
        return self.cycle.state

    def test_who_has_no_e_mail_address_ends_it(self):
        batch = self._sent()
        first, second = batch.payment_ids
        self._pays(first)
        self._fails(second)
        self._pull(batch)
        self.manager_user.partner_id.email = False
        wizard = self.env["g2p.cycle.distribute.wizard"].with_user(self.manager_user)
        wizard.create({"cycle_id": self.cycle.id}).action_distribute()
        self.assertEqual(self.cycle.state, "distributed")

    def test_a_bad_translation_breaks_no_sentence(self):
        """Nor does it keep other cycles from their end."""
        self.env["res.lang"]._activate_lang("fr_FR")
        bad = {source: source.replace("%(count)s", "%(compte)s") for source in _REMAINS}
        with patch("odoo.tools.translate.code_translations.get_python_translations", lambda *_a: bad):
            said = self.cycle.with_context(lang="fr_FR")._remains_unpaid()
        self.assertEqual(len(said), 1)
        self.assertIn("Approved, and never prepared: 2", said[0])

    @mute_logger("odoo.addons.g2p_payment_reconcile.models.cycle")
    def test_one_that_cannot_be_ended_holds_up_no_other(self):
        """Whatever error it ends in."""
        batch = self._sent()
        self._pays(batch.payment_ids)
        self._pull(batch)
        other = self._cycle(self.program, "Another")
        self._entitle(1, cycle=other, phone="+27713809999")
        other.with_user(self.manager_user).prepare_payment()
        theirs = other.payment_batch_ids
        self._approve(theirs)
        self._send(theirs)
        self._pays(theirs.payment_ids)
        self._pull(theirs)
        distribute = type(self.cycle).mark_distributed

        def broken(cycle):
            if cycle == min(self.cycle, other, key=lambda one: one.id):
                raise KeyError("x")
            return distribute(cycle)

        with patch.object(type(self.cycle), "mark_distributed", broken):
            self._end_by_itself()
        self.assertEqual({self.cycle.state, other.state}, {"approved", "distributed"})

    def test_what_is_paid_stays_in_the_currency_it_was_paid_in(self):
        """Whatever the journal is given later."""
        batch = self._sent()
        self._pays(batch.payment_ids)
        self._pull(batch)
        self.program.journal_id.currency_id = self.env.ref("base.EUR")
        self.env.invalidate_all()
        self.assertEqual(self.cycle.payments_currency_id.name, "USD")
        self.assertEqual(self._end_by_itself(), "distributed")
        said = " ".join(self.cycle.message_ids.mapped("body"))
        self.assertIn("$", said)
        self.assertNotIn("€", said)

    def test_amounts_of_several_currencies_are_said_to_be_in_none(self):
        first, second = self._prepare().payment_ids
        second.sudo().payment_currency_id = self.env.ref("base.EUR")
        self._entitle_others(1)
        self.env.flush_all()
        self.assertFalse(self.cycle.payments_currency_id)
        self.assertIn("1, 100.00", self.cycle._remains_unpaid()[0])

    def test_progress_is_of_entitlements_and_agrees_with_the_payments(self):
        self._entitle_others(3)
        self.assertEqual(self._progress(), {"unprepared": (5, 500)})
        batch = self._sent()
        paid, failed, again, doubt, _waiting = batch.payment_ids
        self._pays(paid)
        self._fails(failed + again)
        self.hub.tell(doubt, SUSPECT, remote_reference="r9")
        self._pull(batch)
        self.assertEqual(
            self._progress(),
            {"paid": (1, 100), "failed": (2, 200), "unresolved": (1, 100), "waiting": (1, 100)},
        )
        self.assertEqual(self.cycle.paid_part, 20)
        wizard = self._wizard(batch)
        self._line(wizard, failed).chosen = False
        wizard.action_reissue()
        self.assertEqual(
            self._progress(),
            {"paid": (1, 100), "failed": (1, 100), "unresolved": (1, 100), "waiting": (2, 200)},
        )

    def test_a_batch_of_unknown_outcome_is_unresolved(self):
        batch = self._prepare()
        batch.sudo().batch_state = "unknown"
        self.assertEqual(self._progress(), {"unresolved": (2, 200)})

    def test_it_takes_one_statement_however_many(self):
        self._entitle_others(20)
        self._prepare()
        self.env.flush_all()
        with self.assertQueryCount(1):
            self.cycle._payment_progress()

    def test_ends_by_itself_when_everything_is_paid(self):
        batch = self._sent()
        first, second = batch.payment_ids
        self._pays(first)
        self._pull(batch)
        self.assertEqual(self._end_by_itself(), "approved", "one is open")
        self._pays(second)
        self._pull(batch)
        self.assertEqual(self._end_by_itself(), "distributed")
        self.assertIn("2 entitlements paid", self.cycle.message_ids[0].body)

    def test_asked_for_as_soon_as_a_batch_is_done(self):
        batch = self._sent()
        self._pays(batch.payment_ids)
        cron = self.env.ref("g2p_payment_reconcile.cron_mark_distributed")
        triggers = [("cron_id", "=", cron.id)]
        before = self.env["ir.cron.trigger"].search_count(triggers)
        self._pull(batch)
        self.assertEqual(self.env["ir.cron.trigger"].search_count(triggers), before + 1)

    def test_does_not_end_by_itself_while_anything_is_unpaid_or_open(self):
        batch = self._sent()
        self._pays(batch.payment_ids)
        self._pull(batch)
        paid = batch.payment_ids[0]
        for what, change in (
            ("a doubt", lambda: setattr(paid.sudo(), "attention", "returned?")),
            ("a failure", lambda: paid.sudo().write({"status": "failed"})),
            ("one never prepared", lambda: self._entitle(phone="+27713899999")),
            ("one not approved yet", lambda: self._entitle(phone="+27713899998").write({"state": "draft"})),
            ("an open batch", lambda: setattr(batch.sudo(), "batch_state", "sent")),
        ):
            with self.subTest(what), self.env.cr.savepoint() as savepoint:
                change()
                self.env.flush_all()
                self.assertEqual(self._end_by_itself(), "approved")
                savepoint.rollback()
                self.env.invalidate_all()
        self.assertEqual(self._end_by_itself(), "distributed")

    def test_cycles_of_other_managers_are_left_alone(self):
        other = self._cycle(self.program, name="Other")
        entitlement = self._entitle(cycle=other)
        self._payment_of_another_manager(entitlement, status="paid")
        self.env["g2p.cycle"]._cron_mark_distributed()
        self.assertEqual(other.state, "approved")
        other.mark_distributed()
        self.assertEqual(other.state, "distributed")

    def test_one_that_cannot_be_ended_does_not_hold_up_the_others(self):
        batch = self._sent()
        self._pays(batch.payment_ids)
        self._pull(batch)

        def refuses(cycle):
            raise UserError(_("not today"))

        with patch.object(type(self.cycle), "mark_distributed", refuses):
            self.assertEqual(self._end_by_itself(), "approved")

    def test_a_person_ends_it_and_reads_what_remains_unpaid(self):
        batch = self._sent()
        paid, failed = batch.payment_ids
        self._pays(paid)
        self._fails(failed)
        self._pull(batch)
        self._entitle(phone="+27713899999")
        action = self.cycle.with_user(self.manager_user).action_distribute()
        wizards = self.env[action["res_model"]].with_user(self.manager_user)
        with Form(wizards.with_context(**action["context"])) as form:
            self.assertIn("Failed, and not issued again: 1", form.remains)
            self.assertIn("never prepared: 1", form.remains)
        form.save().action_distribute()
        self.assertEqual(self.cycle.state, "distributed")
        self.assertIn("never prepared: 1", self.cycle.message_ids[0].body)

    def test_never_while_anything_is_open(self):
        """Not by the button, not by OpenG2P's method, and not by writing the state."""
        batch = self._sent()
        doubt = batch.payment_ids[0]
        self.hub.tell(doubt, SUSPECT, remote_reference="r1")
        self._fails(batch.payment_ids - doubt)
        self._pull(batch)
        cycle = self.cycle.with_user(self.manager_user)
        wizard = self.env["g2p.cycle.distribute.wizard"].with_user(self.manager_user)
        for act in (
            cycle.action_distribute,
            cycle.mark_distributed,
            wizard.create({"cycle_id": cycle.id}).action_distribute,
            lambda: cycle.write({"state": "distributed"}),
            cycle.mark_ended,
            lambda: cycle.write({"state": "ended"}),
        ):
            with self.assertRaisesRegex(UserError, "1 unresolved"), self.env.cr.savepoint():
                act()
        self.assertEqual(self.cycle.state, "approved")

    def test_who_may(self):
        def paid():
            batch = self._sent()
            self._fails(batch.payment_ids)
            self._pull(batch)

        wizards = self.env["g2p.cycle.distribute.wizard"]
        may = {"manager", "admin"}
        self._only(may, lambda _none, user: self.cycle.with_user(user).action_distribute(), paid)
        self._only(
            may,
            lambda _none, user: (
                wizards.with_user(user).create({"cycle_id": self.cycle.id}).action_distribute()
            ),
            paid,
        )

    def test_who_sees_the_progress(self):
        self._sent()
        for role in ("manager", "validator", "approver", "admin"):
            self.assertEqual(self._progress(self.users[role]), {"waiting": (2, 200)}, role)
        for role in ("plain", "finance", "registrar", "gateway_admin"):
            with self.assertRaises(AccessError):
                self._progress(self.users[role])

    def test_the_form_opens_for_who_may_see_it(self):
        self._sent()
        for role in ("manager", "validator", "admin"):
            cycle = self.cycle.with_user(self.users[role])
            view = self.env.ref("g2p_programs.view_cycle_form")
            arch = cycle.get_view(view.id, "form")["arch"]
            self.assertIn("paid_part", arch)
            self.assertEqual("action_distribute" in arch, role != "validator")
