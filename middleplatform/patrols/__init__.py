"""Patrols of unattended chambers: when somebody was last there, and what is overdue."""
