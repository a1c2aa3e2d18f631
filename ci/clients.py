#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What ci/clients does in its root: records real clients, and writes docs/clients.md.

    clients.py packages NAME...  prints the Debian packages that these clients (all of them without NAME) are in
    clients.py npm NAME...       prints their packages of npm, with versions
    clients.py record NAME...    records them: docs/clients.json, targets/real/recorded
    clients.py page              writes docs/clients.md from docs/clients.json

The table below says how each client is started, and nothing about what it does: that is measured. A surprise is a
sentence with a condition on what was measured; it is printed for every client that meets it.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/clients.md"
MEASURED = ROOT / "docs/clients.json"
RECORDED = ROOT / "targets/real/recorded"
HERE = ["${server.host}", "${server.port}"]
URL = "http://${server}/"
RUNS = 2
# By the client's clock, which jumps where that is possible: longer than the kernel's 131 s.
PATIENCE = "150s"
# Waits of the first attempts that are kept and shown.
MOST_WAITS, MOST_SHOWN = 8, 4
REFUSED, SILENT, UNREACHABLE, RESET = "refused for ever", "never answered", "host unreachable", "reset after accept"
LATE, DUAL, OUTAGE = "answered 500 ms late", "IPv6 dead, IPv4 alive", "an outage of 2 s"


class Client:
    """One row. Packages are Debian's; the first one gives the version, or else the package of npm."""

    def __init__(self, kind, name, command, packages="", npm="", serve="http"):
        self.kind, self.name, self.command, self.serve = kind, name, command, serve
        self.packages, self.npm = packages.split(), npm.split()
        self.file = name.replace(" ", "-").replace("/", "-") + ".yaml"

    def version(self):
        if self.npm:
            return self.npm[0].rpartition("@")[2]
        words = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", self.packages[0]], check=True,
                               capture_output=True, text=True).stdout
        return words.partition(":")[2] or words


def deb(kind, package, *command, name=None, also="", serve="http"):
    return Client(kind, name or command[0], list(command), f"{package} {also}", serve=serve)


def python(kind, package, name, serve="http"):
    return Client(kind, f"python {name}", ["python3", "targets/real/clients.py", name, *HERE],
                  f"{package} python3", serve=serve)


def npm(kind, packages, name, serve="http"):
    return Client(kind, f"node {name}", ["node", "targets/real/clients.js", name, *HERE],
                  "nodejs", packages if packages else "", serve=serve)


def other(kind, language, package, name, serve="http"):
    suffix = {"ruby": "rb", "perl": "pl", "php": "php"}[language]
    return Client(kind, f"{language} {name}", [language, f"targets/real/clients.{suffix}", name, *HERE], package,
                  serve=serve)


def daemon(kind, package, name, also="", serve="http"):
    return Client(kind, name, ["targets/real/daemon.sh", name, *HERE], f"{package} {also}", serve=serve)


