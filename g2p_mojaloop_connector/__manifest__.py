{
    "name": "G2P Mojaloop Connector",
    "summary": "The entry for Mojaloop among the payment gateways; this version cannot send yet",
    "category": "G2P",
    "version": "17.0.1.0.0",
    "sequence": 1,
    "author": "OpenG2P",
    "website": "https://openg2p.org",
    "license": "LGPL-3",
    "development_status": "Alpha",
    "depends": ["g2p_payment_hub"],
    "data": ["views/payment_gateway.xml"],
}
