"""The safety mechanisms, each with the edit that removes it and the tests that should notice."""

import dataclasses

from . import say

_HUB = ("--only", "addons", "--addon", "g2p_payment_hub", "-k")
_PULL = ("--only", "addons", "--addon", "g2p_payment_reconcile", "-k")
_MOJALOOP = ("--only", "addons", "--addon", "g2p_mojaloop_connector", "-k")
_UNIT = ("--only", "unit", "-k")
_REAL = ("--only", "integration", "-k")


@dataclasses.dataclass(frozen=True)
class Mutant:
    """`old` stands exactly once in the file at `path`; `tests` are arguments of setup/test."""

    name: str
    path: str
    old: str
    new: str
    tests: tuple

    def apply(self, checkout):
        file = checkout / self.path
        text = file.read_text()
        if text.count(self.old) != 1:
            raise say.Problem(
                f"{self.name}: {self.path} has the text to be replaced {text.count(self.old)} times; "
                "bring setup/steps/mutants.py up to date."
            )
        file.write_text(text.replace(self.old, self.new))


_APPROVAL = "g2p_payment_hub/models/payment_batch_approval.py"
_SENDING = "g2p_payment_hub/models/payment_batch_sending.py"
_GATEWAY = "g2p_payment_hub/models/payment_gateway.py"
_PHEE = "g2p_payment_hub/models/payment_gateway_phee.py"
_PAYMENT = "g2p_payment_hub/models/payment.py"
_MANAGER = "g2p_payment_hub/models/payment_manager.py"
_SUBMISSION = "g2p_payment_hub/models/payment_submission.py"
_RECOVERY = "g2p_payment_hub/models/payment_recovery.py"
_EVENT = "g2p_payment_hub/models/payment_event.py"
_TOKEN = "g2p_payment_hub/models/payment_gateway_token.py"
_APPLY = "g2p_payment_reconcile/models/payment.py"
_VERDICT = "g2p_payment_reconcile/models/verdict.py"
_EVIDENCE = "g2p_payment_reconcile/models/payment_evidence.py"
_MATCH = "g2p_payment_reconcile/models/payment_evidence_match.py"
_BY_PAYEE = "g2p_payment_reconcile/models/payment_evidence_payee.py"
_EFFECT = "g2p_payment_reconcile/models/payment_evidence_effect.py"
_APPLY_EVIDENCE = "g2p_payment_reconcile/models/payment_evidence_apply.py"
_CALLBACK = "g2p_payment_reconcile/models/payment_gateway_callback.py"
_SEEN = "g2p_payment_hub/models/payment_callback_seen.py"
_EXCEPTION = "g2p_payment_reconcile/models/payment_exception.py"
_DECISION = "g2p_payment_reconcile/models/payment_exception_decision.py"
_CLIENT = "g2p_payment_hub/client"
_PAYING = "g2p_mojaloop_connector/client/paying.py"
_RESULTS = "g2p_mojaloop_connector/client/results.py"
_TRANSFER = "g2p_mojaloop_connector/models/mojaloop_transfer.py"
_TRANSFER_RUN = "g2p_mojaloop_connector/models/mojaloop_transfer_run.py"

