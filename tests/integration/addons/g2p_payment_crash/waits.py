"""The waits of production, shortened: what it waits for has happened, or has not, within seconds here."""

from datetime import timedelta

from odoo.addons.g2p_payment_hub.models import payment_recovery, payment_submission
from odoo.addons.g2p_payment_reconcile.models import payment_submission as reconcile
from odoo.addons.queue_job import jobrunner


def shorten():
    payment_submission.LEASE = timedelta(seconds=2)
    payment_recovery.FIRST_LOOK_UP = timedelta(seconds=1)
    payment_recovery.LONGEST_WAIT = timedelta(seconds=2)
    reconcile.USUAL_WAIT = reconcile.SHORTEST_WAIT = 1
    reconcile.LONGEST_WAIT = 2
    jobrunner.START_DELAY = 0.5
