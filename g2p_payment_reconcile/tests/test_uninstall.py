import runpy
from pathlib import Path

from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.g2p_payment_hub.client.outcomes import OutcomeStatus

from ..hooks import post_init_hook, uninstall_hook
from .common import DecisionCase


@tagged("post_install", "-at_install")
class TestUninstall(DecisionCase):
    """Odoo drops our tables, with what people wait for in them."""

    def _other_amount(self):
        batch = self._sent(2)
        self._say(batch.payment_ids[0], OutcomeStatus.PAID, amount=99)
        self.assertEqual(self._exceptions(batch).type, "money")
        return batch

    def test_not_while_a_batch_waits_for_its_results(self):
        batch = self._sent()
        for state in ("sent", "unknown", "sending"):
            self._sql("UPDATE g2p_payment_batch SET batch_state = %s WHERE id = %s", state, batch.id)
            with self.assertRaisesRegex(UserError, f"cannot be uninstalled yet.*{batch.name}"):
                uninstall_hook(self.env)

    def test_not_while_an_exception_is_to_be_decided(self):
        batch = self._other_amount()
        self._sql("UPDATE g2p_payment_batch SET batch_state = 'done' WHERE id = %s", batch.id)
        with self.assertRaisesRegex(UserError, "another amount or currency than approved"):
            uninstall_hook(self.env)

    def test_freely_when_nothing_is_open(self):
        batch = self._sent()
        self._say(batch.payment_ids, OutcomeStatus.PAID)
        self.assertEqual(batch.batch_state, "done")
        uninstall_hook(self.env)

    def test_an_exception_keeps_its_type_through_a_second_install(self):
        batch = self._other_amount()
        before = batch.payment_ids[0].attention
        self._sql("DELETE FROM g2p_payment_exception")
        post_init_hook(self.env)
        self.env.invalidate_all()
        exception = self._exceptions(batch)
        self.assertEqual((exception.type, exception.summary), ("money", before))

    def test_exceptions_of_before_the_upgrade_keep_their_type(self):
        batch = self._other_amount()
        self._sql("UPDATE g2p_payment SET attention_type = NULL")
        (script,) = Path(__file__).parent.parent.glob("migrations/*.1.3.0/post-attention.py")
        runpy.run_path(str(script))["migrate"](self.env.cr, "17.0.1.2.0")
        self.env.invalidate_all()
        self.assertEqual(batch.payment_ids[0].attention_type, "money")
