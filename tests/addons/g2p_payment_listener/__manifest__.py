{
    "name": "G2P Payment Listener",
    "summary": "Stands for an add-on that follows the results of payments; for tests only",
    "category": "Hidden",
    "version": "17.0.1.0.0",
    "author": "OpenG2P",
    "website": "https://openg2p.org",
    "license": "LGPL-3",
    "depends": ["g2p_payment_reconcile", "base_automation"],
    "data": ["security/ir.model.access.csv"],
    "installable": True,
}
