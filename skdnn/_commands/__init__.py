"""What the subcommands of ``skdnn`` do."""
