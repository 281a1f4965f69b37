"""Callsheet: self-hosted outbound campaigns. Keep this file empty of code: `app.app` is a module."""
