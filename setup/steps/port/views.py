"""View architectures: names that Odoo 19 no longer knows."""

import re

_WORD_TREE = re.compile(r"\btree\b")
_OLD_CHATTER = (
    "hasclass('oe_chatter')",
    'hasclass("oe_chatter")',
    "@class='oe_chatter'",
    '@class="oe_chatter"',
)


def port(root):
    _lists(root)
    _chatter(root)
    _search_groups(root)
    _kanban_cards(root)


def _lists(root):
    for element in root.iter("tree"):
        element.tag = "list"
    for xpath in root.iter("xpath"):
        xpath.set("expr", _WORD_TREE.sub("list", xpath.get("expr", "")))
    for field in root.iterfind(".//field[@name='view_mode']"):
        field.text = _WORD_TREE.sub("list", field.text or "")
    for element in root.iter("field"):
        if "tree" in element.get("mode", "").split(","):
            element.set("mode", _WORD_TREE.sub("list", element.get("mode")))


def _chatter(root):
    """Without this the form installs and shows no chatter."""
    for element in list(root.iter("div")):
        if "oe_chatter" in element.get("class", "").split():
            for child in list(element):
                element.remove(child)
            element.tag, element.text = "chatter", None
            del element.attrib["class"]
    for xpath in root.iter("xpath"):
        for condition in _OLD_CHATTER:
            xpath.set("expr", xpath.get("expr").replace(f"div[{condition}]", "chatter"))


def _search_groups(root):
    for search in root.iter("search"):
        for group in search.iter("group"):
            group.attrib.pop("expand", None)
            group.attrib.pop("string", None)


def _kanban_cards(root):
    for element in root.iter():
        if isinstance(element.tag, str) and element.get("t-name") == "kanban-box":
            element.set("t-name", "card")
