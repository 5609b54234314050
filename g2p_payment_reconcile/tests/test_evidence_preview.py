"""What people see before they apply, and that nothing else is applied."""

from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import Form, HttpCase, tagged
from odoo.tools import mute_logger

from odoo.addons.queue_job.tests.common import trap_jobs

from ..models import payment_evidence, payment_evidence_reading
from .common import FAILED, PAID, SUSPECT
from .common_evidence import EVIDENCE, HEADER, UPLOAD, EvidenceCase

# Opens the first of the list, and presses Apply and Ok.
APPLY_ON_THE_SCREEN = """
(async () => {
    const there = async (selector) => {
        for (let turn = 0; turn < 300; turn++) {
            const found = document.querySelector(selector);
            if (found) { return found; }
            await new Promise((resolve) => setTimeout(resolve, 100));
        }
        throw new Error(`there is no ${selector}`);
    };
    try {
        (await there(".o_list_view .o_data_row .o_data_cell[name=name]")).click();
        await there(".o_form_view .o_field_widget[name=line_ids] .o_data_row");
        (await there("button[name=action_apply]")).click();
        (await there(".modal .btn-primary")).click();
        await there(".o_form_view .o_field_widget[name=applied_by_id]");
        console.log("test successful");
    } catch (error) {
        console.error(String(error));
    }
})();
"""


