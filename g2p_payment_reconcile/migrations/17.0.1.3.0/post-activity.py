def migrate(cr, version):
    """Give the tasks of files the activity type of files; earlier versions used the type of batches."""
    cr.execute(
        """
        UPDATE mail_activity AS activity SET activity_type_id = own.res_id
          FROM ir_model_data AS own, ir_model_data AS batches
         WHERE own.module = 'g2p_payment_reconcile' AND own.name = 'activity_decide_evidence'
           AND batches.module = 'g2p_payment_reconcile' AND batches.name = 'activity_decide'
           AND activity.activity_type_id = batches.res_id AND activity.res_model = 'g2p.payment.evidence'
        """
    )
