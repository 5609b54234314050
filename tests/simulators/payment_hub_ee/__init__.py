"""A Payment Hub EE for tests, in a process of its own.

Acts as ph-ee-bulk-processor v1.13.1 (takes batches) and ph-ee-operations-app v1.20.2 (tells what came of
them) would, quirks included, and keeps a ledger of the money it moved. Nothing here is shared with the
add-ons: two readings of the same contract check each other. See ../README.md.
"""
