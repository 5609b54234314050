-- A copy of the database must not be able to pay.
UPDATE g2p_payment_gateway
   SET state = 'disabled';
DELETE FROM g2p_payment_gateway_secret;