@tagged("post_install", "-at_install")
class TestPreview(EvidenceCase):
    def test_the_preview_is_what_applying_does(self):
        """Whatever was told before: the effect that is shown is the one that comes."""
        batch = self._sent(8)
        payments = batch.payment_ids
        self.hub.tell(payments[0], PAID, remote_reference="h0")
        self.hub.tell(payments[1], FAILED, remote_reference="h1", reason="no")
        self.hub.tell(payments[2], SUSPECT, remote_reference="h2")
        self.hub.tell(payments[3], SUSPECT, remote_reference="h3")
        self._pull(batch)
        rows = [self._row(payments[number], tx=f"b{number}") for number in (0, 1, 2, 4)]
        rows += [self._row(payments[number], "Rejected", tx=f"b{number}") for number in (3, 5)]
        rows += [self._row(payments[6], amount="1"), self._row(payments[7], "Returned")]
        evidence = self._read(*rows)
        shown = {line.payment_id: line.effect for line in evidence.line_ids}
        before = {payment: payment.status for payment in payments}
        raised = {payment: len(payment.exception_ids) for payment in payments}
        self._apply(evidence)
        for payment, effect in shown.items():
            came = "agrees"
            if not before[payment] and payment.status:
                came = {"paid": "pays", "failed": "fails"}[payment.status]
            elif len(payment.exception_ids) > raised[payment] or payment.attention:
                came = "question"
            self.assertEqual(effect, came, payment.name)
        self.assertEqual(set(shown.values()), {"agrees", "pays", "fails", "question"})

    def test_totals(self):
        batch = self._sent(2)
        evidence = self._read(
            self._row(batch.payment_ids[0], amount="100.00"), self._row(reference="x", amount="0.10")
        )
        self.assertIn("100.00 USD", evidence.totals)
        self.assertIn("0.10 USD", evidence.totals)
        self.assertEqual(
            (evidence.line_count, evidence.matched_count, evidence.unknown_count, evidence.duplicate_count),
            (2, 1, 1, 0),
        )

    def test_hostile_texts_are_only_texts(self):
        evidence = self._read(self._row(reference="x", currency="<B>", why="<script>"), name="<b>.csv")
        self.assertIn("&lt;B&gt;", evidence.totals)
        self.assertNotIn("<B>", evidence.totals)

    def test_files_that_cannot_be_read_are_said_and_leave_nothing(self):
        before = self.env[EVIDENCE].search_count([])
        for content, mapping, sentence in (
            (b"", False, "nothing in this file"),
            (b"<Document/>", False, "another kind"),
            (b"<!DOCTYPE a [<!ENTITY a 'b'>]><a>&a;</a>", False, "document type"),
            (b"a,b\n1,2", True, "line 1.*no column ref"),
            (HEADER.encode() + b"\nR1,\xff", True, "Line 2 has letters"),
            (HEADER.encode(), True, "nothing in this file"),
        ):
            with self.subTest(sentence), self.assertRaisesRegex(UserError, f"(?i){sentence}"):
                with self.env.cr.savepoint():
                    self._upload(content, mapping=mapping)
        self.assertEqual(self.env[EVIDENCE].search_count([]), before)

    def test_screens_open(self):
        evidence = self._read(self._row(self._sent().payment_ids))
        for user in (self.first, self.manager_user):
            Form(evidence.with_user(user))
            Form(evidence.line_ids.with_user(user))
            Form(evidence.line_ids.payment_id.with_user(user))
        Form(self.env[UPLOAD].with_user(self.first))

    def test_a_job_that_died_is_not_the_end(self):
        batch = self._sent()
        evidence = self._read(self._row(batch.payment_ids))
        with patch.object(payment_evidence, "SYNC_LINES", 0), trap_jobs() as jobs:
            self._apply(evidence)
            evidence.with_user(self.second).action_match_again()
            self.assertEqual((evidence.state, evidence.applied_by_id.id), ("matched", False))
            jobs.perform_enqueued_jobs()
        self.assertEqual((evidence.state, batch.payment_ids.status), ("matched", False))

    def test_what_is_large_is_read_and_applied_by_jobs(self):
        batch = self._sent()
        with patch.object(payment_evidence, "SYNC_BYTES", 10), trap_jobs() as jobs:
            evidence = self._read(self._row(batch.payment_ids))
            self.assertEqual(evidence.state, "draft")
            jobs.perform_enqueued_jobs()
        self.assertEqual(evidence.state, "matched")
        with patch.object(payment_evidence, "SYNC_LINES", 0), trap_jobs() as jobs:
            self._apply(evidence)
            self.assertEqual((evidence.state, batch.payment_ids.status), ("applying", False))
            with self.assertRaisesRegex(UserError, "Only evidence in preview"):
                self._apply(evidence, self.third)
            jobs.perform_enqueued_jobs()
            jobs.perform_enqueued_jobs()
        self.env.invalidate_all()
        self.assertEqual((evidence.state, evidence.applied_by_id), ("applied", self.second))
        self.assertEqual(batch.payment_ids.status, "paid")

    @mute_logger("odoo.addons.g2p_payment_reconcile.models.payment_evidence_reading")
    def test_an_error_of_ours_while_the_file_is_read_is_said(self):
        broken = patch.object(payment_evidence_reading.csv_file, "read", side_effect=KeyError("x"))
        with broken, patch.object(payment_evidence, "SYNC_BYTES", 10), trap_jobs() as jobs:
            evidence = self._read(self._row(self._sent().payment_ids))
            jobs.perform_enqueued_jobs()
        self.assertEqual(evidence.state, "discarded")
        self.assertIn("error of this server: KeyError", evidence.read_problem)

    @mute_logger("odoo.addons.g2p_payment_reconcile.models.payment_evidence_apply")
    def test_an_error_while_it_is_applied_takes_all_of_it_back(self):
        """And calls those who can apply it again."""
        batch = self._sent()
        evidence = self._read(self._row(batch.payment_ids))
        for error, said in (
            (KeyError("x"), "error of this server: KeyError"),
            (UserError("Ask the treasurer first."), "Nothing was applied. Ask the treasurer first."),
        ):
            broken = patch.object(type(evidence), "_raise_strangers", side_effect=error)
            with broken, patch.object(payment_evidence, "SYNC_LINES", 0), trap_jobs() as jobs:
                self._apply(evidence)
                jobs.perform_enqueued_jobs()
            self.env.invalidate_all()
            self.assertEqual((evidence.state, evidence.applied_by_id.id), ("matched", False))
            self.assertFalse(batch.payment_ids.status)
            self.assertIn(said, " ".join(evidence.message_ids.mapped("body")))
            self.assertIn(self.second, evidence._called(payment_evidence.APPLY))

    def test_a_job_that_cannot_read_the_file_says_so(self):
        with patch.object(payment_evidence, "SYNC_BYTES", 10), trap_jobs() as jobs:
            evidence = self._upload(b"a,b\n1,2,3,4,5,6,7")
            jobs.perform_enqueued_jobs()
        self.assertEqual(evidence.state, "discarded")
        self.assertIn("no column", evidence.read_problem)

    def test_a_page_that_shows_an_older_preview_applies_nothing(self):
        batch = self._sent(phone="+27713800001")
        evidence = self._read(self._row(to=batch.payment_ids.account_number))
        on_the_page = evidence.preview
        self._sent(phone="+27713800001")
        evidence.with_user(self.third).action_match_again()
        for preview in (on_the_page, False):
            with self.assertRaisesRegex(UserError, "changed since you opened it"):
                evidence.with_user(self.second).with_context(preview=preview).action_apply()
        self.assertFalse(batch.payment_ids.status)

    def test_texts_of_any_length(self):
        long = "x" * 30_000
        evidence = self._read(self._row(reference=long, tx=long, to=long, currency=long, code=long, why=long))
        self._apply(evidence)
        self.assertEqual(evidence.state, "applied")

    def test_a_job_applies_nothing_that_was_not_seen(self):
        batch = self._sent(phone="+27713800001")
        payment = batch.payment_ids
        evidence = self._read(self._row(to=payment.account_number))
        with patch.object(payment_evidence, "SYNC_LINES", 0), trap_jobs() as jobs:
            self._apply(evidence)
            self._sent(phone="+27713800001")
            jobs.perform_enqueued_jobs()
        self.assertEqual((evidence.state, evidence.applied_by_id.id), ("matched", False))
        self.assertFalse(payment.status)

    def test_a_batch_that_somebody_works_on_is_left_alone(self):
        batch = self._sent()
        evidence = self._read(self._row(batch.payment_ids))
        busy = UserError("Somebody else is working on this batch right now.")
        with patch.object(type(batch), "_lock", side_effect=busy):
            with self.assertRaisesRegex(UserError, "Somebody else"):
                self._apply(evidence)
        self.assertEqual((evidence.state, batch.payment_ids.status), ("matched", False))

    def test_as_many_statements_for_many_lines_as_for_few(self):
        counts = []
        for size in (5, 60):
            batch = self._sent(2 * size, amount=100 + size)
            named, unnamed = batch.payment_ids[:size], batch.payment_ids[size:]
            values = {"amount": f"{100 + size}.00"}
            rows = [self._row(payment, tx=f"b{payment.id}", **values) for payment in named]
            rows += [self._row(reference="", to=payment.account_number, **values) for payment in unnamed]
            rows += [self._row(reference=f"x{size}-{number}") for number in range(size)]
            rows += [self._row(reference=f"y{size}-{number}", status="Splendid") for number in range(size)]
            content = self._csv(*rows, *rows[:size])
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            evidence = self._upload(content)
            evidence.with_user(self.second).action_match_again()
            self._apply(evidence)
            counts.append(self.env.cr.sql_log_count - before)
            figures = (evidence.matched_count, evidence.payee_count, evidence.duplicate_count)
            self.assertEqual(figures, (2 * size, size, size))
            self.assertEqual((evidence.unknown_count, evidence.unreadable_count), (2 * size, size))
            self.assertEqual(batch.batch_state, "done")
        self.assertLessEqual(counts[1], counts[0] + 4, counts)

    def test_payments_to_a_payee_are_found_by_an_index(self):
        """Comparing each line with each payment takes hours with many of both."""
        payment = self._sent().payment_ids
        evidence = self._read(self._row(reference="", to=payment.account_number))
        self._sql(
            """
            INSERT INTO g2p_payment (name, account_number, status, status_is_final, state, batch_id,
                   gateway_id, company_id, payment_currency_id, amount_issued, entitlement_id, cycle_id)
            SELECT 'many-' || number, 'many-' || number, 'failed', TRUE, 'reconciled', batch_id, gateway_id,
                   company_id, payment_currency_id, amount_issued, entitlement_id, cycle_id
              FROM g2p_payment, generate_series(1, 5000) AS number WHERE id = %s
            """,
            payment.id,
        )
        self.addCleanup(self._sql, "DELETE FROM g2p_payment WHERE name LIKE 'many-%%'")
        self._sql("ANALYZE g2p_payment")
        planned = []
        real = type(self.env.cr).execute

        def explained(cr, query, params=None, **values):
            if "AS sent_on" in str(query):
                real(cr, f"EXPLAIN {query}", params)
                planned.append(str(cr.fetchall()))
            return real(cr, query, params, **values)

        with patch.object(type(self.env.cr), "execute", explained):
            evidence._match()
        self.assertIn("g2p_payment_plain_payee", planned[0])
        self.assertEqual(evidence.line_ids.payment_id, payment)

    def test_every_line_ends_somewhere_and_what_cannot_be_read_is_said(self):
        batch = self._sent(2)
        paid, other = batch.payment_ids
        short = self._row(other).rsplit(",", 3)[0]
        evidence = self._read(
            self._row(paid, tx="t1"),
            self._row(paid, tx="t1"),
            self._row(other, "Splendid"),
            self._row(other, amount="1,000,00").replace('"', ""),
            short,
            self._row(other, day="yesterday"),
            self._row(other, amount="12x"),
            self._row(other, "Open"),
            self._row(reference="x"),
        )
        lines = evidence.line_ids.sorted("id")
        self.assertEqual(
            lines.mapped("match"),
            ["matched", "duplicate", *["unknown"] * 5, "matched", "unknown"],
        )
        self.assertEqual(lines.mapped("number"), list(range(2, 11)))
        unreadable = lines.filtered("problem")
        self.assertEqual(unreadable.mapped("number"), [4, 5, 6, 7, 8])
        self.assertTrue(all(line.why == line.problem for line in unreadable))
        for line, word in zip(unreadable, ("Splendid", "cells", "cells", "yesterday", "12x"), strict=True):
            self.assertIn(word, line.problem)
        counted = evidence.matched_count + evidence.duplicate_count + evidence.unknown_count
        self.assertEqual((counted, evidence.unreadable_count), (evidence.line_count, 5))
        action = evidence.with_user(self.second).action_open_unreadable()
        self.assertEqual(action["context"], {"search_default_unreadable": 1})
        self._apply(evidence)
        self.assertEqual((paid.status, other.status), ("paid", False))
        self.assertFalse(paid.attention)
        said = " ".join(evidence.message_ids.mapped("body"))
        self.assertIn("5 lines could not be read", said)
        self.assertIn("4, 5, 6, 7, 8", said)

    def test_what_names_our_payment_and_cannot_be_read_is_decided_before_it_is_paid_again(self):
        """It may say that the payee has the money."""
        batch = self._sent()
        payment = batch.payment_ids
        self._say(payment, FAILED)
        evidence = self._read(self._row(payment, amount="1oo.00"), self._row(reference="x", amount="1oo.00"))
        self.assertEqual(evidence.line_ids.sorted("id").mapped("effect"), ["question", "none"])
        self._apply(evidence)
        self.assertEqual(payment.status, "failed")
        one = self._exceptions(batch)
        self.assertEqual((one.type, one.payment_id), ("stranger", payment))
        self.assertIn("line 2: The amount cannot be read: 1oo.00", one.summary)
        self.assertFalse(self._prepare())
        self._decide(one, "keep_as_is")
        self.assertTrue(self._prepare())

    def test_a_statement_of_another_account_is_said(self):
        batch = self._sent()
        statement = self._camt((batch.payment_ids.name, "100.00", "DBIT", "b1"), account="DE02 1203-0000")
        evidence = self._upload(statement, mapping=False)
        self.assertFalse(evidence.account_warning, "nobody has said which account it is")
        self.gateway.evidence_accounts = "77-1, de0212030000"
        self.assertFalse(evidence.account_warning)
        self.gateway.evidence_accounts = "77-1"
        self.assertIn("DE02 1203-0000", evidence.with_user(self.second).account_warning)
        self.assertIn("77-1", evidence.account_warning)
        self.gateway.evidence_accounts = False
        self.manager.write({"payer_identifier_type": "IBAN", "payer_identifier": "DE99"})
        self.assertIn("DE99", evidence.account_warning)
        self._apply(evidence)
        self.assertIn("DE99", " ".join(evidence.message_ids.mapped("body")))


@tagged("post_install", "-at_install")
class TestEvidenceOnTheScreen(EvidenceCase, HttpCase):
    def test_the_page_says_which_preview_it_shows(self):
        batch = self._sent()
        evidence = self._read(self._row(batch.payment_ids))
        self.browser_js(
            "/web#action=g2p_payment_reconcile.payment_evidence_action",
            APPLY_ON_THE_SCREEN,
            login=self.second.login,
            timeout=120,
        )
        self.env.invalidate_all()
        self.assertEqual((evidence.state, evidence.applied_by_id), ("applied", self.second))
        self.assertEqual(batch.payment_ids.status, "paid")
