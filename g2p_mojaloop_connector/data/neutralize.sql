-- A copy of the database must not publish keys or addresses, nor ask what became of payments: connectors
-- know no passwords.
UPDATE g2p_payment_gateway
   SET mojaloop_cm_url = NULL,
       mojaloop_url = NULL;
