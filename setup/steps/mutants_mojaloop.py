"""The safety mechanisms of Mojaloop's client, as in mutants.py."""

from .mutants import Mutant

_CLIENT = "g2p_mojaloop_connector/client"


def _mutant(name, file, old, new, tests):
    return Mutant(f"mojaloop: {name}", f"{_CLIENT}/{file}", old, new, ("--only", "unit", "-k", tests))


def _in_odoo(name, file, old, new, tests, addon="g2p_mojaloop_connector"):
    arguments = ("--only", "addons", "--addon", addon, "-k", tests)
    return Mutant(f"mojaloop: {name}", f"{addon}/{file}", old, new, arguments)


MUTANTS = (
    _mutant(
        "paid only with the fulfilment of its own condition",
        "transfer_state.py",
        "        fits = ilp.fulfils(transfer.fulfilment, order.condition)\n",
        "        fits = True\n",
        "test_transfer_state",
    ),
    _mutant(
        "aborted and reserved are not paid, whatever the connector calls them",
        "transfer_state.py",
        "    if transfer.state == COMMITTED:\n",
        '    if transfer.state in (COMMITTED, "RESERVED", ABORTED):\n',
        "test_transfer_state or test_connector",
    ),
    _mutant(
        "unknown to the hub means nothing before the transfer expired",
        "transfer_state.py",
        "    if now < order.expiration:\n",
        "    if now < order.expiration - grace * 2:\n",
        "test_transfer_state",
    ),
    _mutant(
        "time for clocks that differ",
        "transfer_state.py",
        "if now >= order.expiration + grace else",
        "if now >= order.expiration else",
        "test_transfer_state",
    ),
    _mutant(
        "what the connector cannot repeat is not sent again",
        "transfer_state.py",
        "TransferState.RESEND if order.repeatable else TransferState.WAITING",
        "TransferState.RESEND",
        "test_transfer_state",
    ),
    _mutant(
        "a code that nobody knows ends no transfer",
        "catalogue.py",
        "_NOT_LISTED = _Row(_FAILED, _ASK, _ASK, _OTHER)",
        "_NOT_LISTED = _Row(_FAILED, _FAILED, _FAILED, _OTHER)",
        "test_catalogue",
    ),
    _mutant(
        "what may speak of the question ends no transfer",
        "catalogue.py",
        "        verdict = row.ask if step in (Step.RESEND, Step.ASK) else row.before\n",
        "        verdict = row.transfer if step in (Step.RESEND, Step.ASK) else row.before\n",
        "test_catalogue",
    ),
    _mutant(
        "our id with another content is asked for",
        "catalogue.py",
        '"3106": _Row(_PAUSE, _ASK, _ASK, _DUPLICATE)',
        '"3106": _Row(_PAUSE, _FAILED, _ASK, _DUPLICATE)',
        "test_catalogue",
    ),
    _mutant(
        "one attempt has the same ids each time",
        "ids.py",
        'derived_uuid("mojaloop transfer", reference, attempt)',
        'derived_uuid("mojaloop transfer", reference, attempt, object())',
        "test_ids",
    ),
    _mutant(
        "another attempt has other ids",
        "ids.py",
        'derived_uuid("mojaloop transfer", reference, attempt)',
        'derived_uuid("mojaloop transfer", reference)',
        "test_ids",
    ),
    _mutant(
        "the party that answers is the one that was asked for",
        "offers.py",
        "    if asked != told or not grammar.same_identifier(id_type, id_value, found.id_value):\n",
        "    if asked != told:\n",
        "test_connector",
    ),
    _mutant(
        "the packet is for this transaction",
        "offers.py",
        '    if (carried.get("transactionId"),',
        '    if False and (carried.get("transactionId"),',
        "test_connector or test_bulk",
    ),
    _mutant(
        "the packet is for this amount",
        "offers.py",
        '    if _amount(carried, "amount", found.currency) != found.transfer_amount:\n',
        "    if False:\n",
        "test_connector or test_bulk",
    ),
    _mutant(
        "the offer is in the currency of the payment",
        "offers.py",
        '    if money.get("currency") != currency:\n',
        "    if False:\n",
        "test_connector",
    ),
    _mutant(
        "the payee receives the amount",
        "offers.py",
        '    if amount_type == "RECEIVE" and found.payee_amount not in (None, found.amount):\n',
        "    if False:\n",
        "test_connector",
    ),
    _mutant(
        "an answer about another transfer is none",
        "offers.py",
        '    if state.get("transferId") != transfer_id:\n',
        "    if False:\n",
        "test_connector or test_two_phase",
    ),
    _mutant(
        "a connector that accepts by itself is noticed",
        "connector.py",
        '        if state.get("currentState") != _ASKS_FOR_QUOTE:\n',
        "        if False:\n",
        "test_two_phase",
    ),
    _mutant(
        "one exchange at a time about one party",
        "turns.py",
        "        with self._locks[zlib.crc32(name.encode()) % _LOCKS]:\n            yield\n",
        "        yield\n",
        "test_turns",
    ),
    _mutant(
        "we wait longer than the connector",
        "settings.py",
        "        if min(self.limits.read, self.limits.total) <= longest:\n",
        "        if False:\n",
        "test_connector",
    ),
    _mutant(
        "identifiers lead to no other path",
        "grammar.py",
        '_IDENTIFIER = re.compile(r"(?!\\.+\\Z)[A-Za-z0-9._~!$&\'()*+,;=:@-]{1,128}")',
        '_IDENTIFIER = re.compile(r"[A-Za-z0-9._~!$&\'()*+,;=:@/-]{1,128}")',
        "test_grammar or test_connector",
    ),
    _mutant(
        "bulk: a fulfilment before the end is not paid",
        "bulk.py",
        'COMMITTED if whole == "COMPLETED" and row.get("fulfilment") else "RESERVED"',
        'COMMITTED if row.get("fulfilment") else "RESERVED"',
        "test_bulk",
    ),
    _mutant(
        "bulk: an id that is told twice tells nothing",
        "bulk.py",
        "for identifier, row in found.items() if identifier not in twice}",
        "for identifier, row in found.items()}",
        "test_bulk",
    ),
    _mutant(
        "signatures: an address is signed",
        "jws.py",
        "    if protected[METHOD] != method.upper() or not target",
        "    if False and not target",
        "test_jws",
    ),
    _mutant(
        "signatures: what is signed is what the headers say",
        "jws.py",
        "        if not protected.get(name) or protected[name] != given.get(name.lower()):\n",
        "        if not protected.get(name):\n",
        "test_jws",
    ),
    _in_odoo(
        "what people decided is not worked on",
        "models/mojaloop_transfer.py",
        "               AND decided IS NULL\n",
        "",
        "test_decision",
    ),
    _in_odoo(
        "what people decided meanwhile does not leave",
        "models/mojaloop_transfer.py",
        "               AND (transfer.decided IS NULL OR told.state <> 'transferring')\n",
        "",
        "test_decision",
    ),
    _in_odoo(
        "what people decided meanwhile is not tried under another id",
        "models/mojaloop_transfer.py",
        "if one.attempt < MAX_ATTEMPTS and not one.decided\n",
        "if one.attempt < MAX_ATTEMPTS\n",
        "test_decision",
    ),
    _in_odoo(
        "what speaks against a decision is told",
        "models/mojaloop_transfer.py",
        "            if transfer._contradicts_decision()\n            or transfer",
        "            if transfer",
        "test_decision",
    ),
    _in_odoo(
        "what was declared failed unheard is asked for before it is paid again",
        "models/mojaloop_transfer_decision.py",
        "            gateway._mojaloop_may_pay(declared) if declared else declared\n",
        "            declared.browse()\n",
        "test_decision",
    ),
    _in_odoo(
        "what was declared failed before its expiry may still be paid",
        "models/mojaloop_transfer_decision.py",
        "declared.filtered(lambda one: one._is_in_time())[:1] or (",
        "(",
        "test_decision",
    ),
    _in_odoo(
        "a pause is in the audit trail",
        "models/payment_submission.py",
        "        self._record(before, after, why)\n",
        "",
        "TestPause",
    ),
    _in_odoo(
        "what was decided while the batch was on its way is not begun",
        "models/mojaloop_transfer.py",
        "        self._heed_decisions(submission.batch_id.payment_ids)\n",
        "",
        "test_decision",
    ),
    _in_odoo(
        "the code of a refusal outlives the word that the transfer is over",
        "client/paying.py",
        "    no = said if isinstance(said, StepFailed) else task.first_no()\n",
        "    no = said if isinstance(said, StepFailed) else None\n",
        "test_paying",
    ),
    _in_odoo(
        "whoever still pays is told what people decided",
        "models/payment.py",
        "        self._heed_decision()\n",
        "",
        "TestHeedDecision",
        "g2p_payment_reconcile",
    ),
    _in_odoo(
        "whoever still pays is told what a statement said",
        "models/payment_evidence_match.py",
        "        payments._heed_decision()\n",
        "",
        "TestHeedDecision",
        "g2p_payment_reconcile",
    ),
)
