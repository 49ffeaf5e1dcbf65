"""Adapters: one file or small folder a protocol, all behind protocols.adapter.Adapter."""
