from unittest.mock import patch

from psycopg2.errors import CheckViolation

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.queue_job.job import Job

from ..hooks import uninstall_hook
from ..models.payment_result_guard import TRIGGER
from .common import GATEWAY, SIGNING_KEY, PaymentHubCase

RESTRICT = "mail.restrict.template.rendering"
# 19.0 tries a template out when it is saved, and says only that.
_REFUSED = "read no secrets|Failed to render|couldn't save your template"
_TOLD = ("secret-password", "header-secret-value", SIGNING_KEY[60:100])


class TemplateCase(PaymentHubCase):
    """An Odoo whose users may all write code in templates, as 17.0 comes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.gateway.write({"phee_header_name": "X-Key", "phee_header_value": "header-secret-value"})
        cls.env["ir.config_parameter"].set_param(RESTRICT, False)
        cls.plain = cls._user("nobody")
        cls.target = f"object.env['{GATEWAY}'].sudo().browse({cls.gateway.id})"

    def _template(self, **texts):
        """A template of an e-mail to a contact, by a user without any role."""
        model = self.env["ir.model"]._get("res.partner")
        return (
            self.env["mail.template"]
            .with_user(self.plain)
            .create({"name": "Harmless", "model_id": model.id, **texts})
        )

    def _render(self, expression):
        template = self._template(subject=f"{{{{ {expression} }}}}")
        return template._render_field("subject", self.plain.partner_id.ids)[self.plain.partner_id.id]


@tagged("post_install", "-at_install")
class TestSecretsInTemplates(TemplateCase):
    """Odoo lets code in templates call any method, also those whose name begins with an underscore."""

    def _assert_tells_nothing(self, act):
        """Whatever comes back, an error as well, holds no secret."""
        try:
            told = str(act())
        except (AccessError, UserError, ValueError) as error:
            told = f"{error} {error.__cause__}"
        for secret in _TOLD:
            self.assertNotIn(secret, told)
        return told

    def test_templates_do_run_code_of_ours(self):
        """Or the others here would prove nothing."""
        self.assertEqual(self._render(f"{self.target}._label('phee_password')"), "Password")

    @mute_logger("odoo.addons.mail.models.mail_render_mixin")
    def test_no_expression_reads_a_secret(self):
        for expression in (
            f"{self.target}._secrets()",
            f"{self.target}._secrets()['phee_password']",
            f"{self.target}._secrets().get('phee_signing_key')",
            f"list({self.target}._secrets().values())",
            f"'%(phee_password)s' % {self.target}._secrets()",
            f"{self.target}._phee_settings().credentials.password.get_secret_value()",
            f"{self.target}._phee_settings().plain_extra_headers()",
            f"{self.target}.read()",
            f"{self.target}.mapped('phee_password')",
            "object.env['g2p.payment.gateway.secret'].sudo().search([]).mapped('value')",
            "object.env['g2p.payment.gateway.secret'].sudo().search([]).export_data(['value'])",
            "object.env.cr.execute('SELECT value FROM g2p_payment_gateway_secret') "
            "or object.env.cr.fetchall()",
            f"object.env.cr.execute('SELECT %(phee_password)s', {self.target}._secrets()) "
            "or object.env.cr.fetchall()",
        ):
            with self.subTest(expression):
                self._assert_tells_nothing(lambda expression=expression: self._render(expression))

    @mute_logger("odoo.addons.mail.models.mail_render_mixin")
    def test_nor_does_a_body(self):
        body = f"<p><t t-out=\"{self.target}._secrets()['phee_password']\"/></p>"
        contact = self.plain.partner_id
        told = self._assert_tells_nothing(
            lambda: self._template(body_html=body)._render_field("body_html", contact.ids)
        )
        self.assertRegex(told, _REFUSED)

    @mute_logger("odoo.addons.mail.models.mail_render_mixin")
    def test_nor_does_the_preview(self):
        def shown():
            template = self._template(subject=f"{{{{ {self.target}._secrets()['phee_password'] }}}}")
            record = f"res.partner,{self.plain.partner_id.id}"
            preview = self.env["mail.template.preview"].with_user(self.plain)
            return preview.create({"mail_template_id": template.id, "resource_ref": record}).read()

        self.assertRegex(self._assert_tells_nothing(shown), _REFUSED)

    def test_nor_what_it_leaves_behind_to_be_run_later(self):
        gateway = self.gateway
        self._render(
            f"[object.env.cr.precommit.add(lambda gateway=gateway: "
            f"gateway.write({{'name': gateway._secrets()['phee_password']}})) for gateway in {self.target}]"
        )
        with self.assertRaisesRegex(AccessError, "read no secrets"):
            self.env.cr.precommit.run()
        self._assert_tells_nothing(lambda: gateway.read(["name"]))

    def test_nor_a_job_that_it_queues(self):
        self._render(f"{self.target}.with_delay()._secrets()")
        job = self.env["queue.job"].search([], order="id desc", limit=1)
        self.assertEqual(job.method_name, "_secrets")
        done = Job.load(self.env, job.uuid)
        done.perform()
        done.set_done()
        done.store()
        self._assert_tells_nothing(lambda: job.read())

    @mute_logger("odoo.addons.base.models.ir_actions")
    def test_nor_an_administrators_server_action(self):
        for code in (
            f"raise UserError(env['{GATEWAY}'].browse({self.gateway.id})._secrets()['phee_password'])",
            f"action = {{'told': env['{GATEWAY}'].browse({self.gateway.id})._secrets()}}",
            f"action = map(env['{GATEWAY}'].browse({self.gateway.id})._secrets().get, ['phee_password'])",
            f"gateway = env['{GATEWAY}'].browse({self.gateway.id})\n"
            "gateway.write({'name': gateway._phee_settings().signing_key.get_secret_value()})",
        ):
            action = self.env["ir.actions.server"].create(
                {
                    "name": "Read",
                    "model_id": self.env["ir.model"]._get(GATEWAY).id,
                    "state": "code",
                    "code": code,
                }
            )
            told = self._assert_tells_nothing(lambda action=action: action.run())
            self.assertIn("read no secrets", told)
            self._assert_tells_nothing(lambda: self.gateway.read(["name"]))

    def test_the_servers_own_code_reads_them(self):
        settings = self.gateway._phee_settings()
        self.assertEqual(settings.credentials.password.get_secret_value(), "secret-password")
        self.assertNotIn("secret-password", repr(self.gateway._secrets()))


@tagged("post_install", "-at_install")
class TestResultsInTemplates(TemplateCase):
    """What such code writes into payments does not get past PostgreSQL."""

    def _assert_refused(self, change):
        batch = self._sent()
        with self.assertRaises(CheckViolation), self.env.cr.savepoint(), mute_logger("odoo.sql_db"):
            change(batch.payment_ids)
            self._commit()
        self.env.invalidate_all()
        self.assertEqual((batch.payment_ids.status, batch.payment_ids.state), (False, "sent"))

    def test_a_payment_is_not_made_paid_by_a_template(self):
        payments = "object.env['g2p.payment'].sudo().search([])"
        for expression in (
            f"{payments}.write({{'status': 'paid'}})",
            f"{payments}.write({{'status': 'paid', 'status_is_final': True, 'state': 'reconciled'}})",
            "object.env.cr.execute(\"UPDATE g2p_payment SET status = 'paid', status_is_final = TRUE\")",
            "object.env.cr.execute(\"UPDATE g2p_payment SET gateway_id = NULL, status = 'paid'\")",
            f"{payments}.write({{'status_is_final': True}})",
        ):
            with self.subTest(expression):
                self._assert_refused(lambda _payments, expression=expression: self._render(expression))

    def test_nor_through_another_gateway_or_none(self):
        other = self._gateway(name="Other")
        self._assert_refused(lambda payments: payments.sudo().write({"gateway_id": other.id}))

        def round_about(payments):
            gateway = payments.gateway_id
            for values in (
                {"gateway_id": False},
                {"status": "paid", "status_is_final": True},
                {"gateway_id": gateway.id},
            ):
                payments.sudo().write(values)
                self.env.flush_all()

        self._assert_refused(round_about)

    def test_nor_by_an_event_that_says_something_else(self):
        def told_otherwise(payments):
            payments.sudo().write({"status": "paid", "status_is_final": True})
            payments.batch_id._record(
                [{"payment_id": payments.id, "from_state": "sent", "to_state": "failed"}]
            )

        def told_nothing_new(payments):
            payments.sudo().write({"status": "paid", "status_is_final": True})
            payments.batch_id._record([{"payment_id": payments.id, "from_state": "paid", "to_state": "paid"}])

        self._assert_refused(told_otherwise)
        self._assert_refused(told_nothing_new)

    def test_a_final_result_stays_though_it_once_was_another(self):
        payment = self._sent().payment_ids
        self._result(payment, "paid", state="reconciled", amount_paid=100)
        self._result(payment, "failed", amount_paid=0)
        self._commit()
        for values in ({"status": "paid"}, {"status": False, "status_is_final": False}):
            with self.subTest(values), self.assertRaises(CheckViolation), self.env.cr.savepoint():
                with mute_logger("odoo.sql_db"):
                    payment.sudo().write(values)
                    self._commit()

    def test_a_payment_is_not_born_paid(self):
        payment = self._prepared().payment_ids
        with self.assertRaises(CheckViolation), self.env.cr.savepoint(), mute_logger("odoo.sql_db"):
            self._sql(
                "INSERT INTO g2p_payment (name, status, status_is_final, state, gateway_id, amount_issued, "
                "entitlement_id, company_id) SELECT 'forged', 'failed', TRUE, 'issued', gateway_id, 1, "
                "entitlement_id, company_id FROM g2p_payment WHERE id = %s",
                payment.id,
            )
            self._commit()

    def test_payments_of_other_managers_are_left_alone(self):
        payment = self._payment_of_another_manager(self._entitle())
        payment.write({"status": "paid"})
        payment.write({"status": "failed", "status_is_final": True})
        self._commit()
        self.assertEqual(payment.status, "failed")

    def test_a_result_is_held_against_its_own_events_only(self):
        """As in a trail that was just written, or restored: PostgreSQL knows nothing of it yet."""
        payment = self._sent().payment_ids
        self._result(payment, "paid", state="reconciled", amount_paid=100)
        self._sql(
            "INSERT INTO g2p_payment_event (number, batch_id, user_id, happened_at, previous_hash, hash) "
            "SELECT number + later, batch_id, user_id, happened_at, hash, hash "
            "  FROM g2p_payment_event, generate_series(1, 5000) AS later WHERE id = %s",
            payment.event_ids[:1].id,
        )
        before = self._events_read()
        self._commit()
        self.assertLess(self._events_read() - before, 100)

    def _events_read(self):
        self._sql(
            "SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables "
            "WHERE relname = 'g2p_payment_event'"
        )
        return self.env.cr.fetchone()[0]

    def test_it_goes_with_the_add_on(self):
        uninstall_hook(self.env)
        self._sql("SELECT tgname FROM pg_trigger WHERE tgname LIKE %s", f"{TRIGGER}%")
        self.assertFalse(self.env.cr.fetchall())


@tagged("post_install", "-at_install")
class TestLive(TemplateCase):
    def test_not_live_while_everybody_programs_templates(self):
        with self.assertRaisesRegex(ValidationError, "Restrict Template Rendering"):
            self.gateway.state = "live"
        with self.assertRaisesRegex(ValidationError, "Restrict Template Rendering"):
            self._gateway(name="Live at Once", state="live")

    def test_form_and_test_connection_say_so(self):
        self.assertIn("Restrict Template Rendering", self.gateway.safety_problem)
        with patch.object(type(self.gateway), "_check_connection", lambda _gateway: []):
            told = self.gateway.action_test_connection()
        self.assertIn("Restrict Template Rendering", self._message(told))
        self.assertEqual(told["params"]["type"], "warning")

    def test_restricted_rendering_lets_it_go_live(self):
        self.env["ir.config_parameter"].set_param(RESTRICT, "1")
        self.gateway.state = "live"
        self.assertFalse(self.gateway.safety_problem)
        with self.assertRaises(AccessError):
            self._render("object.env.uid")

    def test_a_parameter_alone_closes_no_door(self):
        """The group says who may, also through a group between."""
        self.env["ir.config_parameter"].set_param(RESTRICT, "1")
        between = self.env["res.groups"].create(
            {"name": "Between", "implied_ids": [(4, self.env.ref("mail.group_mail_template_editor").id)]}
        )
        self.env.ref("base.group_user").write({"implied_ids": [(4, between.id)]})
        with self.assertRaisesRegex(ValidationError, "Restrict Template Rendering"):
            self.gateway.state = "live"
