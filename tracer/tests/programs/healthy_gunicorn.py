"""An application that answers each request with a word, and asks nobody for it."""


def application(_environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "4")])
    return [b"word"]
