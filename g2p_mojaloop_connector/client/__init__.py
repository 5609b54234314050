# Mojaloop as plain Python: nothing in this folder knows records. From Odoo's add-ons it imports only the
# client of g2p_payment_hub, which is as plain.