HTTP, DATABASES, QUEUES, MAIL, RPC = "HTTP", "Databases", "Queues", "Mail and directories", "RPC and cloud"
FILES, DAEMONS = "Files and shells", "Daemons and proxies"
CLIENTS = [
    deb(HTTP, "curl", "curl", "-sS", "-o", "/dev/null", URL),
    deb(HTTP, "curl", "curl", "-sS", "-o", "/dev/null", "--retry", "5", URL, name="curl --retry 5"),
    deb(HTTP, "curl", "curl", "-sS", "-o", "/dev/null", "--retry", "5", "--retry-connrefused", URL,
        name="curl --retry 5 --retry-connrefused"),
    deb(HTTP, "wget", "wget", "-nv", "-O", "/dev/null", URL),
    deb(HTTP, "wget2", "wget2", "-nv", "-O", "/dev/null", URL),
    deb(HTTP, "aria2", "aria2c", "-q", "-d", "/tmp", "--allow-overwrite=true", "-o", "aria2c.out", URL),
    deb(HTTP, "httpie", "http", "--ignore-stdin", URL, name="httpie"),
    deb(HTTP, "lynx", "lynx", "-dump", URL),
    deb(HTTP, "w3m", "w3m", "-dump", URL),
    python(HTTP, "python3", "http-client"),
    python(HTTP, "python3-urllib3", "urllib3"),
    python(HTTP, "python3-requests", "requests"),
    python(HTTP, "python3-requests", "requests-retry"),
    python(HTTP, "python3-httpx", "httpx"),
    python(HTTP, "python3-httpx", "httpx-retries"),
    python(HTTP, "python3-aiohttp", "aiohttp"),
    python(HTTP, "python3-tornado", "tornado"),
    python(HTTP, "python3-websocket", "websocket"),
    python(HTTP, "python3-websockets", "websockets"),
    npm(HTTP, "", "http"),
    npm(HTTP, "", "fetch"),
    npm(HTTP, "axios@1.21.1", "axios"),
    npm(HTTP, "axios-retry@4.5.0 axios@1.21.1", "axios-retry"),
    npm(HTTP, "got@14.4.5", "got"),
    npm(HTTP, "ky@1.7.4", "ky"),
    npm(HTTP, "undici@7.16.0", "undici"),
    npm(HTTP, "undici@7.16.0", "undici-retry"),
    npm(HTTP, "node-fetch@3.3.2", "node-fetch"),
    npm(HTTP, "fetch-retry@6.0.0", "fetch-retry"),
    npm(HTTP, "superagent@10.4.2", "superagent"),
    npm(HTTP, "needle@3.5.0", "needle"),
    npm(HTTP, "ws@8.23.0", "ws"),
    npm(HTTP, "reconnecting-websocket@4.4.0 ws@8.23.0", "reconnecting-websocket"),
    npm(HTTP, "socket.io-client@4.8.4", "socket.io"),
    other(HTTP, "ruby", "ruby", "net-http"),
    other(HTTP, "ruby", "ruby-faraday", "faraday"),
    other(HTTP, "perl", "libwww-perl", "lwp"),
    other(HTTP, "perl", "libhttp-tiny-perl", "http-tiny"),
    other(HTTP, "perl", "libmojolicious-perl", "mojo"),
    other(HTTP, "php", "php-cli", "file-get-contents"),
    other(HTTP, "php", "php-curl", "curl"),

    deb(DATABASES, "postgresql-client", "psql", "-w", "-c", "",
        "host=${server.host} port=${server.port} user=u dbname=d", serve="accept"),
    deb(DATABASES, "mariadb-client", "mariadb", "-h", "${server.host}", "-P", "${server.port}", "-e", "SELECT 1",
        serve="accept"),
    deb(DATABASES, "redis-tools", "redis-cli", "-h", "${server.host}", "-p", "${server.port}", "ping",
        serve="accept"),
    python(DATABASES, "python3-psycopg2", "psycopg2", serve="accept"),
    python(DATABASES, "python3-psycopg", "psycopg", serve="accept"),
    python(DATABASES, "python3-asyncpg", "asyncpg", serve="accept"),
    python(DATABASES, "python3-pymysql", "pymysql", serve="accept"),
    python(DATABASES, "python3-pymongo", "pymongo", serve="accept"),
    python(DATABASES, "python3-redis", "redis", serve="accept"),
    python(DATABASES, "python3-pymemcache", "pymemcache", serve="accept"),
    python(DATABASES, "python3-elasticsearch", "elasticsearch"),
    python(DATABASES, "python3-influxdb", "influxdb"),
    npm(DATABASES, "pg@8.23.1", "pg", serve="accept"),
    npm(DATABASES, "pg@8.23.1", "pg-pool", serve="accept"),
    npm(DATABASES, "mysql2@3.24.6", "mysql2", serve="accept"),
    npm(DATABASES, "mongodb@7.9.0", "mongodb", serve="accept"),
    npm(DATABASES, "ioredis@6.0.0", "ioredis", serve="accept"),
    npm(DATABASES, "redis@6.3.1", "redis", serve="accept"),
    npm(DATABASES, "cassandra-driver@4.10.0", "cassandra", serve="accept"),
    npm(DATABASES, "@elastic/elasticsearch@8.17.0", "elasticsearch"),
    other(DATABASES, "ruby", "ruby-pg", "pg", serve="accept"),
    other(DATABASES, "ruby", "ruby-redis", "redis", serve="accept"),
    other(DATABASES, "perl", "libredis-perl", "redis", serve="accept"),

    deb(QUEUES, "mosquitto-clients", "mosquitto_pub", "-h", "${server.host}", "-p", "${server.port}", "-t", "t",
        "-m", "m", serve="accept"),
    # Its 5 s by default are too short to show how its waits grow.
    deb(QUEUES, "kcat", "kcat", "-b", "${server}", "-m", "60", "-L", name="kcat -m 60", serve="accept"),
    deb(QUEUES, "amqp-tools", "amqp-publish", "--url=amqp://${server}", "-r", "r", "-b", "b", serve="accept"),
    python(QUEUES, "python3-pika", "pika", serve="accept"),
    python(QUEUES, "python3-kombu", "kombu", serve="accept"),
    python(QUEUES, "python3-kafka", "kafka", serve="accept"),
    python(QUEUES, "python3-paho-mqtt", "paho", serve="accept"),
    python(QUEUES, "python3-stomp", "stomp", serve="accept"),
    python(QUEUES, "python3-zmq", "zmq", serve="accept"),
    python(QUEUES, "python3-kazoo", "kazoo", serve="accept"),
    npm(QUEUES, "amqplib@2.3.1", "amqplib", serve="accept"),
    npm(QUEUES, "rhea@3.0.5", "rhea", serve="accept"),
    npm(QUEUES, "mqtt@5.16.0", "mqtt", serve="accept"),
    npm(QUEUES, "nats@2.29.3", "nats", serve="accept"),
    npm(QUEUES, "kafkajs@2.2.4", "kafkajs", serve="accept"),
    npm(QUEUES, "bullmq@6.7.0", "bullmq", serve="accept"),

    deb(MAIL, "msmtp", "msmtp", "--host=${server.host}", "--port=${server.port}", "-f", "a@example.org",
        "b@example.org", serve="accept"),
    deb(MAIL, "swaks", "swaks", "--server", "${server.host}", "--port", "${server.port}", "--to", "a@example.org",
        "--from", "b@example.org", "--helo", "h", serve="accept"),
    deb(MAIL, "ldap-utils", "ldapsearch", "-x", "-H", "ldap://${server}", serve="accept"),
    daemon(MAIL, "fetchmail", "fetchmail", serve="accept"),
    python(MAIL, "python3", "smtplib", serve="accept"),
    python(MAIL, "python3-aiosmtplib", "aiosmtplib", serve="accept"),
    python(MAIL, "python3-ldap3", "ldap3", serve="accept"),
    npm(MAIL, "nodemailer@10.6.1", "nodemailer", serve="accept"),

    python(RPC, "python3-grpcio", "grpc", serve="accept"),
    npm(RPC, "@grpc/grpc-js@1.14.7", "grpc-js", serve="accept"),
    python(RPC, "python3-boto3", "boto3"),
    npm(RPC, "@aws-sdk/client-s3@3.1175.0", "aws-s3"),
    npm(RPC, "@google-cloud/storage@7.14.0", "gcs"),
    npm(RPC, "@azure/storage-blob@12.26.0", "azure-blob"),
    npm(RPC, "openai@4.77.0", "openai"),
    python(RPC, "python3-swiftclient", "swiftclient"),
    python(RPC, "python3-docker", "docker"),
    python(RPC, "python3-kubernetes", "kubernetes"),
    deb(RPC, "etcd-client", "etcdctl", "--endpoints=${server}", "get", "k", serve="accept"),
    deb(RPC, "skopeo", "skopeo", "inspect", "--tls-verify=false", "docker://${server}/image"),

    deb(FILES, "openssh-client", "ssh", "-F", "/dev/null", "-o", "BatchMode=yes", "-p", "${server.port}",
        "u@${server.host}", "true", serve="accept"),
    deb(FILES, "git", "git", "-C", "/", "ls-remote", "http://${server}/r.git", name="git over HTTP"),
    deb(FILES, "git", "git", "-C", "/", "ls-remote", "git://${server}/r.git", serve="accept"),
    deb(FILES, "subversion", "svn", "--non-interactive", "ls", "http://${server}/r"),
    deb(FILES, "mercurial", "hg", "--noninteractive", "identify", "http://${server}/r"),
    deb(FILES, "rsync", "rsync", "rsync://${server}/m", serve="accept"),
    daemon(FILES, "lftp", "lftp"),
    deb(FILES, "rclone", "rclone", "lsf", ":http:", "--http-url", URL),
    deb(FILES, "s3cmd", "s3cmd", "--access_key=a", "--secret_key=b", "--no-ssl", "--host=${server}",
        "--host-bucket=${server}", "ls"),
    deb(FILES, "socat", "socat", "-u", "/dev/null", "TCP:${server}", serve="accept"),
    deb(FILES, "ncat", "ncat", "--send-only", "${server.host}", "${server.port}", serve="accept"),

    daemon(DAEMONS, "rsyslog", "rsyslog", serve="accept"),
    daemon(DAEMONS, "collectd-core", "collectd", serve="accept"),
    daemon(DAEMONS, "zabbix-agent", "zabbix-agent", serve="accept"),
    daemon(DAEMONS, "pgbouncer", "pgbouncer", also="postgresql-client", serve="accept"),
    daemon(DAEMONS, "nutcracker", "twemproxy", also="redis-tools", serve="accept"),
    daemon(DAEMONS, "haproxy", "haproxy", also="curl"),
    daemon(DAEMONS, "nginx-light", "nginx", also="curl"),
    daemon(DAEMONS, "apache2-bin", "apache", also="curl"),
    daemon(DAEMONS, "squid", "squid", also="curl"),
    daemon(DAEMONS, "tinyproxy", "tinyproxy", also="curl"),
    daemon(DAEMONS, "privoxy", "privoxy", also="curl"),
    daemon(DAEMONS, "stunnel4", "stunnel", also="curl"),
    deb(DAEMONS, "monitoring-plugins-basic", "/usr/lib/nagios/plugins/check_http", "-I", "${server.host}", "-p",
        "${server.port}", name="check_http"),
]


