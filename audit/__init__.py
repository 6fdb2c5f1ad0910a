"""The auditor's room, which trusts neither the node nor the coordinator. Its verbs come in a later version."""
