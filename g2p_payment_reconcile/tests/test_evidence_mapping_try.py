"""A mapping is tried on a file, and nothing is kept."""

import base64

from odoo.exceptions import AccessError
from odoo.tests import Form, tagged

from .common_evidence import EVIDENCE, EvidenceCase


@tagged("post_install", "-at_install")
class TestTry(EvidenceCase):
    def _try(self, content, mapping=None, user=None):
        action = (mapping or self.mapping).with_user(user or self.first).action_try()
        wizard = self.env[action["res_model"]].with_user(user or self.first)
        form = Form(wizard.with_context(**action["context"]))
        form.file = base64.b64encode(content)
        return str(form.result), form

    def test_first_lines_and_counts_are_shown(self):
        rows = [self._row(reference=f"R{number:02}", to="27713800001", code="AC01") for number in range(12)]
        rows[1] = self._row(reference="<b>R", status="Rejected", amount="7.00", why="no account")
        rows[11] = self._row(reference="R11", status="Splendid")
        result, _form = self._try(self._csv(*rows))
        for text in ("12 lines", "27713800001", "7.00", "no account", str(self.today), "&lt;b&gt;R"):
            self.assertIn(text, result)
        self.assertIn(">Paid: 10<", result)
        self.assertIn(">Failed: 1<", result)
        self.assertIn(">Cannot be read: 1<", result)
        self.assertIn("does not say what this status means: Splendid", result)
        self.assertNotIn("R10", result, "ten lines, and those that cannot be read")

    def test_nothing_is_kept(self):
        before = self.env[EVIDENCE].search_count([])
        attachments = self.env["ir.attachment"].search_count([])
        _result, form = self._try(self._csv(self._row(reference="R1")))
        wizard = form.save()
        self.env.flush_all()
        self.assertEqual(self.env[EVIDENCE].search_count([]), before)
        self.assertEqual(self.env["ir.attachment"].search_count([]), attachments)
        self.assertFalse(wizard.file)
        self.assertFalse(wizard._fields["file"].store)

    def test_a_file_that_cannot_be_read_says_why(self):
        self.assertIn("no column tx", self._try(b"ref,amount\nR1,1")[0])
        self.assertIn("nothing in this file", self._try(b"\n")[0])

    def test_people_without_the_mapping_cannot_try_it(self):
        nobody = self._user("nobody_of_mappings", "base.group_user")
        with self.assertRaises(AccessError):
            self._try(self._csv(self._row(reference="R1")), user=nobody)
