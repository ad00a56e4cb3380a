# SPDX-License-Identifier: Apache-2.0
"""A real etcd, and a stand-in to which the nodes connect. It loses, delays and repeats requests.

Each call of a program has an address of its own, http://127.0.0.1:PORT/CALL, so that the stand-in knows the caller.
After each change it reads all claims from etcd: what the engine says is truth for whoever checks the history.
"""

import base64
import http.client
import http.server
import json
import os
import shutil
import socket
import subprocess
import threading
import time

ETCD = ("127.0.0.1", 2379)
PREFIX = "/ipvlan-cni/shared/"


def encode(text):
    return base64.b64encode(text.encode()).decode()


def decode(text):
    return base64.b64decode(text).decode(errors="replace")


class Etcd:
    """One etcd member. After each restore it has another directory, and the one before is removed."""

    def __init__(self, work, server, client):
        self.work, self.server, self.client = work, server, client
        self.generation = 0
        self.process = self.connection = None

    def start(self):
        directory = f"{self.work}/etcd.{self.generation}"
        url, peer = "http://%s:%d" % ETCD, "http://127.0.0.1:2380"
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", self.server, "--name", "one", "--data-dir", directory]
            + ["--log-level", "error", "--listen-client-urls", url, "--advertise-client-urls", url]
            + ["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer]
            + ["--initial-cluster", f"one={peer}"],
            stdout=subprocess.DEVNULL,
            stderr=open(f"{self.work}/etcd.log", "ab"),
        )
        for _ in range(400):
            try:
                if "true" in self.ask("GET", "/health")[1]:
                    return
            except OSError:
                time.sleep(0.05)
        raise SystemExit(f"etcd did not start: see {self.work}/etcd.log")

    def stop(self):
        if self.connection:
            self.connection.close()
            self.connection = None
        self.process.kill()
        self.process.wait()

    def ask(self, method, path, body=None):
        """Returns status and text of the answer."""
        if not self.connection:
            self.connection = http.client.HTTPConnection(*ETCD, timeout=20)
            self.connection.connect()
            self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.connection.request(method, path, body, {"Content-Type": "application/json"})
            answer = self.connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.connection = None
            raise

    def read(self, directory=PREFIX):
        """Returns all keys below directory: name -> (value, create revision)."""
        end = directory[:-1] + chr(ord(directory[-1]) + 1)
        body = json.dumps({"key": encode(directory), "range_end": encode(end)})
        answer = json.loads(self.ask("POST", "/v3/kv/range", body)[1])
        return {
            decode(kv["key"])[len(directory) :]: (decode(kv.get("value", "")), kv["create_revision"])
            for kv in answer.get("kvs", [])
        }

    def etcdctl(self, *words):
        subprocess.run(
            [self.client, "--endpoints", "http://%s:%d" % ETCD, *words],
            env={**os.environ, "ETCDCTL_API": "3"},
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def save(self, path):
        self.etcdctl("snapshot", "save", path)

    def restore(self, path):
        self.stop()
        shutil.rmtree(f"{self.work}/etcd.{self.generation}")
        self.generation += 1
        peer = "http://127.0.0.1:2380"
        self.etcdctl(
            *["snapshot", "restore", path, "--data-dir", f"{self.work}/etcd.{self.generation}", "--name", "one"],
            *["--initial-cluster", f"one={peer}", "--initial-advertise-peer-urls", peer],
        )
        self.start()


def claims_of(keys):
    """Returns block -> claim, from all keys of the pool."""
    claims = {}
    for name, (value, created) in keys.items():
        if name.startswith("~") or "/" not in name:
            continue
        try:
            record = json.loads(value)
        except ValueError:
            record = {}
        claims[name] = {key: record.get(key, "") for key in ("node", "network", "incarnation", "boot")}
        claims[name]["id"] = created
    return claims


class Call:
    """One run of a program."""

    def __init__(self, number, plan, kill):
        self.number, self.plan, self.kill = number, plan, kill
        self.asked = self.answered = self.faults = 0
        self.listed = False


class StandIn:
    def __init__(self, etcd, history):
        self.etcd, self.history = etcd, history
        self.lock = threading.Lock()
        self.calls, self.late, self.truth = {}, [], {}
        standin = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 65536
            disable_nagle_algorithm = True

            def log_message(self, *_):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                _, call, path = self.path.split("/", 2)
                answer = standin.serve(int(call), "/" + path, body)
                if not answer:
                    self.close_connection = True
                    return
                status, text, headers = answer
                self.send_response(status)
                for key, value in headers.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_):
                pass  # a client that was killed

        self.server = Server(("127.0.0.1", 3000), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def address(self, call):
        return "http://127.0.0.1:%d/%d" % (self.server.server_port, call.number)

    def begin(self, call):
        self.calls[call.number] = call

    def end(self, call):
        del self.calls[call.number]

    def look(self, author, **more):
        """Writes the changes in the engine since the last look to the history."""
        now = claims_of(self.etcd.read())
        changes = [
            {"block": block, "before": self.truth.get(block), "after": now.get(block)}
            for block in sorted(self.truth.keys() | now.keys())
            if self.truth.get(block) != now.get(block)
        ]
        self.truth = now
        if changes:
            self.history.write("engine", by=author, changes=changes, **more)

    def forward(self, number, path, body, **more):
        with self.lock:
            answer = self.etcd.ask("POST", path, body)
            if "response_put" in answer[1] or "response_delete_range" in answer[1] or path == "/v3/kv/put":
                self.look(number, **more)
            return answer

    def serve(self, number, path, body):
        """Returns (status, text, headers); None: the connection ends without an answer."""
        call = self.calls.get(number)
        if not call:
            return None
        n = call.asked
        call.asked += 1
        fault = call.plan.fault(n)
        call.faults += fault not in (None, "slow")
        self.history.write("request", call=number, path=path, fault=fault)
        answer = self.answer(call, fault, path, body)
        if answer and answer[0] == 200:
            call.answered += 1
            call.listed |= path == "/v3/kv/range"
        return answer

    def answer(self, call, fault, path, body):
        number = call.number
        if fault == "away":
            return 503, '{"message":"the engine is away"}', {"Retry-After": "3600"}
        if fault == "hang":
            time.sleep(2.5)
            return None
        if fault in ("lost", "refused"):
            return None
        if fault == "kill before":
            call.kill()
            return None
        if fault == "late":
            self.late.append((call.plan.late(), number, path, body))
            return None
        if fault == "slow":
            time.sleep(call.plan.delay())
        status, text = self.forward(number, path, body)
        if fault == "twice":
            status, text = self.forward(number, path, body)
        if fault == "kill after":
            call.kill()
            return None
        if fault == "unanswered":
            return None
        if fault == "busy":
            return 500, '{"message":"request timed out"}', {}
        return status, text, {"Content-Type": "application/json"}

    def deliver(self, step):
        """Forwards the late requests that are due."""
        due, self.late = [x for x in self.late if x[0] <= step], [x for x in self.late if x[0] > step]
        for _, number, path, body in due:
            self.forward(number, path, body, late=True)

    def restore(self, path):
        """Drops late requests, since the old engine has stopped."""
        with self.lock:
            self.late = []
            self.etcd.restore(path)
            self.look("restore")
