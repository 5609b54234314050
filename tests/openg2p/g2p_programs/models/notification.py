def notification(title, message, kind, sticky=False):
    """The client action that OpenG2P's buttons answer with."""
    return {
        "type": "ir.actions.client",
        "tag": "display_notification",
        "params": {
            "title": title,
            "message": message,
            "sticky": sticky,
            "type": kind,
            "next": {"type": "ir.actions.act_window_close"},
        },
    }
