"""Statements that write many rows at a time, and what the ORM has to be told after them."""


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


def tell_written(records, names):
    """Tell the ORM that SQL has written these fields of the records.

    Stored computes of other add-ons would not follow otherwise. Where nothing depends on the fields, this
    costs no statement. What the cache still had to write must be flushed before the SQL.
    """
    records.invalidate_recordset(names, flush=False)
    records.modified(names)


def tell_created(records, names):
    """Tell the ORM that SQL has inserted the records, with values for the fields `names`."""
    for field in records._fields.values():
        if field.compute and field.store and field.name not in names:
            records.env.add_to_compute(field, records)
    records.modified(records._fields, create=True)


def _stored(value, kind):
    return None if value == "" or (value is False and kind != "boolean") else value
