"""The waits of production, taken out: in these tests nothing is asked for before the test says that it is time."""

from datetime import timedelta

from odoo.addons.g2p_payment_hub.models import payment_recovery, payment_submission
from odoo.addons.g2p_payment_reconcile.models import payment_submission as reconcile
from odoo.addons.queue_job import jobrunner


def take_out():
    payment_submission.LEASE = timedelta(0)
    payment_recovery.FIRST_LOOK_UP = timedelta(0)
    reconcile.USUAL_WAIT = reconcile.SHORTEST_WAIT = reconcile.LONGEST_WAIT = 0
    jobrunner.START_DELAY = 0.5
