"""The one bus: subjects, credentials, the embedded server, streams and the connection to it."""
