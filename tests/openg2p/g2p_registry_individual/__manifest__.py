{
    "name": "G2P Registry: Individual (stand-in)",
    "summary": "Stands in for OpenG2P's g2p_registry_individual in tests; see ../README.md",
    "category": "Hidden",
    "version": "17.0.1.0.0",
    "author": "OpenG2P",
    "website": "https://openg2p.org",
    "license": "LGPL-3",
    "depends": [
        "g2p_registry_base",
    ],
    "data": [
        "security/ir.model.access.csv",
        "views/individuals_view.xml",
    ],
}
