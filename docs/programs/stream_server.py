"""Write to everybody who asks: each character is sent as soon as it is drawn, and several people can ask at once.

The server answers this computer only, and has no protection against strangers.
"""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

from charrnn import open_model

model = open_model("mine.npz")


class Writer(BaseHTTPRequestHandler):
    def do_HEAD(self):
        # a browser also asks for an icon
        self.send_response(404 if self.path == "/favicon.ico" else 200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.end_headers()

    def do_GET(self):
        self.do_HEAD()
        if self.path == "/favicon.ico":
            return
        prime = "\n" + unquote(self.path[1:])
        for character in model.stream(prime, 400, temperature=0.7, unknown="nearest"):
            self.wfile.write(character.encode())


ThreadingHTTPServer(("localhost", 8000), Writer).serve_forever()