MUTANTS = (
    Mutant(
        "checkpoint: the intent is not committed before sending",
        _SENDING,
        "            yield self.with_env(self.env(cr=cr))\n",
        "            yield self.with_env(self.env(cr=cr))\n            cr.rollback()\n",
        (*_REAL, "a_cycle_is_paid"),
    ),
    Mutant(
        "lock on the cycle while preparing",
        _MANAGER,
        "    def _lock(self, cycle):\n",
        "    def _lock(self, cycle):\n        return\n",
        (*_REAL, "press_prepare"),
    ),
    Mutant(
        "unique index: one live payment for each entitlement",
        _PAYMENT,
        "CREATE UNIQUE INDEX IF NOT EXISTS g2p_payment_one_live_per_entitlement",
        "CREATE INDEX IF NOT EXISTS g2p_payment_one_live_per_entitlement",
        (*_HUB, "test_prepare"),
    ),
    Mutant(
        "unique index: one live submission for each batch",
        _SUBMISSION,
        "CREATE UNIQUE INDEX IF NOT EXISTS g2p_payment_submission_one_live",
        "CREATE INDEX IF NOT EXISTS g2p_payment_submission_one_live",
        (*_HUB, "test_send or test_recovery"),
    ),
    Mutant(
        "whoever finds an attempt written down sends nothing",
        _SENDING,
        '        return self.batch_state == "sending" and not self._live_submission()\n',
        '        return self.batch_state == "sending"\n',
        (*_HUB, "test_send or test_recovery"),
    ),
    Mutant(
        "digest: what is sent is what was approved",
        _SENDING,
        "        return bool(frozen) and frozen == now and digest(frozen) == self.frozen_digest",
        "        return bool(frozen)",
        (*_HUB, "test_approve or test_send"),
    ),
    Mutant(
        "a batch of a cycle that was cancelled is not sent",
        _SENDING,
        "        if not self._cycle_may_pay():\n",
        "        if False:\n",
        (*_HUB, "test_send"),
    ),
    Mutant(
        "settings: what was approved is how it is sent",
        _SENDING,
        "_changed_since(self.approved_settings or {})",
        "_changed_since({})",
        (*_HUB, "TestSentAsApproved"),
    ),
    Mutant(
        "settings: the payment system is not asked on other settings than those approved",
        _SENDING,
        "        if changed:\n            return changed\n",
        "",
        (*_HUB, "TestSentAsApproved"),
    ),
    Mutant(
        "settings: who may have what was declared missing is the one to be asked",
        _GATEWAY,
        "and self._asks_again())",
        "and False)",
        (*_HUB, "test_recovery"),
    ),
    Mutant(
        "settings: none changes between the attempt and the upload",
        _SENDING,
        '            return "_close", ("not_sent", changed)\n',
        "            pass\n",
        (*_HUB, "TestSentAsApproved"),
    ),
    Mutant(
        "settings: what counts as paid is what was approved",
        _PHEE,
        "        approved = (batch and batch.sudo().approved_settings) or {}\n",
        "        approved = {}\n",
        (*_HUB, "TestWhatCountsAsPaid"),
    ),
    Mutant(
        "settings: the hub that has accepted a batch is asked to the end",
        _PHEE,
        '        still_open = [("gateway_id", "in", ours.ids),',
        '        still_open = [("gateway_id", "in", []),',
        (*_HUB, "TestSentAsApproved"),
    ),
    Mutant(
        "settings: a gateway with batches keeps its company",
        _GATEWAY,
        '            or vals.get("company_id", gateway.company_id.id) != gateway.company_id.id\n',
        "",
        (*_HUB, "test_gateway"),
    ),
    Mutant(
        "a secret is not sent to an address that somebody enters later",
        "g2p_payment_hub/models/payment_gateway_checks.py",
        "            gateway._forget_secrets(names)\n",
        "            pass\n",
        (*_HUB, "TestSecrets"),
    ),
    Mutant(
        "waiting time: not shorter than a payment system takes to show a batch",
        _GATEWAY,
        "check(recovery_minutes >= 5)",
        "check(true)",
        (*_HUB, "test_gateway"),
    ),
    Mutant(
        "four eyes: who prepared cannot approve",
        _APPROVAL,
        '        if self.env.user in self.maker_ids:\n            return _("You prepared or changed',
        '        if False:\n            return _("You prepared or changed',
        (*_HUB, "test_approve"),
    ),
    Mutant(
        "the payment system is asked before anything is sent",
        _SENDING,
        "            return look._replace(receipt=self._find_at_payment_system())\n",
        "            return look\n",
        (*_HUB, "test_recovery"),
    ),
    Mutant(
        "the payment system is asked before anything is sent, in any story",
        _SENDING,
        "            return look._replace(receipt=self._find_at_payment_system())\n",
        "            return look\n",
        (*_PULL, "test_state_machine"),
    ),
    Mutant(
        "what was declared missing is looked for where it was sent, whichever gateway pays now",
        _SENDING,
        "        given_up._check_never_arrived()\n",
        "",
        (*_HUB, "test_recovery"),
    ),
    Mutant(
        "a caller's context gives no values to payments",
        _MANAGER,
        "no_payments.sudo().create(values)",
        "no_payments.sudo().with_context(**self.env.context).create(values)",
        (*_HUB, "test_context"),
    ),
    Mutant(
        "two people declare that a batch never arrived",
        _RECOVERY,
        "        if self.declared_by_id == self.env.user:",
        "        if False:",
        (*_HUB, "test_recovery"),
    ),
    Mutant(
        "waiting time before a batch can be declared missing",
        _RECOVERY,
        "        if not self.no_trace or self.last_look_up_at < self.may_declare_at:",
        "        if not self.no_trace:",
        (*_HUB, "test_recovery"),
    ),
    Mutant(
        "an unknown outcome stays unknown",
        _SENDING,
        '            return "_close", ("unknown", gateway._explain(error))',
        '            return "_close", ("not_sent", gateway._explain(error))',
        (*_HUB, "test_send or test_recovery"),
    ),
    Mutant(
        "an unknown outcome stays unknown, in any story",
        _SENDING,
        '            return "_close", ("unknown", gateway._explain(error))',
        '            return "_close", ("not_sent", gateway._explain(error))',
        (*_PULL, "test_state_machine"),
    ),
    Mutant(
        "look-alikes go into different batches",
        f"{_CLIENT}/batching.py",
        "        seen[key] += 1\n",
        "",
        (*_UNIT, "batching"),
    ),
    Mutant(
        "guard: people cannot write on a payment of a gateway",
        _PAYMENT,
        "        if self.env.su:\n            return\n",
        "        return\n",
        (*_HUB, "test_rights"),
    ),
    Mutant(
        "audit trail: each event carries the hash of the one before",
        _EVENT,
        "if (event.number, event.previous_hash, event.hash) != (number, previous, _hash(previous, value)):",
        "if event.number != number:",
        (*_HUB, "test_events"),
    ),
    Mutant(
        "audit trail: nobody deletes an event",
        _EVENT,
        '        raise UserError(_("An event cannot be deleted: it is the record of what happened."))',
        "        return super().unlink()",
        (*_HUB, "test_events"),
    ),
    Mutant(
        "signature of the upload",
        f"{_CLIENT}/payment_hub.py",
        "            signature.HEADER: signature.sign(data, self._key),\n        }\n        if "
        "settings.institution:",
        '            signature.HEADER: "AAAA",\n        }\n        if settings.institution:',
        (*_UNIT, "case_01"),
    ),
    Mutant(
        "signature of the answer",
        f"{_CLIENT}/payment_hub.py",
        "        if not signature.verifies(answer.body.decode(",
        "        if False and not signature.verifies(answer.body.decode(",
        (*_UNIT, "test_contract"),
    ),
    Mutant(
        "TLS verification",
        f"{_CLIENT}/http.py",
        '        conn.cert_reqs = "CERT_REQUIRED"\n',
        '        conn.cert_reqs = "CERT_NONE"\n        self._tls.check_hostname = False\n'
        "        self._tls.verify_mode = ssl.CERT_NONE\n",
        (*_UNIT, "test_http"),
    ),
    Mutant(
        "redirects are not followed",
        f"{_CLIENT}/http.py",
        "            response = self._adapter.send(request, stream=True, timeout=timeout, proxies={})\n",
        "            session = requests.Session()\n"
        "            session.mount('http://', self._adapter)\n"
        "            session.mount('https://', self._adapter)\n"
        "            response = session.send(request, stream=True, timeout=timeout)\n",
        (*_UNIT, "test_http"),
    ),
    Mutant(
        "completed counts as paid only when the workflow's variables agree",
        f"{_CLIENT}/payment_hub.py",
        "        if self._settings.verify_completed and is_open and not self._settings.closed_loop:\n",
        "        if False:\n",
        (*_UNIT, "test_contract"),
    ),
    Mutant(
        "a slow hub is asked for some rows at a time",
        f"{_CLIENT}/payment_hub.py",
        " if self._now() < self._verify_until else {}\n",
        "\n",
        (*_UNIT, "test_outcomes"),
    ),
    Mutant(
        "a failure after which money may have moved is a doubt, in whatever letters",
        f"{_CLIENT}/answers.py",
        "code.lower() in _MAYBE_PAID",
        "code in _MAYBE_PAID",
        (*_UNIT, "test_failures"),
    ),
    Mutant(
        "a closed-loop row that has its end is no stranger",
        f"{_CLIENT}/payment_hub.py",
        "        ours = still_open.union(ended)\n",
        "        ours = still_open\n",
        (*_PULL, "TestClosedLoop"),
    ),
    Mutant(
        "one log-in for all workers",
        _TOKEN,
        "AND name = %s FOR UPDATE",
        "AND name = %s AND FALSE",
        (*_REAL, "share_one_login"),
    ),
    Mutant(
        "final results never move",
        _APPLY,
        "               AND payment.status_is_final IS NOT TRUE\n",
        "",
        (*_PULL, "test_pull"),
    ),
    Mutant(
        "paid means the approved amount in the approved currency",
        _VERDICT,
        "    return (outcome.amount, outcome.currency) == (amount, currency)\n",
        "    return True\n",
        (*_PULL, "test_pull"),
    ),
    Mutant(
        "only who knows the token makes a question due",
        _CALLBACK,
        "        good = hmac.compare_digest(",
        "        good = True or hmac.compare_digest(",
        (*_PULL, "test_callback"),
    ),
    Mutant(
        "a signed call is taken once",
        _SEEN,
        "        return bool(self.env.cr.rowcount)\n",
        "        return True\n",
        (*_PULL, "test_callback"),
    ),
    Mutant(
        "decision: a second person confirms it",
        _DECISION,
        "        if self.proposed_by_id == self.env.user:\n",
        "        if False:\n",
        (*_PULL, "test_exception"),
    ),
    Mutant(
        "decision: PostgreSQL holds that there are two people",
        _EXCEPTION,
        "check(state <> 'closed' or not coalesce(two_people, false) or (",
        "check(true or (",
        (*_PULL, "test_exception"),
    ),
    Mutant(
        "decision: no second live payment",
        "g2p_payment_reconcile/models/payment_decision.py",
        '        if values["status"] != "failed":\n',
        "        if False:\n",
        (*_PULL, "test_exception"),
    ),
    Mutant(
        "re-issue: a batch whose earlier payment may have been paid is not approved",
        "g2p_payment_hub/models/payment_batch_check.py",
        "            if payment.entitlement_id in others:\n",
        "            if False:\n",
        (*_HUB, "TestReissue"),
    ),
    Mutant(
        "re-issue: a batch whose earlier payment may have been paid is not sent",
        _SENDING,
        "others.get(payment.entitlement_id, payment.browse())[:1]",
        "payment.browse()",
        (*_HUB, "TestReissue"),
    ),
    Mutant(
        "re-issue: not while the failed payment's result is being written down",
        _MANAGER,
        "        self._earlier_batches(entitlements)._lock()\n",
        "",
        (*_HUB, "TestReissue"),
    ),
    Mutant(
        "unique index: a payment is issued again once",
        _PAYMENT,
        "CREATE UNIQUE INDEX IF NOT EXISTS g2p_payment_reissued_once",
        "CREATE INDEX IF NOT EXISTS g2p_payment_reissued_once",
        (*_HUB, "TestReissue"),
    ),
    Mutant(
        "re-issue: what changed since the preview is not issued again",
        "g2p_payment_reconcile/wizards/payment_reissue.py",
        "        if moved:\n",
        "        if False:\n",
        (*_PULL, "TestReissue"),
    ),
    Mutant(
        "a cycle is not distributed while a payment is open",
        "g2p_payment_reconcile/models/cycle.py",
        "                why_not = cycle._why_payments_open()\n",
        "                why_not = False\n",
        (*_PULL, "TestCycle"),
    ),
    Mutant(
        "statement: only for who may see every payee",
        "g2p_payment_reconcile/models/payment_statement.py",
        "        check_role(\n            self.env,\n            LOOKERS",
        "        (\n            self.env,\n            LOOKERS",
        (*_PULL, "TestStatement or TestDownload"),
    ),
    Mutant(
        "statement: what looks like a formula is text",
        "g2p_payment_reconcile/models/statement_files.py",
        "    if isinstance(cell, str) and",
        "    if False and",
        (*_PULL, "TestStatement or TestFiles"),
    ),
    Mutant(
        "statement: each printed page says which batch and which page it is",
        "g2p_payment_reconcile/models/ir_actions_report.py",
        '            streams[batch.id]["stream"] = numbered(',
        "            numbered(",
        (*_PULL, "TestPaper"),
    ),
    Mutant(
        "statement: what is printed has headings on each page",
        "g2p_payment_reconcile/models/statement_paper.py",
        "        if parts[-1] and lines + height > _LINES:\n",
        "        if False:\n",
        (*_PULL, "TestPaper or TestTables"),
    ),
    Mutant(
        "reconciliation: what we did not send is counted",
        "g2p_payment_reconcile/models/payment_reconciliation.py",
        '        "strangers": len(references - ours),\n',
        '        "strangers": 0,\n',
        (*_PULL, "test_reconciliation"),
    ),
    Mutant(
        "evidence: a statement of another account is said",
        "g2p_payment_reconcile/models/payment_evidence_preview.py",
        "bool(ours and others) and _(",
        "False and _(",
        (*_PULL, "test_evidence"),
    ),
    Mutant(
        "what has changed since the page was opened is not approved",
        "g2p_payment_hub/models/payment_batch_approval.py",
        '        if self.env.context.get("seen", self.to_approve_digest) != self.to_approve_digest:\n',
        "        if False:\n",
        ("--only", "addons", "--addon", "g2p_payment_hub", "-k", "test_approve"),
    ),
    Mutant(
        "evidence: what cannot be read and names our payment is decided",
        _MATCH,
        "AND payment_id IS NOT NULL))",
        "AND FALSE))",
        (*_PULL, "test_evidence"),
    ),
    Mutant(
        "evidence: money that came in under our reference is looked into",
        _MATCH,
        "((problem IS NOT NULL OR status = 'other') AND",
        "(problem IS NOT NULL AND",
        (*_PULL, "test_evidence"),
    ),
    Mutant(
        "evidence: a payment that was set aside is not passed over",
        _MATCH,
        "            SELECT line.id, payment.id, {BATCH_OF}, payment.gateway_id",
        "            SELECT line.id, payment.id, payment.batch_id, payment.gateway_id",
        (*_PULL, "test_evidence"),
    ),
    Mutant(
        "evidence: what is under way again has not failed",
        _EFFECT,
        "               AND (evidence.id = %s\n",
        "               AND ((evidence.id = %s AND line.status <> 'waiting')\n",
        (*_PULL, "test_evidence"),
    ),
    Mutant(
        "evidence: what could not be read is in the chatter",
        _APPLY_EVIDENCE,
        "        if self.unreadable_count:\n",
        "        if False:\n",
        (*_PULL, "test_evidence"),
    ),
    Mutant(
        "evidence: payments to a payee are found by an index",
        _BY_PAYEE,
        " AND payment.gateway_id IS NOT NULL AND",
        " AND",
        (*_PULL, "test_evidence"),
    ),
    Mutant(
        "exception: a doubt keeps a payment from failing",
        _APPLY,
        '        if status == "failed" and (fact["doubt"] or not whole):\n',
        '        if status == "failed" and not whole:\n',
        (*_PULL, "test_pull or test_ledger"),
    ),
    Mutant(
        "exception: half an answer fails nobody",
        _APPLY,
        '        if status == "failed" and (fact["doubt"] or not whole):\n',
        '        if status == "failed" and fact["doubt"]:\n',
        (*_PULL, "test_pull or test_ledger"),
    ),
    Mutant(
        "exception: no payment is hidden behind a doubt about another",
        _VERDICT,
        "    return Verdict(None, doubted, Doubt.TWICE, other) if other else Verdict(None, doubted, doubt)\n",
        "    return Verdict(None, doubted, doubt)\n",
        (*_PULL, "test_decision"),
    ),
    Mutant(
        "decision: taken back, it opens nothing that cannot leave",
        "g2p_payment_reconcile/models/payment_decision.py",
        '        if not before["status"] and self.batch_id.batch_state in (False, "cancelled"):\n',
        "        if False:\n",
        (*_PULL, "test_decision"),
    ),
    Mutant(
        "decision: the later one is taken back first, in whatever trail",
        _DECISION,
        'event_ids.sorted("id")[-1].id',
        'event_ids.sorted("number")[-1].id',
        (*_PULL, "test_decision"),
    ),
    Mutant(
        "decision: a link is no evidence",
        _DECISION,
        "        if not all(attachment.raw for attachment in attachments.sudo()):\n",
        "        if False:\n",
        (*_PULL, "test_decision"),
    ),
    Mutant(
        "deadline: it comes also where nobody can be asked",
        "g2p_payment_reconcile/models/payment_submission.py",
        "        except UserError as error:",
        "        except ZeroDivisionError as error:",
        (*_PULL, "test_decision"),
    ),
    Mutant(
        "cycle: it is not ended while payments are open",
        "g2p_payment_reconcile/models/cycle.py",
        '        if vals.get("state") in (self.STATE_DISTRIBUTED, self.STATE_ENDED):\n',
        '        if vals.get("state") == self.STATE_DISTRIBUTED:\n',
        (*_PULL, "test_cycle"),
    ),
    Mutant(
        "prepare: a job for others of the cycle is another job",
        _MANAGER,
        "            identity_key=identity_exact,\n",
        '            identity_key=f"g2p_payment_hub.prepare.{cycle.id}",\n',
        (*_HUB, "test_prepare"),
    ),
    Mutant(
        "exception: what is known is no news",
        _APPLY,
        "        news = [one for one in said if not known.issuperset(words([one]))]\n",
        "        news = said\n",
        (*_PULL, "test_exception or test_ledger"),
    ),
    Mutant(
        "exception: what speaks against a final result comes up",
        _APPLY,
        "        return [self._exception_row(fact, doubt, outcome, said) for doubt, outcome in against]\n",
        "        return []\n",
        (*_PULL, "test_exception or test_ledger"),
    ),
    Mutant(
        "exception: a batch with one is not done",
        "g2p_payment_reconcile/models/payment_batch.py",
        "        over = not to_decide and not ",
        "        over = not ",
        (*_PULL, "test_exception or test_ledger"),
    ),
    Mutant(
        "the deadline counts also while the gateway cannot be asked",
        "g2p_payment_reconcile/models/payment_submission.py",
        "        except UserError as error:  #",
        "        except ZeroDivisionError as error:  #",
        (*_PULL, "test_exception"),
    ),
    Mutant(
        "what was accepted before results were asked for is asked for",
        "g2p_payment_reconcile/hooks.py",
        '    env["g2p.payment.submission"]._adopt()\n',
        "",
        (*_PULL, "test_reconciliation"),
    ),
    Mutant(
        "lease: one worker asks at a time",
        "g2p_payment_reconcile/models/payment_submission.py",
        "               AND (polling_until IS NULL OR polling_until < %s OR polling_by = %s)\n",
        "               AND (%s IS NOT NULL OR %s IS NOT NULL)\n",
        (*_PULL, "test_reconciliation"),
    ),
    Mutant(
        "evidence: who uploaded it does not apply it",
        _EVIDENCE,
        "        if self.uploaded_by_id == self.env.user:\n",
        "        if False:\n",
        (*_PULL, "test_evidence"),
    ),
    Mutant(
        "evidence: PostgreSQL asks for two people as well",
        _EVIDENCE,
        "check(applied_by_id is null or applied_by_id <> uploaded_by_id)",
        "check(true)",
        (*_PULL, "test_evidence"),
    ),
    Mutant(
        "evidence: what was not seen is not applied",
        _APPLY_EVIDENCE,
        "        return self.preview == seen\n",
        "        return True\n",
        (*_PULL, "test_evidence"),
    ),
    Mutant(
        "evidence: what the page did not show is not applied",
        _EVIDENCE,
        '        if self.env.context.get("preview") != self.preview:\n',
        "        if False:\n",
        (*_PULL, "test_evidence"),
    ),
    Mutant(
        "evidence: of two candidates none is guessed",
        _BY_PAYEE,
        "        if len(candidates) > 1:\n",
        "        candidates = candidates[:1]\n        if False:\n",
        (*_PULL, "test_evidence"),
    ),
    Mutant(
        "evidence: an old payment that is still open is a candidate",
        _BY_PAYEE,
        ' if one["near"] or not one["over"]]\n',
        ' if one["near"]]\n',
        (*_PULL, "test_evidence"),
    ),
    Mutant(
        "evidence: a line before the payment was sent is not its own",
        _BY_PAYEE,
        ' if one["sent_on"] - _A_DAY <= day]\n',
        "]\n",
        (*_PULL, "test_evidence"),
    ),
    Mutant(
        "evidence: by payee only in the approved currency",
        _BY_PAYEE,
        "line: ((payee, Decimal(amount), currency), day)\n",
        'line: ((payee, Decimal(amount), "USD"), day)\n',
        (*_PULL, "test_evidence"),
    ),
    Mutant(
        "evidence: two lines for one payment are not guessed",
        _BY_PAYEE,
        '        if taken[one["payment"]] > 1:\n',
        "        if False:\n",
        (*_PULL, "test_evidence"),
    ),
    Mutant(
        "evidence: what was not sent is not paid",
        _MATCH,
        "            if payment and same_gateway and was_sent:\n",
        "            if payment and same_gateway:\n",
        (*_PULL, "test_evidence"),
    ),
    Mutant(
        "evidence: a further booking is another payment",
        _EFFECT,
        '            further = line["status"] == "paid" and booking != first\n',
        "            further = False\n",
        (*_PULL, "test_evidence"),
    ),
    Mutant(
        "evidence: lines that were applied are duplicates",
        _MATCH,
        "(evidence.id = %s OR (evidence.state = 'applied' AND told.match = 'matched'))",
        "evidence.id = %s",
        (*_PULL, "test_evidence"),
    ),
    Mutant(
        "evidence: paid without an amount is a doubt",
        _EFFECT,
        '    if line["status"] == "paid" and (amount is None or not line["currency"]):\n',
        "    if False:\n",
        (*_PULL, "test_evidence"),
    ),
    Mutant(
        "evidence: a document type is refused",
        "g2p_payment_reconcile/evidence/iso20022.py",
        "    if root.getroottree().docinfo.doctype:\n",
        "    if False:\n",
        (*_UNIT, "test_iso20022"),
    ),
    Mutant(
        "evidence: what is not booked is not paid",
        "g2p_payment_reconcile/evidence/iso20022.py",
        '    if booked != "BOOK":\n',
        "    if False:\n",
        (*_UNIT, "test_iso20022"),
    ),
    Mutant(
        "unique index: a payment has one transfer that can pay",
        _TRANSFER,
        "CREATE UNIQUE INDEX IF NOT EXISTS g2p_mojaloop_transfer_one_live",
        "CREATE INDEX IF NOT EXISTS g2p_mojaloop_transfer_one_live",
        (*_MOJALOOP, "second_transfer"),
    ),
    Mutant(
        "whoever comes back late writes nothing over what others have written",
        _TRANSFER_RUN,
        "AND transfer.lease = %s AND transfer.state = told.before",
        "AND (transfer.lease = %s OR transfer.id = told.id)",
        (*_MOJALOOP, "comes_back_late"),
    ),
    Mutant(
        "the scheme is asked for a transfer before it is begun",
        _PAYING,
        "    said = said_to(connector.ask, task, task.transfer_id, Step.ASK)\n"
        "    if isinstance(said, Transfer):\n        return _ended(connector, known(task, said))\n"
        "    if not _is_not_known(said):\n",
        "    said = None\n    if False:\n",
        (*_MOJALOOP, "restored_backup or cannot_say"),
    ),
    Mutant(
        "a no of the scheme counts when it was said twice",
        _RESULTS,
        "    if task.heard or task.terms.flow != STEP_BY_STEP:\n        return last\n",
        "    return last\n",
        (*_MOJALOOP, "belongs"),
    ),
    Mutant(
        "a quote is held against the fee limit",
        _RESULTS,
        "if quote.exceeds(limit_absolute=task.terms.allowed_fee(quote.amount)):",
        "if False:",
        (*_MOJALOOP, "fee_above"),
    ),
    Mutant(
        "defaults that a user keeps make no payment paid",
        "g2p_payment_hub/models/ir_default.py",
        '        if getattr(self.env.get(model_name), "_no_user_defaults", False):\n',
        "        if False:\n",
        (*_HUB, "test_context"),
    ),
    Mutant(
        "the manager of another program, or company, pays nobody",
        _MANAGER,
        "        if cycle.program_id != self.program_id:\n",
        "        if False:\n",
        (*_HUB, "test_prepare"),
    ),
    Mutant(
        "what is approved is what the entitlement says",
        "g2p_payment_hub/models/payment_batch_check.py",
        "            if not payment._is_still_due():\n",
        "            if False:\n",
        (*_HUB, "test_check"),
    ),
    Mutant(
        "what is sent is what the entitlement says",
        _SENDING,
        "            if not payment._is_still_due():\n",
        "            if False:\n",
        (*_HUB, "test_send"),
    ),
    Mutant(
        "a disabled beneficiary is not paid",
        _SENDING,
        "            if payment.partner_id.disabled:\n",
        "            if False:\n",
        (*_HUB, "test_send"),
    ),
    Mutant(
        "a distributed cycle pays again only in the place of failed payments",
        "g2p_payment_hub/models/payment_batch_check.py",
        "all(payment.reissue_of_id for payment in self.payment_ids)",
        'all(self.payment_ids.mapped("reissue_of_id"))',
        (*_HUB, "test_send"),
    ),
    Mutant(
        "while nobody knows, somebody is called to find out",
        _RECOVERY,
        "        else:\n            self._call_for_a_person()\n",
        "",
        (*_HUB, "test_task"),
    ),
    Mutant(
        "gone for good: two people decide it",
        "g2p_payment_hub/models/payment_gateway_gone.py",
        "        if self.gone_declared_by_id == self.env.user:\n",
        "        if False:\n",
        (*_HUB, "test_gateway_gone"),
    ),
    Mutant(
        "gone for good: those who set up gateways do not decide it",
        "g2p_payment_hub/models/payment_gateway_gone.py",
        "        if not self.env.su and GUARDED & set(vals):\n",
        "        if False:\n",
        (*_HUB, "test_gateway_gone"),
    ),
    Mutant(
        "gone for good: an answer counts",
        "g2p_payment_hub/models/payment_gateway_gone.py",
        "            return ask(*arguments)\n",
        "            return None if self.sudo().gone_confirmed_by_id else ask(*arguments)\n",
        (*_HUB, "test_gateway_gone"),
    ),
    Mutant(
        "gone for good: nothing is sent there any more",
        _SENDING,
        "        if self.gateway_id.sudo().gone_confirmed_by_id:\n",
        "        if False:\n",
        (*_HUB, "test_gateway_gone"),
    ),
)
