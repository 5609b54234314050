"""Fields of data records that Odoo 19 renamed or dropped."""

_DROPPED = {"ir.cron": ("numbercall", "doall")}
_RENAMED = {"res.groups": {"users": "user_ids"}}
_RENAMED_EVERYWHERE = {"groups_id": "group_ids"}


def port(root):
    for record in root.iter("record"):
        model = record.get("model")
        for field in list(record.iterfind("field")):
            name = field.get("name")
            if name in _DROPPED.get(model, ()):
                record.remove(field)
                continue
            renamed = _RENAMED.get(model, {}).get(name) or _RENAMED_EVERYWHERE.get(name)
            if renamed:
                field.set("name", renamed)
