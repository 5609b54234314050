"""Payment Hub EE as plain Python: nothing in this folder imports Odoo or sees a record."""
