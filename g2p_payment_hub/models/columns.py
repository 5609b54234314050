class Columns(dict):
    """Columns of many rows that go into one statement: name to type in PostgreSQL.

    COLUMNS = Columns(id="int", reason="varchar")
    cr.execute(f"... FROM unnest({COLUMNS.arrays}) AS told ({COLUMNS.names})", COLUMNS.of(rows))
    """

    @property
    def names(self):
        return ", ".join(self)

    @property
    def arrays(self):
        return ", ".join(f"%s::{kind}[]" for kind in self.values())

    def of(self, rows):
        """The parameters of `arrays`. As in Odoo's own columns, what is empty is NULL."""
        return [[_stored(row.get(name), kind) for row in rows] for name, kind in self.items()]


def _stored(value, kind):
    return None if value == "" or (value is False and kind != "boolean") else value
