"""The application of the example: answers every request with its path."""
from http.server import BaseHTTPRequestHandler, HTTPServer


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{self.path}\n".encode())


HTTPServer(("127.0.0.1", 8081), Answer).serve_forever()
