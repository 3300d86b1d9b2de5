"""Tables: columns, labels, validation, and the encoding as network inputs."""
