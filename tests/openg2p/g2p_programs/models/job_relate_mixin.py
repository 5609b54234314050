from odoo import models


class JobRelateMixin(models.AbstractModel):
    _name = "job.relate.mixin"
    _description = "Job Relate Mixin"

    def action_view_related_queue_jobs(self):
        self.ensure_one()
        action = self.env.ref("queue_job.action_queue_job").read()[0]
        action["domain"] = self._get_related_job_domain()
        return action

    def _get_related_job_domain(self):
        raise NotImplementedError()
