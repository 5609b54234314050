{
    "name": "G2P Registry: Bank Details (stand-in)",
    "summary": "Stands in for OpenG2P's g2p_bank in tests; see ../README.md",
    "category": "Hidden",
    "version": "17.0.1.0.0",
    "author": "OpenG2P",
    "website": "https://openg2p.org",
    "license": "LGPL-3",
    "depends": [
        "g2p_registry_group",
        "g2p_registry_individual",
    ],
    "data": [
        "views/individuals_view.xml",
        "views/groups_view.xml",
    ],
}
