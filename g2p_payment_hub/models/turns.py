"""Turns of the clock: when something is to be asked for next, written without getting into anybody's way."""

import contextlib

from odoo.modules import module
from odoo.tools import config


def take_turns(records, name, turns):
    """Write when each record is due next, id to moment; return those that nobody is busy with.

    In a transaction of its own, at the level at which PostgreSQL takes rows as they are by now: whoever works
    on a record writes the same row, and one of the two would fail.
    """
    if not turns:
        return records.browse()
    records.env.flush_all()
    with _read_committed(records.env) as cr:
        cr.execute(
            f"""
            UPDATE {records._table} AS mine SET {name} = turn.at
              FROM (SELECT id FROM {records._table} WHERE id = ANY(%s)
                     ORDER BY id FOR UPDATE SKIP LOCKED) AS free
              JOIN unnest(%s::int[], %s::timestamp[]) AS turn (id, at) ON turn.id = free.id
             WHERE mine.id = free.id
            RETURNING mine.id
            """,  # pylint: disable=sql-injection  # names of our own models
            [list(turns), list(turns), [moment or None for moment in turns.values()]],
        )
        taken = {record for (record,) in cr.fetchall()}
    records.invalidate_recordset([name])
    return records.filtered(lambda record: record.id in taken)


@contextlib.contextmanager
def _read_committed(env):
    if config["test_enable"] or module.current_test:
        yield env.cr  # tests roll back everything
        return
    with env.registry.cursor() as cr:
        cr.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
        yield cr
