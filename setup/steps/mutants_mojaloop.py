"""The safety mechanisms of Mojaloop's client, as in mutants.py."""

from .mutants import Mutant

_CLIENT = "g2p_mojaloop_connector/client"
_MODELS = "g2p_mojaloop_connector/models"


def _mutant(name, file, old, new, tests):
    return Mutant(f"mojaloop: {name}", f"{_CLIENT}/{file}", old, new, ("--only", "unit", "-k", tests))


def _of_models(name, file, old, new, tests, folder=_MODELS):
    arguments = ("--only", "addons", "--addon", "g2p_mojaloop_connector", "-k", tests)
    return Mutant(f"mojaloop: {name}", f"{folder}/{file}", old, new, arguments)


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
        '    if state.get("transferId") != transfer_id:\n        raise OutcomeUnknown(',
        "    if False:\n        raise OutcomeUnknown(",
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
    _mutant(
        "two phases: an id of the connector's own is not accepted",
        "offers.py",
        '    if state.get("transferId") != transfer_id:\n        raise no_ids()\n',
        "    return\n",
        "test_two_phase",
    ),
    _mutant(
        "two phases: the connector is given our id",
        "bodies.py",
        '        "transferId": transfer_id,\n        "homeTransactionId"',
        '        "homeTransactionId"',
        "test_two_phase",
    ),
    _mutant(
        "two phases: a transfer that failed unasked may have paid",
        "connector.py",
        '        if failed.get("quoteResponse"):\n',
        "        if False:\n",
        "test_two_phase",
    ),
    _mutant(
        "two phases and bulk: what the connector dates is not sent again",
        "bodies.py",
        'repeatable=single and "acceptQuote" not in members,',
        "repeatable=True,",
        "test_two_phase or test_bulk",
    ),
    _mutant(
        "bulk: no more than the connector reads in one request",
        "bulk.py",
        "            if size > MAX_BYTES:\n                break\n",
        "",
        "test_bulk",
    ),
    _mutant(
        "bulk: npm's connector is recognised",
        "bulk.py",
        "                self.check()  # all that 18.0.2 ever says\n",
        "                pass\n",
        "test_bulk",
    ),
    _of_models(
        "the flow that was approved is the one that is paid in",
        "payment_gateway_hooks.py",
        "        two_phase = terms.flow == orders.TWO_PHASES\n",
        "        two_phase = self.mojaloop_flow == orders.TWO_PHASES\n",
        "test_two_phases",
    ),
    _of_models(
        "the flow is part of what is approved",
        "payment_gateway_hooks.py",
        "            flow=self.mojaloop_flow,\n",
        "",
        "test_two_phases or test_bulk",
    ),
    _of_models(
        "each turn has a quote and a bulk of its own",
        "mojaloop_transfer.py",
        "turn = coalesce(turn, 0) + CASE",
        "turn = turn + CASE",
        "test_bulk or a_quote_that_is_lost",
    ),
    _of_models(
        "two phases: a connector that accepts by itself pays no more than one",
        "payment_submission.py",
        "self.limit = {orders.TWO_PHASES: 1, orders.BULK: MAX_ITEMS}",
        "self.limit = {orders.BULK: MAX_ITEMS}",
        "accepts_by_itself",
    ),
    _of_models(
        "two phases: what may have been paid unasked is asked for",
        "results.py",
        "    if error.verdict is Verdict.ASK:\n        return _may_have_paid(task, error)\n",
        "",
        "accepts_by_itself",
        _CLIENT,
    ),
    _of_models(
        "bulk: one of which nothing was said is unknown",
        "paying_bulk.py",
        "    return said.get(task.transfer_id) or OutcomeUnknown("
        'Reason.NOT_UNDERSTOOD, "nothing was said of this one")\n',
        '    return said.get(task.transfer_id) or StepFailed(Step.TRANSFER, "5104")\n',
        "nothing_is_said",
        _CLIENT,
    ),
    _of_models(
        "bulk: what costs too much does not leave",
        "paying_bulk.py",
        "    return offered(task, said) if isinstance(said, Quote)",
        '    return result(task, "transferring")._replace(quote=said) if isinstance(said, Quote)',
        "an_ending_of_its_own",
        _CLIENT,
    ),
    _of_models(
        "bulk: the scheme is asked for each before it is begun",
        "paying_bulk.py",
        "    return unless_known(connector, task, _found)\n",
        "    return _found(connector, task)\n",
        "test_bulk",
        _CLIENT,
    ),
    _of_models(
        "bulk: what another run has taken does not leave",
        "payment_submission.py",
        'return [result.task for result in mine if result.row["state"] == "transferring"]',
        'return [result.task for result in results if result.row["state"] == "transferring"]',
        "taken_meanwhile or comes_back_late",
    ),
    _of_models(
        "bulk: a connector that cannot is refused at sending",
        "payment_gateway_hooks.py",
        "                connector.bulk().check()\n",
        "                pass\n",
        "refused_at_sending",
    ),
)
