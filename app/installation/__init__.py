"""Running an installation: servers, processes, the front-end build, and the home directory."""
