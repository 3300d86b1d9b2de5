"""The subcommands of ``skdnn``."""
