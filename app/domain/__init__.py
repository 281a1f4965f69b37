"""Pure rules: no SQL, network, framework, settings or clock."""
