"""Versioned dictionaries: tables of codes and words, each with its source and the day from which it holds.

Those of this folder come with the program; others are loaded into the relational store while it runs.
"""
