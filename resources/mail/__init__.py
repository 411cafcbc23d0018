"""Mail that is sent once: recipients, the outbox, the conversation with the server, what comes back."""
