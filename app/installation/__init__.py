"""Running the machine: servers, processes, the front-end's build, and the home they live in."""
