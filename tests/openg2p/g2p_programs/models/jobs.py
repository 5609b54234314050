from odoo.addons.queue_job.delay import group


def run_in_jobs(record, reason, jobs, done):
    """Delay the jobs, and lock the record until done, the job that follows them, unlocks it.

    Nothing unlocks it when one of the jobs fails.
    """
    record.message_post(body=reason)
    record.write({"locked": True, "locked_reason": reason})
    main_job = group(*jobs)
    main_job.on_done(done)
    main_job.delay()


def unlock(record, message):
    record.write({"locked": False, "locked_reason": False})
    record.message_post(body=message)
