def notification(title, kind, message, sticky):
    """The action that shows a message in the corner; `kind`: success, info, warning or danger."""
    return {
        "type": "ir.actions.client",
        "tag": "display_notification",
        "params": {
            "title": title,
            "message": message,
            "type": kind,
            "sticky": sticky,
            # The form behind it is read again.
            "next": {"type": "ir.actions.act_window_close"},
        },
    }
