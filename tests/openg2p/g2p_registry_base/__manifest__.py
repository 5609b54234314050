{
    "name": "G2P Registry: Base (stand-in)",
    "summary": "Stands in for OpenG2P's g2p_registry_base in tests; see ../README.md",
    "category": "Hidden",
    "version": "17.0.1.0.0",
    "author": "OpenG2P",
    "website": "https://openg2p.org",
    "license": "LGPL-3",
    "depends": [
        "mail",
        "contacts",
        "web",
        "portal",
        "phone_validation",
    ],
    "data": [
        "security/g2p_security.xml",
        "security/ir.model.access.csv",
        "views/registry_views.xml",
    ],
}
