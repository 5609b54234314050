def migrate(cr, version):
    """Keep what CSV mappings mean: one without a status took a minus for money that left the account."""
    cr.execute(
        """
        UPDATE g2p_payment_evidence_mapping SET paid_sign = 'negative'
         WHERE trim(coalesce(status_column, '')) = '' AND trim(coalesce(debit_column, '')) = ''
        """
    )
    # Security rules are not updated with the add-on. Mappings without a company came with it.
    cr.execute(
        """
        UPDATE ir_rule SET domain_force = '[(''company_id'', ''in'', company_ids + [False])]'
          FROM ir_model_data
         WHERE ir_model_data.module = 'g2p_payment_reconcile' AND ir_model_data.model = 'ir.rule'
           AND ir_model_data.name = 'payment_evidence_mapping_company_rule'
           AND ir_model_data.res_id = ir_rule.id
        """
    )
