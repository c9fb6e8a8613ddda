# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A scripted client of `polc lsp`: sends and reads messages of the base protocol, keeps the diagnostics it is sent."""
import json
import os
import pathlib
import select
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
POLC = os.environ.get("POLC", str(ROOT / os.environ.get("B", "build") / "polc"))
TIME_LIMIT_S = 30


def uri(path):
    return pathlib.Path(path).resolve().as_uri()


def utf16(text):
    return len(text.encode("utf-16-le")) // 2


class Client:
    def __init__(self, folder, *options, encodings=None):
        self.encodings = encodings
        self.process = subprocess.Popen([POLC, "lsp", *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, cwd=folder)
        self.buffer = b""
        self.next_id = 0
        self.diagnostics = {}
        self.asked = []
        self.folder = folder
        self.versions = {}

    # the wire

    def send_bytes(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send(self, message):
        data = json.dumps(message).encode()
        self.send_bytes(b"Content-Length: %d\r\n\r\n%s" % (len(data), data))

    def notify(self, method, params):
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def fill(self, limit):
        ready, _, _ = select.select([self.process.stdout], [], [], limit)
        if not ready:
            raise TimeoutError("the server says nothing")
        data = os.read(self.process.stdout.fileno(), 1 << 16)
        if not data:
            raise EOFError("the server is gone: " + self.process.stderr.read().decode())
        self.buffer += data

    def read(self, limit=TIME_LIMIT_S):
        while b"\r\n\r\n" not in self.buffer:
            self.fill(limit)
        head, rest = self.buffer.split(b"\r\n\r\n", 1)
        length = int(head.split(b":")[1])
        while len(rest) < length:
            self.buffer = head + b"\r\n\r\n" + rest
            self.fill(limit)
            rest = self.buffer.split(b"\r\n\r\n", 1)[1]
        self.buffer = rest[length:]
        message = json.loads(rest[:length])
        if message.get("method") == "textDocument/publishDiagnostics":
            self.diagnostics[message["params"]["uri"]] = message["params"]["diagnostics"]
        elif "method" in message and "id" in message:
            self.asked.append(message)
        return message

    def answer(self, number):
        while True:
            message = self.read()
            if "method" not in message and message.get("id") == number:
                return message

    def ask(self, method, params):
        """The whole answer, with its result or error."""
        self.next_id += 1
        self.send({"jsonrpc": "2.0", "id": self.next_id, "method": method, "params": params})
        return self.answer(self.next_id)

    def request(self, method, params):
        answer = self.ask(method, params)
        if "error" in answer:
            raise AssertionError("%s: %s" % (method, answer["error"]))
        return answer["result"]

    # the session

    def start(self, **more):
        general = {"positionEncodings": self.encodings} if self.encodings else {}
        result = self.request("initialize", {"processId": None, "rootUri": uri(self.folder),
                                             "capabilities": {"general": general}, **more})
        self.notify("initialized", {})
        return result

    def stop(self):
        self.request("shutdown", None)
        self.notify("exit", None)
        self.process.stdin.close()
        return self.process.wait(TIME_LIMIT_S)

    def open(self, name, text):
        self.versions[name] = 1
        self.notify("textDocument/didOpen", {"textDocument": {"uri": self.uri(name), "languageId": "yaml",
                                                              "version": 1, "text": text}})

    def uri(self, name):
        return name if ":" in name else uri(pathlib.Path(self.folder) / name)

    def change(self, name, *changes):
        self.versions[name] += 1
        self.notify("textDocument/didChange", {
            "textDocument": {"uri": self.uri(name), "version": self.versions[name]},
            "contentChanges": list(changes)})

    def set_text(self, name, text):
        self.change(name, {"text": text})

    def wait_diagnostics(self, name):
        """The next diagnostics of a document, of its last text when it is open, and the milliseconds until they came."""
        start = time.monotonic()
        while True:
            message = self.read()
            if (message.get("method") == "textDocument/publishDiagnostics"
                    and message["params"]["uri"] == self.uri(name)
                    and message["params"].get("version") in (None, self.versions.get(name))):
                return message["params"]["diagnostics"], (time.monotonic() - start) * 1000

    def at(self, name, text, marked=None, **more):
        """Parameters of a request at the place of "~" in a text; opens or changes the document to it."""
        offset = text.index("~")
        text = text.replace("~", "", 1)
        if name in self.versions:
            self.set_text(name, text)
        else:
            self.open(name, text)
        before = text[:offset]
        line = before.count("\n")
        character = utf16(before.rsplit("\n", 1)[-1])
        return {"textDocument": {"uri": self.uri(name)}, "position": {"line": line, "character": character}, **more}

    def labels(self, name, text):
        return [item["label"] for item in self.request("textDocument/completion", self.at(name, text))["items"]]

    def hover(self, name, text):
        result = self.request("textDocument/hover", self.at(name, text))
        return result["contents"]["value"] if result else ""
