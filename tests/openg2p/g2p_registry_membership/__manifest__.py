{
    "name": "G2P Registry: Membership (stand-in)",
    "summary": "Stands in for OpenG2P's g2p_registry_membership in tests; see ../README.md",
    "category": "Hidden",
    "version": "17.0.1.0.0",
    "author": "OpenG2P",
    "website": "https://openg2p.org",
    "license": "LGPL-3",
    "depends": [
        "g2p_registry_group",
        "g2p_registry_individual",
        "queue_job",
    ],
    "data": [
        "security/ir.model.access.csv",
        "security/registrant_rule.xml",
        "data/group_membership_kinds.xml",
        "data/queue_job_channel.xml",
        "views/groups_view.xml",
    ],
}
