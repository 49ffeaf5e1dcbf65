"""Signed orders (签名命令): who may command what, proved by signatures that an edge can check alone.

A site's command authority signs a statement of a person's name, roles, scope and public key: the credential. The
person's key signs each order. Pure: no clock, no files but the policy; times are given, µs UTC.
"""
