-- A copy of the database must not be able to pay.
UPDATE g2p_payment_gateway
   SET state = 'disabled';
DELETE FROM g2p_payment_gateway_secret;
-- Nor speak for the original.
DELETE FROM ir_config_parameter
 WHERE key IN ('g2p_payment_hub.anchor_email', 'g2p_payment_hub.anchor_url');
