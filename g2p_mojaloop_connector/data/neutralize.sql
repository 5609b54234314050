-- A copy of the database must not publish keys or addresses.
UPDATE g2p_payment_gateway
   SET mojaloop_cm_url = NULL;