# ---- from an observation to what the page needs ----

def spread(values):
    """The least and the greatest; none if there are no values."""
    return [min(values), max(values)] if values else None


def exit_of(run):
    if not run["ended"]:
        return "running"
    status = run["wait_status"]
    return f"signal {status & 127}" if status & 127 else str(status >> 8)


def summarise_part(part):
    runs = part["runs"]
    waits = [run["backoff_ns"][:MOST_WAITS] for run in runs]
    ms = lambda ns: round(ns / 1e6)  # noqa: E731
    summary = {
        "attempts": spread([run["attempts"] for run in runs]),
        "connected": spread([run["connected"] for run in runs]),
        "exit": sorted({exit_of(run) for run in runs}),
        "duration_ms": spread([ms(run["duration_ns"]) for run in runs]),
        "waits_ms": [spread([ms(each[i]) for each in waits]) for i in range(min(map(len, waits)))],
        "overlaps": any(run["overlaps"] for run in runs),
        "policy": part.get("policy"),
        "identified": part["identified"],
        "given_up_ms": spread([ms(run[key]) for run in runs if run["given_up"] > 0
                               for key in ("given_up_shortest_ns", "given_up_longest_ns")]),
        "timed_out_ms": spread([ms(run["timed_out_longest_ns"]) for run in runs if run["timed_out"] > 0]),
        "left_open": max(run["left_open"] for run in runs),
        "left_open_ms": spread([ms(run["left_open_longest_ns"]) for run in runs if run["left_open"] > 0]),
        "after_exit": max(run["attempts_after_exit"] for run in runs),
        "fallback_ms": spread([ms(run["fallback_ns"]) for run in runs if "fallback_ns" in run]),
        "ipv6": max(run["attempts_ipv6"] for run in runs),
    }
    return {key: value for key, value in summary.items() if value not in (None, False, [], 0)}


