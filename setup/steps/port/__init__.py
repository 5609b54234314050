"""Native Odoo 17.0 add-ons made ready for Odoo 19.0; runs inside the Python environment that has Odoo 19."""
