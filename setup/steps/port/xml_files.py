"""Data files and views; the files below static/ are the web client's and stay as they are."""

from lxml import etree

from . import categories, records, views


def port(addon, known_categories):
    for path in sorted(addon.rglob("*.xml")):
        if "static" not in path.relative_to(addon).parts:
            _port_file(path, addon.name, known_categories)


def _port_file(path, addon, known_categories):
    tree = etree.parse(path)
    root = tree.getroot()
    before = etree.tostring(tree)
    views.port(root)
    records.port(root)
    categories.port_groups(root, addon, known_categories)
    categories.add_privileges(root, addon)
    if etree.tostring(tree) != before:
        tree.write(path, encoding="utf-8", xml_declaration=True)
