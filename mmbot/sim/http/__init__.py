"""The box over HTTP: routes, sessions, bodies and the server itself."""
