{
    "name": "G2P Payment Crash",
    "summary": "Lets a server die at a chosen checkpoint; for tests only, loaded with --load and never "
    "installed",
    "category": "Hidden",
    "version": "17.0.1.0.0",
    "author": "OpenG2P",
    "website": "https://openg2p.org",
    "license": "LGPL-3",
    "depends": ["g2p_payment_reconcile"],
    "post_load": "post_load",
    "installable": False,
}
