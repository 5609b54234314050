"""The waits of production, taken out: nothing is asked for before the test says that it is time."""

from datetime import timedelta

from odoo.addons.g2p_payment_hub.models import payment_recovery
from odoo.addons.g2p_payment_reconcile.models import payment_submission
from odoo.addons.queue_job import jobrunner


def take_out():
    payment_recovery.FIRST_LOOK_UP = timedelta(0)
    payment_submission.USUAL_WAIT = payment_submission.SHORTEST_WAIT = payment_submission.LONGEST_WAIT = 0
    jobrunner.START_DELAY = 0.5