def summarise(document, version):
    return {
        "version": version,
        "parts": {part["name"]: {"obstacle": part["obstacle"]} if "obstacle" in part else summarise_part(part)
                  for part in document["parts"]},
    }


# ---- recording ----

def record(client):
    RECORDED.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        seen = pathlib.Path(directory) / "seen.json"
        done = subprocess.run(["synfault", "record", "--time", "auto", "--timeout", PATIENCE, "--runs", str(RUNS),
                               "--serve", client.serve, "--json", str(seen), "-o", str(RECORDED / client.file),
                               "--", *client.command], cwd=ROOT, capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            return None, done.stderr.strip()
        return json.loads(seen.read_text(encoding="utf-8")), ""


def load():
    return json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.exists() else {}


def save(measured):
    """A line for each part, so that a change can be read."""
    def text(value):
        return json.dumps(value, ensure_ascii=False)
    clients = [f' {text(client.name)}: {{"version": {text(measured[client.name]["version"])}, "parts": {{\n' +
               ",\n".join(f"  {text(name)}: {text(part)}" for name, part in measured[client.name]["parts"].items()) +
               "}}" for client in CLIENTS if client.name in measured]
    MEASURED.write_text("{\n" + ",\n".join(clients) + "\n}\n", encoding="utf-8")


def selected(names):
    unknown = set(names) - {client.name for client in CLIENTS}
    if unknown:
        sys.exit(f"clients.py: no client is called {', '.join(sorted(unknown))}")
    return [client for client in CLIENTS if not names or client.name in names]


def record_all(names):
    failures = 0
    for client in selected(names):
        document, problem = record(client)
        measured = load()
        if document:
            measured[client.name] = summarise(document, client.version())
            save(measured)
        failures += not document
        print(f"{client.name}: {'recorded' if document else problem}", flush=True)
    return failures


# ---- the page ----

def time_text(low, high):
    def one(milliseconds):
        seconds = milliseconds / 1000
        if milliseconds < 1000:
            return f"{milliseconds} ms"
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s" if seconds < 100 else f"{seconds:.0f} s"
    # A range this narrow says nothing.
    if high - low <= 20 + high / 50:
        low = high
    return one(high) if low == high else f"{one(low)} to {one(high)}"


def count_text(low, high):
    return str(low) if low == high else f"{low} to {high}"


def running(part):
    return "running" in part.get("exit", [])


def refused_text(part):
    if "attempts" not in part:
        return "not seen"
    if part["attempts"] == [0, 0]:
        return "no attempt"
    return count_text(*part["attempts"]) + (" until stopped" if running(part) else "")


def backoff_text(part):
    waits = part.get("waits_ms", [])
    if not waits or part["attempts"][0] < 2:
        return "–"
    if part.get("overlaps"):
        return "attempts overlap"
    listed = ", ".join(time_text(*wait) for wait in waits[:MOST_SHOWN]) + (", …" if len(waits) > MOST_SHOWN else "")
    if part.get("identified"):
        return f"{part['policy']} ({listed})"
    return f"{listed}: {part['policy']}" if len(waits) > 1 and part.get("policy") else listed


def silent_text(part):
    if "attempts" not in part:
        return "not seen"
    words = []
    if "given_up_ms" in part:
        words.append(f"gives up after {time_text(*part['given_up_ms'])}")
    if "timed_out_ms" in part:
        words.append(f"waits for the kernel ({time_text(*part['timed_out_ms'])})")
    if not words and "left_open_ms" in part:
        words.append(f"more than {time_text(part['left_open_ms'][1], part['left_open_ms'][1])}" if running(part)
                     else f"ends with its socket open after {time_text(*part['left_open_ms'])}")
    attempts = part["attempts"]
    if attempts[1] > 1:
        words.append(f"{count_text(*attempts)} attempts{' until stopped' if running(part) else ''}")
    return "; ".join(words) or "no attempt"


def retries_text(parts):
    names = {REFUSED: "refused", SILENT: "unanswered", UNREACHABLE: "unreachable", RESET: "reset"}
    retried = [word for part, word in names.items() if parts.get(part, {}).get("attempts", [0, 0])[1] > 1]
    return ", ".join(retried) or "none"


def open_text(parts):
    most = max((part.get("left_open", 0) for part in parts.values()), default=0)
    return str(most) if most else "–"


def fallback_text(part):
    """What happens when the name has a dead IPv6 address before one of IPv4 that works."""
    if "fallback_ms" in part:
        return f"after {time_text(*part['fallback_ms'])}"
    if "attempts" not in part:
        return "not seen"
    if not part.get("ipv6"):
        return "IPv4 first"
    return f"not within {PATIENCE[:-1]} s" if running(part) else "never"


# ---- surprises: each gives a sentence, or nothing ----

def attempts(part):
    return part.get("attempts", [0, 0])


def hides_failure(parts):
    if parts[REFUSED].get("exit") == ["0"]:
        return "exits with 0 though every attempt was refused"
    if parts[SILENT].get("exit") == ["0"]:
        return "exits with 0 though it got no answer"
    return ""


def hammers(parts):
    """Retries without a pause."""
    waits = parts[REFUSED].get("waits_ms", [])
    if len(waits) > 1 and all(high < 20 for _, high in waits) and not parts[REFUSED].get("overlaps"):
        return f"retries a refused connection without a pause, {attempts(parts[REFUSED])[1]} times in all"
    return ""


def keeps_sockets(parts):
    most = max(part.get("left_open", 0) for part in parts.values())
    return f"has up to {most} unanswered sockets open at once" if most > 1 else ""


def outlives_itself(parts):
    most = max(part.get("after_exit", 0) for part in parts.values())
    return "a process that it leaves behind goes on connecting" if most else ""


def is_impatient(parts):
    late = parts[LATE]
    if late.get("given_up_ms"):
        return f"gives up on an answer that takes 500 ms after {time_text(*late['given_up_ms'])}"
    return ""


def treats_errors_apart(parts):
    retried = {part: attempts(parts[part])[0] > 1 for part in (REFUSED, UNREACHABLE) if "attempts" in parts[part]}
    if retried == {REFUSED: True, UNREACHABLE: False}:
        return "retries a refusal, but not an unreachable host"
    if retried == {REFUSED: False, UNREACHABLE: True}:
        return "retries an unreachable host, but not a refusal"
    return ""


def ends_in_silence(parts):
    if attempts(parts[REFUSED])[0] > 1 and attempts(parts[SILENT]) == [1, 1] and not running(parts[SILENT]):
        return "retries a refusal, but ends after one unanswered attempt"
    return ""


SURPRISES = [hides_failure, hammers, ends_in_silence, treats_errors_apart, is_impatient, keeps_sockets, outlives_itself]


def surprise_text(parts):
    every = {name: parts.get(name, {}) for name in (REFUSED, SILENT, UNREACHABLE, RESET, LATE, DUAL, OUTAGE)}
    return "; ".join(filter(None, (surprise(every) for surprise in SURPRISES)))


HEAD = """# What real clients do

[`ci/clients`](../ci/clients) has recorded {n} clients and services with `synfault record`: Debian {release} packages and
libraries of npm, each with the settings that it comes with. It writes this page; nothing here was typed in.
Each name links to the scenarios that `record` wrote: they pass as long as the client behaves like this.

- **Refused**: attempts when each one is refused, until the client gives up, or until it was stopped after {patience} by
  its own clock ([virtual time](time.md) where possible).
- **Backoff**: the waits between these attempts, as ranges where runs differ; with the policy if they identify it.
- **Unanswered**: what happens when SYNs are dropped. The kernel gives up after 131 s (`tcp_syn_retries` 6,
  `tcp_syn_linear_timeouts` 4), or up to 4 s later where the client's clock could not jump.
- **IPv6 dead**: when it turns to IPv4, if its server has an IPv6 address that does not answer, and one of IPv4 that does.
- **Retries**: after which faults it tries again: refused, unanswered, host unreachable (ICMP), reset after accept.
- **Open**: most unanswered attempts whose sockets were open until the client ended, or was stopped.

A client that speaks another protocol than HTTP met a server that accepts and says nothing.
"""


def page_text(measured):
    out = [HEAD.format(n=len(measured), release="13", patience="150 s")]
    for kind in dict.fromkeys(client.kind for client in CLIENTS):
        rows = [client for client in CLIENTS if client.kind == kind and client.name in measured]
        if not rows:
            continue
        out.append(f"\n## {kind}\n\n| client | version | refused | backoff | unanswered | IPv6 dead | retries | open | surprise |\n"
                   "|---|---|---|---|---|---|---|---|---|\n")
        for client in rows:
            parts = measured[client.name]["parts"]
            refused = parts.get(REFUSED, {})
            cells = [f"[{client.name}](../targets/real/recorded/{client.file})", measured[client.name]["version"],
                     refused_text(refused), backoff_text(refused), silent_text(parts.get(SILENT, {})), fallback_text(parts.get(DUAL, {})),
                     retries_text(parts), open_text(parts), surprise_text(parts)]
            out.append("| " + " | ".join(cells) + " |\n")
    return "".join(out)


def main():
    action, names = (sys.argv[1:2] or [""])[0], sys.argv[2:]
    if action == "packages":
        print(*sorted({package for client in selected(names) for package in client.packages}))
    elif action == "npm":
        print(*sorted({package for client in selected(names) for package in client.npm}))
    elif action == "record":
        sys.exit(min(record_all(names), 1))
    elif action == "page":
        save(load())
        PAGE.write_text(page_text(load()), encoding="utf-8")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
