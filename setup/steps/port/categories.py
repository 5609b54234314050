"""In Odoo 19 a group has a privilege, and the privilege a category; in 17 a group has a category.

One privilege is made for each category that groups name. It stands beside the category when that is defined
in one of the add-ons, and in the add-on of the group otherwise.
"""

from lxml import etree

_SUFFIX = "_privilege"


def read(addons):
    """Maps the external identifier of each category defined in the add-ons to its name."""
    known = {}
    for addon in addons:
        for path in addon.rglob("*.xml"):
            if "static" in path.relative_to(addon).parts:
                continue
            for record in etree.parse(path).iterfind(".//record[@model='ir.module.category']"):
                name = record.findtext("field[@name='name']")
                if name:
                    known[full_id(record.get("id"), addon.name)] = name
    return known


def full_id(reference, addon):
    return reference if "." in reference else f"{addon}.{reference}"


def add_privileges(root, addon):
    """A privilege after each category defined in the file."""
    for record in root.iterfind(".//record[@model='ir.module.category']"):
        name = record.findtext("field[@name='name']")
        if name:
            record.addnext(_privilege(full_id(record.get("id"), addon), name))


def port_groups(root, addon, known):
    """Groups name the privilege in place of the category."""
    for field in root.iterfind(".//record[@model='res.groups']/field[@name='category_id']"):
        reference = field.get("ref")
        if not reference:
            field.getparent().remove(field)
            continue
        category = full_id(reference, addon)
        if category in known:
            privilege = category + _SUFFIX
        else:
            privilege = _own_privilege(root, field.getparent(), category, addon)
        field.set("name", "privilege_id")
        field.set("ref", privilege)


def _own_privilege(root, group, category, addon):
    """A privilege of this add-on, for a category that comes with Odoo."""
    identifier = f"{addon}.{category.replace('.', '_')}{_SUFFIX}"
    if root.find(f".//record[@id='{identifier}']") is None:
        record = _privilege(category, category.split(".")[-1].replace("_", " ").capitalize())
        record.set("id", identifier)
        group.addprevious(record)
    return identifier


def _privilege(category, name):
    record = etree.Element("record", id=category + _SUFFIX, model="res.groups.privilege")
    etree.SubElement(record, "field", name="name").text = name
    etree.SubElement(record, "field", name="category_id", ref=category)
    record.tail = "\n"
    return record
