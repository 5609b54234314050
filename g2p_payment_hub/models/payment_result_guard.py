from odoo import models

TRIGGER = "g2p_payment_result_has_event"
# What a result is, and whose.
_RESULT = ("gateway_id", "status", "status_is_final", "amount_paid")


class Payment(models.Model):
    """PostgreSQL refuses a result that the audit trail does not tell, whoever writes it: a template or a
    server action that runs as superuser, another add-on, or a hand on the database.

    Looked at when the transaction commits, so that result and event may be written in any order. Of a payment
    of a gateway

    - a result is final as soon as there is one,
    - the last event that moves it says what it is by now (`status`, or `state` where there is none),
    - such an event is of this very transaction where result or amount changed,
    - the gateway stays.

    Payments of other managers, and changes of anything else, are not looked at. Who may write is asked in
    `payment_guard`; which result is right, by the code that writes it.
    """

    _inherit = "g2p.payment"

    def init(self):
        super().init()
        self.env.cr.execute(_GUARD)


def forget_guard(cr):
    """The table stays when the add-on goes."""
    cr.execute("DROP FUNCTION IF EXISTS g2p_payment_check_result() CASCADE")


_OLD, _NEW = (f"({', '.join(f'{row}.{name}' for name in _RESULT)})" for row in ("OLD", "NEW"))
# `age` counts from this transaction: what it inserted itself, in savepoints as well, is not older. In
# Odoo's isolation level nothing younger is seen.
_GUARD = f"""
CREATE OR REPLACE FUNCTION g2p_payment_check_result() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    payment record;
    told record;
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.gateway_id IS NOT NULL AND NEW.gateway_id IS DISTINCT FROM OLD.gateway_id THEN
        RAISE check_violation USING CONSTRAINT = '{TRIGGER}', MESSAGE =
            format('The gateway of payment %s cannot change: make a new payment instead.', OLD.name);
    END IF;
    SELECT name, coalesce(status, state) AS word, status IS NOT NULL AS ended,
           status_is_final IS TRUE AS final
      INTO payment FROM g2p_payment WHERE id = NEW.id;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF payment.ended <> payment.final THEN
        RAISE check_violation USING CONSTRAINT = '{TRIGGER}', MESSAGE =
            format('Payment %s has to be final when it has a result, and only then.', payment.name);
    END IF;
    -- Without statistics, as of a batch that was just written, PostgreSQL would look for the last event among
    -- those of all payments, and for each payment again.
    WITH mine AS MATERIALIZED (
        SELECT id, from_state, to_state, age(xmin) <= 0 AS is_new FROM g2p_payment_event
         WHERE payment_id = NEW.id
    )
    SELECT moved.to_state,
           EXISTS (SELECT FROM mine WHERE is_new AND to_state = payment.word) AS is_new
      INTO told FROM (SELECT max(id) AS id FROM mine WHERE from_state IS DISTINCT FROM to_state) AS last
      LEFT JOIN mine AS moved ON moved.id = last.id;
    IF told.to_state IS DISTINCT FROM payment.word OR NOT told.is_new THEN
        RAISE check_violation USING CONSTRAINT = '{TRIGGER}', MESSAGE =
            format('The result of payment %s was not changed: its audit trail has no event that says so. '
                   'Results come from the payment system, or are decided by two people.', payment.name);
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS {TRIGGER} ON g2p_payment;
DROP TRIGGER IF EXISTS {TRIGGER}_new ON g2p_payment;
CREATE CONSTRAINT TRIGGER {TRIGGER} AFTER UPDATE ON g2p_payment
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN ((OLD.gateway_id IS NOT NULL OR NEW.gateway_id IS NOT NULL)
          AND {_OLD} IS DISTINCT FROM {_NEW}
          AND (OLD.status IS NOT NULL OR NEW.status IS NOT NULL
               OR OLD.status_is_final IS TRUE OR NEW.status_is_final IS TRUE
               OR OLD.gateway_id IS DISTINCT FROM NEW.gateway_id))
    EXECUTE FUNCTION g2p_payment_check_result();
CREATE CONSTRAINT TRIGGER {TRIGGER}_new AFTER INSERT ON g2p_payment
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.gateway_id IS NOT NULL AND (NEW.status IS NOT NULL OR NEW.status_is_final IS TRUE))
    EXECUTE FUNCTION g2p_payment_check_result();
"""
