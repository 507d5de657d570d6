"""How large a cluster is, computed: `python -m pinot_config.sizing`."""
