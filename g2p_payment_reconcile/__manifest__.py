{
    "name": "G2P Payment Reconcile",
    "summary": "Brings back from the payment system who was paid, who was not, and why",
    "category": "G2P",
    "version": "17.0.1.0.0",
    "sequence": 1,
    "author": "OpenG2P",
    "website": "https://openg2p.org",
    "license": "LGPL-3",
    "development_status": "Beta",
    "depends": ["g2p_payment_hub"],
    "data": [
        "data/queue_job.xml",
        "data/cron.xml",
        "views/payment_gateway.xml",
        "views/payment_submission.xml",
        "views/payment_batch.xml",
    ],
}
