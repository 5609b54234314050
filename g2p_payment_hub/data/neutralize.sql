-- A copy of the database must not be able to pay.
UPDATE g2p_payment_gateway
   SET state = 'disabled',
       phee_password = NULL,
       phee_client_secret = NULL,
       phee_signing_key = NULL;
