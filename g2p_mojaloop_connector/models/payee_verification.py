import logging
from typing import NamedTuple

from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.g2p_payment_hub.client.errors import GatewayError
from odoo.addons.g2p_payment_hub.client.outcomes import FailureType
from odoo.addons.g2p_payment_hub.models.roles import LOOKERS, has_role
from odoo.addons.queue_job.job import identity_exact

from ..client import grammar, names
from ..client.catalogue import StepFailed

_logger = logging.getLogger(__name__)

# Looked up in one job; looking up moves no money, so a job that died simply begins again.
CHUNK = 200
# New look-ups of a job begin for so many seconds, well below a worker's time limit. Another does the rest.
SECONDS = 30


class _Question(NamedTuple):
    id: int
    id_type: str
    identifier: str
    sub_id: str


class PayeeVerification(models.Model):
    """What the scheme said when it was asked who a payee's identifier belongs to: the evidence, with its
    date.

    It pays and stops nothing by itself. Where the names differ, a person decides.
    """

    _name = "g2p.payee.verification"
    _description = "Payee Verification"
    _no_user_defaults = True
    _order = "id desc"
    _rec_name = "partner_id"

    partner_id = fields.Many2one(
        "res.partner", "Registrant", required=True, readonly=True, ondelete="cascade", index=True
    )
    payment_id = fields.Many2one("g2p.payment", readonly=True, ondelete="cascade", index="btree_not_null")
    batch_id = fields.Many2one("g2p.payment.batch", readonly=True, ondelete="cascade", index="btree_not_null")
    gateway_id = fields.Many2one("g2p.payment.gateway", required=True, readonly=True, ondelete="cascade")
    company_id = fields.Many2one("res.company", related="gateway_id.company_id", store=True)
    identifier_type = fields.Char(required=True, readonly=True)
    identifier = fields.Char("Payee", readonly=True)
    state = fields.Selection(
        [
            ("waiting", "Waiting"),
            ("found", "Found"),
            ("not_found", "Not Found"),
            ("no_answer", "No Answer"),
        ],
        required=True,
        readonly=True,
        default="waiting",
        index=True,
        help="Not found: the scheme knows nobody by this identifier. No answer: the scheme could not say.",
    )
    checked_at = fields.Datetime(readonly=True, help="When the scheme answered.")
    payee_fsp = fields.Char("Institution", readonly=True)
    told_name = fields.Char("Name there", readonly=True, help="The name that the payee's institution knows.")
    our_name = fields.Char("Name here", readonly=True, help="The registrant's name at that time.")
    score = fields.Integer(
        "Likeness",
        readonly=True,
        group_operator="avg",
        help="How alike the names are, in percent. 100: the same, whatever case, accents, spaces and titles. "
        "95: the same words in another order. 79 or less: a word differs or is missing. 0: nothing in "
        "common, or no name that can be read.",
    )
    name_differs = fields.Boolean(
        readonly=True, help="The score was below the gateway's threshold, or the institution told no name."
    )
    error = fields.Char(readonly=True, help="What the scheme said instead of an answer.")
    decision = fields.Selection(
        [("same", "Same Person"), ("other", "Another Person")],
        readonly=True,
        help="What a person decided about names that differ.",
    )
    decided_by_id = fields.Many2one("res.users", "Decided by", readonly=True)
    decided_at = fields.Datetime("Decided on", readonly=True)

    is_doubtful = fields.Boolean(
        "In Doubt",
        compute="_compute_is_doubtful",
        store=True,
        help="The scheme does not know the payee, or knows it by another name, and nobody has decided that "
        "it is the right one.",
    )

    @api.depends("state", "name_differs", "decision")
    def _compute_is_doubtful(self):
        for one in self:
            one.is_doubtful = one.state == "not_found" or (one.name_differs and one.decision != "same")

    @api.model
    def _ask_for(self, gateway, rows):
        """Makes a verification of each of `rows` (dicts of columns) and queues the jobs that look them up."""
        verifications = self.sudo().create([{**row, "gateway_id": gateway.id} for row in rows])
        verifications._queue_look_ups()
        return verifications

    def _queue_look_ups(self):
        for start in range(0, len(self), CHUNK):
            self[start : start + CHUNK]._queue_look_up()

    def _queue_look_up(self):
        self.with_delay(identity_key=identity_exact, description=_("Verify %s payees", len(self)))._look_up()

    # What is known of payments

    @api.model
    def _latest(self, where):
        """Of the payments of `where`, the last verification of the payee that each names now: what was learnt
        of another identifier says nothing about this one."""
        return f"""
            SELECT DISTINCT ON (payment.id) payment.id AS payment_id, payment.batch_id, verification.id,
                   verification.checked_at, verification.is_doubtful
              FROM g2p_payment AS payment
              JOIN g2p_payee_verification AS verification ON verification.payment_id = payment.id
               AND verification.identifier IS NOT DISTINCT FROM payment.account_number
               AND verification.identifier_type IS NOT DISTINCT FROM payment.payee_identifier_type
             WHERE {where} = ANY(%s)
             ORDER BY payment.id, verification.id DESC
        """

    @api.model
    def _latest_of(self, payments):
        """Payment's id to its verification."""
        self.env.flush_all()
        self.env.cr.execute(
            f"SELECT payment_id, id FROM ({self._latest('payment.id')}) AS latest", [payments.ids]
        )
        return {payment: self.browse(latest) for payment, latest in self.env.cr.fetchall()}

    @api.model
    def _count_of(self, batches):
        """Batch's id to how many of its payees were looked up, and how many of these are in doubt."""
        self.env.flush_all()
        self.env.cr.execute(
            f"""
            SELECT batch_id, count(checked_at), count(*) FILTER (WHERE is_doubtful)
              FROM ({self._latest("payment.batch_id")}) AS latest
             GROUP BY batch_id
            """,
            [batches.ids],
        )
        return {batch: (checked, doubtful) for batch, checked, doubtful in self.env.cr.fetchall()}

    # Looking up

    def _look_up(self):
        """The job: asks without holding anything, and then writes down what was learnt."""
        waiting = self.sudo().filtered(lambda one: one.state == "waiting")
        gateway = waiting.gateway_id
        if not waiting:
            return _("Nothing to do: these payees have been looked up.")
        problems = gateway._check_ready()
        if problems:
            return waiting._give_up(" ".join(problems))
        gateway._mojaloop_claim()
        with gateway._mojaloop_workers(gateway._mojaloop_terms_of_gateway()) as workers:
            told = workers.run(_asked, [one._question() for one in waiting], SECONDS, lambda _one: None)
        for one, values in zip(waiting, told, strict=True):
            if values:
                one._take_answer(values)
        rest = waiting.filtered(lambda one: one.state == "waiting")
        if rest:
            rest._queue_look_up()
        return _("%s payees were looked up.", len(waiting - rest))

    def _give_up(self, why_not):
        """Nobody is asked through a gateway that was disabled since; whoever wants to know asks again."""
        self.write({"state": "no_answer", "error": why_not})
        return why_not

    def _question(self):
        id_type, sub_id = grammar.split_type(self.identifier_type)
        identifier = grammar.normalised_identifier(id_type, self.identifier or "")
        return _Question(self.id, id_type, identifier, sub_id)

    def _take_answer(self, values):
        error = values.get("error")
        if isinstance(error, GatewayError):
            values = {**values, "error": self.gateway_id._explain(error)}
        elif isinstance(error, grammar.Problem):
            values = {**values, "error": self.gateway_id._mojaloop_problem_sentences()[error]}
        name = values.get("told_name") or ""
        ours = self.partner_id.name or ""
        likeness = names.score(ours, name)
        self.write(
            {
                **values,
                "checked_at": fields.Datetime.now(),
                "our_name": ours,
                "score": likeness,
                "name_differs": values["state"] == "found" and self._is_below_threshold(likeness),
            }
        )

    def _is_below_threshold(self, likeness):
        """Return True if a person has to compare the names: always where nothing is in common."""
        return not likeness or likeness < self.gateway_id.mojaloop_name_threshold

    def _compare_names_again(self):
        """Raise a doubt about names that an earlier version took for the same. A doubt of then stays."""
        for verification in self:
            likeness = names.score(verification.our_name or "", verification.told_name or "")
            differs = verification.name_differs or verification._is_below_threshold(likeness)
            if (likeness, differs) != (verification.score, verification.name_differs):
                verification.write({"score": likeness, "name_differs": differs})

    def action_same_person(self):
        self._decide("same")

    def action_other_person(self):
        self._decide("other")

    def _decide(self, decision):
        if not has_role(self.env, LOOKERS):
            raise AccessError(
                _("Only program managers and finance users decide whether a payee is the right one.")
            )
        if any(not one.name_differs for one in self):
            raise UserError(_("There is nothing to decide: the names agree, or nobody was found."))
        self.sudo().write(
            {"decision": decision, "decided_by_id": self.env.uid, "decided_at": fields.Datetime.now()}
        )


def _asked(connector, question):
    """The columns that the scheme's answer fills; in a thread, so it touches no record."""
    problems = grammar.identifier_problems(question.id_type, question.identifier, question.sub_id)
    if problems:
        return {"state": "not_found", "error": problems[0]}
    try:
        payee = connector.lookup(question.id_type, question.identifier, question.sub_id)
    except StepFailed as error:
        unknown = error.failure_type is FailureType.PAYEE_UNKNOWN
        said = " ".join(filter(None, (error.code, error.description)))
        return {"state": "not_found" if unknown else "no_answer", "error": said}
    except GatewayError as error:
        return {"state": "no_answer", "error": error}
    except Exception as error:  # whatever it is, it is this one's alone
        _logger.exception("a payee could not be looked up")
        return {"state": "no_answer", "error": type(error).__name__}
    told = " ".join(filter(None, (payee.first_name, payee.middle_name, payee.last_name)))
    return {"state": "found", "payee_fsp": payee.fsp_id, "told_name": payee.name or told}
