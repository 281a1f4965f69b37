"""Agents: the voices that speak in calls."""
