from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import PaymentHubCase


@tagged("post_install", "-at_install")
class TestEvents(PaymentHubCase):
    def _steps(self, batch):
        events = self.env["g2p.payment.event"].search([("batch_id", "=", batch.id)], order="number")
        return [(event.from_state, event.to_state) for event in events if not event.submission_id]

    def test_every_step_is_written_down(self):
        batch = self._sent(2)
        self.assertEqual(
            self._steps(batch),
            [
                ("draft", "to_approve"),
                ("to_approve", "approved"),
                ("approved", "sending"),
                ("sending", "sent"),
            ],
        )
        approved = batch.event_ids.filtered(lambda event: event.to_state == "approved")
        self.assertEqual((approved.user_id, approved.digest), (self.finance_user, batch.frozen_digest))
        accepted = batch.event_ids.filtered(lambda event: event.to_state == "accepted")
        self.assertEqual(accepted.remote_reference, "remote-1")

    def test_nobody_changes_or_deletes_an_event(self):
        event = self._sent().event_ids[0]
        for user in (self.env.ref("base.user_root"), self.env.ref("base.user_admin"), self.finance_user):
            with self.subTest(user.login):
                with self.assertRaises(UserError):
                    event.with_user(user).write({"why": "nothing happened"})
                with self.assertRaises(UserError):
                    event.with_user(user).unlink()
                with self.assertRaises(UserError):
                    event.with_user(user).sudo().unlink()
                if user != self.env.ref("base.user_root"):
                    with self.assertRaises(AccessError):
                        event.with_user(user).copy({"number": 99})

    def test_a_whole_trail_is_said_to_be_whole(self):
        batch = self._sent()
        action = batch.with_user(self.finance_user).action_verify_events()
        self.assertEqual(action["params"]["type"], "success")

    def test_the_first_broken_event_is_named(self):
        tampering = {
            "changed": ("UPDATE g2p_payment_event SET why = 'x' WHERE batch_id = %s AND number = 3", 3),
            "another user": (
                "UPDATE g2p_payment_event SET user_id = 1 WHERE batch_id = %s AND number = 2",
                2,
            ),
            "taken out": ("DELETE FROM g2p_payment_event WHERE batch_id = %s AND number = 2", 2),
            "cut off": ("DELETE FROM g2p_payment_event WHERE batch_id = %s AND number > 4", 5),
            "all gone": ("DELETE FROM g2p_payment_event WHERE batch_id = %s", 1),
            "hash adapted": (
                "UPDATE g2p_payment_event SET why = 'x', hash = previous_hash WHERE batch_id = %s AND "
                "number = 1",
                1,
            ),
        }
        batch = self._sent()
        self.env.flush_all()
        for name, (query, first) in tampering.items():
            with self.subTest(name), self.env.cr.savepoint() as savepoint:
                self.env.cr.execute(query, [batch.id])
                self.assertEqual(self.env["g2p.payment.event"]._first_broken(batch), first)
                self.assertIn(str(first), batch.action_verify_events()["params"]["message"])
                savepoint.rollback()

    def test_payments_given_up_are_written_down(self):
        batch = self._prepared(2)
        batch.with_user(self.manager_user).action_cancel()
        for payment in batch.payment_ids:
            self.assertEqual(
                [(one.from_state, one.to_state) for one in payment.event_ids], [("issued", "failed")]
            )
        self.assertFalse(self.env["g2p.payment.event"]._first_broken(batch))
