#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Builds real causes of failing connections, and compares them with what `synfault diagnose` says.

causes.py SYNFAULT [NAME...]: each case gets hosts of its own (network namespaces: client, router, server)
in pid, mount and network namespaces of its own. All cases run side by side, as root and as an ordinary user
without capabilities. As root, the first cause has to be the right one. An ordinary user may get a weaker
one (`also`), but never a wrong one. The report is TAP.
"""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SELF = Path(__file__).resolve()
SERVE = SELF.with_name("serve.py")
AT_ONCE = 12
# Causes that say less than another, but nothing wrong: what a user without CAP_NET_RAW may get.
LESS = {
    "port-filtered": {"silence"},
    "rst-from-between": {"refused"},
    "firewall-rejects": {"refused", "unreachable", "silence"},
    "router-host-unreachable": {"unreachable", "silence"},
    "router-no-route": {"unreachable", "silence"},
    "routing-loop": {"unreachable", "silence"},
    "answer-dropped": {"silence"},
    "local-firewall-out": {"silence"},
    "local-firewall-rejects": {"refused"},
}


class Hosts:
    """client 10.77.1.2 -- router -- server 10.77.2.2, and the same in fd77:1::/64 and fd77:2::/64."""

    def __init__(self):
        run("mount -t tmpfs none /run")
        for name in ("client", "router", "server"):
            run(f"ip netns add {name}")
            self.on(name, "ip link set lo up")
        for name, number in (("client", 1), ("server", 2)):
            run(f"ip link add {name}0 netns {name} type veth peer name {name}1 netns router")
            for host, device, last in ((name, f"{name}0", 2), ("router", f"{name}1", 1)):
                self.on(host, f"ip link set {device} up")
                self.on(host, f"ip addr add 10.77.{number}.{last}/24 dev {device}")
                self.on(host, f"ip -6 addr add fd77:{number}::{last}/64 dev {device} nodad")
            self.on(name, f"ip route add default via 10.77.{number}.1")
            self.on(name, f"ip -6 route add default via fd77:{number}::1")
        self.on("router", "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
        # A host limits the rate of its ICMP errors, but here every SYN has to get its answer.
        for host in ("router", "server"):
            self.on(host, "sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0")

    def on(self, host, command):
        """Runs a command on a host."""
        run(f"ip netns exec {host} {command}")

    def nft(self, host, hook, rule, kind="filter"):
        """Adds a rule in a table of its own."""
        text = f"table inet t {{\nchain c {{\ntype {kind} hook {hook} priority -100\n{rule}\n}}\n}}\n"
        subprocess.run(["ip", "netns", "exec", host, "nft", "-f", "-"], input=text, text=True, check=True)

    def serve(self, host, *arguments, at="0.0.0.0", port=8080):
        """Starts a server and waits until it says that it serves."""
        process = subprocess.Popen(["ip", "netns", "exec", host, sys.executable, SERVE, at, str(port),
                                    *map(str, arguments)], stdout=subprocess.PIPE, text=True)
        process.stdout.readline()


def run(command):
    subprocess.run(command, shell=True, check=True)


SERVER = "10.77.2.2:8080"
CASES = {}


def case(cause, target=SERVER, *options, also=(), user=None):
    """A case: what it builds and the expected first cause (`also`: or one of these). `user`: see LESS."""
    def add(build):
        name = build.__name__.replace("_", "-")
        CASES[name] = (build, target, options, {cause, *also},
                       {cause, *also} | LESS.get(cause, set()) | set(user or ()))
        return build
    return add


@case("refused")
def server_is_down(hosts):
    pass


@case("no-listener", "10.77.1.2:8080")
def server_on_this_host_is_down(hosts):
    pass


@case("bound-to-loopback", "10.77.1.2:8080")
def server_is_bound_to_loopback(hosts):
    hosts.serve("client", at="127.0.0.1")


@case("bound-elsewhere", "10.77.1.2:8080")
def server_is_bound_to_another_address(hosts):
    hosts.on("client", "ip addr add 10.77.1.9/24 dev client0")
    hosts.serve("client", at="10.77.1.9")


@case("other-family-only", "10.77.1.2:8080")
def server_takes_ipv6_only(hosts):
    hosts.serve("client", at="::", port=8080)


@case("other-family-only", "[fd77:1::2]:8080")
def server_takes_ipv4_only(hosts):
    hosts.serve("client")


@case("silence")
def firewall_of_the_server_drops(hosts):
    hosts.serve("server")
    hosts.nft("server", "input", "tcp dport 8080 drop")


@case("port-filtered", SERVER, "--compare", "9090")
def firewall_drops_one_port(hosts):
    hosts.serve("server", port=9090)
    hosts.nft("server", "input", "tcp dport 8080 drop")


@case("silence", SERVER, "--path")
def firewall_of_the_router_drops(hosts):
    hosts.serve("server")
    hosts.nft("router", "forward", "tcp dport 8080 drop")


@case("refused")
def firewall_of_the_server_rejects_with_rst(hosts):
    hosts.serve("server")
    hosts.nft("server", "input", "tcp dport 8080 reject with tcp reset")


@case("firewall-rejects")
def firewall_of_the_server_rejects_by_port_unreachable(hosts):
    hosts.nft("server", "input", "tcp dport 8080 reject with icmpx type port-unreachable")


@case("firewall-rejects")
def firewall_of_the_server_rejects_by_admin_prohibited(hosts):
    hosts.nft("server", "input", "tcp dport 8080 reject with icmpx type admin-prohibited")


@case("firewall-rejects")
def firewall_of_the_server_rejects_by_host_unreachable(hosts):
    hosts.nft("server", "input", "tcp dport 8080 reject with icmp type host-unreachable")


@case("firewall-rejects", "[fd77:2::2]:8080")
def firewall_rejects_by_icmpv6(hosts):
    hosts.nft("server", "input", "tcp dport 8080 reject with icmpv6 type admin-prohibited")


@case("firewall-rejects")
def router_rejects_by_admin_prohibited(hosts):
    hosts.nft("router", "forward", "tcp dport 8080 reject with icmpx type admin-prohibited")


@case("router-no-route")
def router_rejects_by_net_unreachable(hosts):
    hosts.nft("router", "forward", "tcp dport 8080 reject with icmp type net-unreachable")


@case("router-no-route", "10.88.1.1:8080")
def router_has_no_route(hosts):
    pass


@case("router-host-unreachable", "10.77.2.99:8080")
def host_behind_the_router_is_down(hosts):
    pass


@case("router-host-unreachable", "10.77.1.1:8080")
def nat_leads_to_a_dead_backend(hosts):
    hosts.nft("router", "prerouting", "ip protocol tcp tcp dport 8080 dnat ip to 10.77.2.99", kind="nat")


@case("routing-loop", "10.88.1.1:8080")
def routers_point_at_each_other(hosts):
    hosts.on("router", "ip route add default via 10.77.2.2")
    hosts.on("server", "sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0")


@case("local-firewall-in", "10.77.1.2:8080", "--intrusive")
def firewall_of_this_host_drops_what_comes_in(hosts):
    hosts.serve("client")
    hosts.nft("client", "input", "tcp dport 8080 drop")


@case("local-firewall-out", SERVER, "--intrusive")
def firewall_of_this_host_drops_what_leaves(hosts):
    hosts.serve("server")
    hosts.nft("client", "output", "tcp dport 8080 drop")


@case("local-firewall-rejects", "10.77.1.2:8080")
def firewall_of_this_host_rejects_what_comes_in(hosts):
    hosts.serve("client")
    hosts.nft("client", "input", "tcp dport 8080 reject with tcp reset")


@case("local-firewall-rejects")
def firewall_of_this_host_rejects_what_leaves(hosts):
    hosts.serve("server")
    hosts.nft("client", "output", "tcp dport 8080 reject with tcp reset")


@case("answer-dropped")
def firewall_of_this_host_drops_the_answer(hosts):
    hosts.serve("server")
    hosts.nft("client", "input", "tcp sport 8080 drop")


@case("accept-queue-full", "10.77.1.2:8080")
def accept_queue_is_full(hosts):
    hosts.serve("client", "full")


@case("accept-queue-full", "10.77.1.2:8080")
def accept_queue_is_full_where_overflows_abort(hosts):
    hosts.on("client", "sysctl -qw net.ipv4.tcp_abort_on_overflow=1")
    hosts.serve("client", "full")


@case("syn-backlog-full", "10.77.1.2:8080")
def syn_backlog_is_full(hosts):
    hosts.on("client", "sysctl -qw net.ipv4.tcp_syncookies=0 net.ipv4.tcp_max_syn_backlog=8")
    hosts.serve("client", "half-open")


@case("ports-used-up")
def ports_are_used_up(hosts):
    hosts.on("client", "sysctl -qw net.ipv4.ip_local_port_range='50000 50001'")
    hosts.serve("server")
    hosts.serve("client", "occupy", at="10.77.2.2")


@case("no-route", "10.88.1.1:8080")
def host_has_no_route(hosts):
    hosts.on("client", "ip route del default")


@case("route-blackhole", "10.88.1.1:8080")
def route_is_a_blackhole(hosts):
    hosts.on("client", "ip route add blackhole 10.88.0.0/16")


@case("route-unreachable", "10.88.1.1:8080")
def route_is_unreachable(hosts):
    hosts.on("client", "ip route add unreachable 10.88.0.0/16")


@case("route-prohibit", "10.88.1.1:8080")
def route_is_prohibited(hosts):
    hosts.on("client", "ip route add prohibit 10.88.0.0/16")


@case("neighbour-silent", "10.77.1.99:8080")
def neighbour_is_down(hosts):
    pass


@case("neighbour-silent", "10.88.1.1:8080")
def gateway_is_down(hosts):
    hosts.on("client", "ip route replace default via 10.77.1.77")


@case("rst-from-between", SERVER, "--compare", "9090")
def box_between_sends_rst(hosts):
    hosts.serve("server")
    hosts.serve("server", port=9090)
    hosts.nft("router", "forward", "tcp dport 8080 reject with tcp reset")


@case("reverse-path-filter")
def answer_comes_by_another_interface(hosts):
    run("ip link add back0 netns client type veth peer name back1 netns router")
    for host, device, last in (("client", "back0", 2), ("router", "back1", 1)):
        hosts.on(host, f"ip link set {device} up")
        hosts.on(host, f"ip addr add 10.77.3.{last}/24 dev {device}")
    hosts.on("client", "sysctl -qw net.ipv4.conf.all.rp_filter=1")
    hosts.on("client", "sysctl -qw net.ipv4.conf.back0.rp_filter=1")
    hosts.on("router", "ip route add 10.77.1.2/32 via 10.77.3.2")
    hosts.serve("server")


@case("refused-sometimes", SERVER)
def server_restarts_all_the_time(hosts):
    hosts.serve("server", "restart")


@case("handshake-loss", also={"dropped-sometimes"})
def firewall_limits_the_rate_of_syns(hosts):
    hosts.serve("server")
    hosts.nft("server", "input", "tcp dport 8080 tcp flags syn limit rate over 1/second burst 1 packets drop")


@case("handshake-loss")
def first_syn_gets_lost(hosts):
    hosts.serve("server")
    hosts.nft("router", "forward", "tcp dport 8080 tcp flags syn numgen inc mod 2 0 drop")


@case("closed-after-accept")
def server_closes_at_once(hosts):
    hosts.serve("server", "close")


@case("reset-after-accept")
def server_resets_at_once(hosts):
    hosts.serve("server", "reset")


@case("name-unknown", "missing.example:8080")
def name_has_no_address(hosts):
    resolve_by(hosts, "empty")


@case("resolver-silent", "slow.example:8080")
def resolver_is_silent(hosts):
    resolve_by(hosts, "silent")


@case("resolver-slow", "slow.example:8080", also={"family-slow"})
def resolver_is_slow(hosts):
    hosts.serve("server")
    resolve_by(hosts, "slow")


@case("resolver-slow", "half.example:8080", also={"family-slow"})
def resolver_drops_questions_for_aaaa(hosts):
    hosts.serve("server")
    resolve_by(hosts, "half")


@case("refused", "both.example:8080")
def ipv6_comes_first_and_is_refused(hosts):
    hosts.serve("server")
    name_both(hosts)


@case(None, SERVER)
def server_is_there(hosts):
    hosts.serve("server")


@case(None, "10.77.1.2:8080")
def server_on_this_host_is_there(hosts):
    hosts.serve("client")


def resolve_by(hosts, how):
    hosts.serve("server", f"dns-{how}", port=53)
    Path("/run/resolv.conf").write_text("nameserver 10.77.2.2\noptions timeout:2 attempts:1\n")
    run("mount --bind /run/resolv.conf /etc/resolv.conf")


def name_both(hosts):
    Path("/run/hosts").write_text("fd77:2::2 both.example\n10.77.2.2 both.example\n")
    run("mount --bind /run/hosts /etc/hosts")


# Prints in one word what a client meets, under the `try` line and under the real fault.
PROBE = """
import errno, socket, sys, time
host, port = sys.argv[1].rsplit(':', 1)
begun = time.monotonic()
try:
    connection = socket.create_connection((host.strip('[]'), int(port)), 1.5)
    connection.settimeout(0.3)
    try:
        met = 'data' if connection.recv(1) else 'EOF'
    except socket.timeout:
        met = 'connected'
except socket.timeout:
    met = 'nothing'
except OSError as error:
    met = errno.errorcode[error.errno]
if met != 'nothing' and time.monotonic() - begun > 0.9:
    met += ' late'
open(sys.argv[2], 'w').write(met)
"""


def meets(command):
    """Runs the probe through the command, and returns what the probe met."""
    path = Path("/run/met")
    path.unlink(missing_ok=True)
    subprocess.run([*command[:-1], sys.executable, "-c", PROBE, command[-1], path],
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return path.read_text() if path.exists() else "no client ran"


def compare_try(synfault, target, said):
    """Returns whether a client meets the same under the `try` line as under the real fault."""
    steps = said["causes"][0].get("try") if said["causes"] else None
    if not steps or "," in steps or said["name"]["literal"] is False:
        return None
    family = "ipv6" if target.startswith("[") else "ipv4"
    real = meets(["ip", "netns", "exec", "client", target])
    tried = meets([synfault, "try", "--family", family, steps, "--", "${server}"])
    # An ICMP error that arrives during connect() is deferred to the next SYN (net/ipv4/tcp_ipv4.c,
    # tcp_v4_err(), sock_owned_by_user), which happens on a link as short as this one.
    if steps.startswith("unreachable"):
        real, tried = real.removesuffix(" late"), tried.removesuffix(" late")
    return None if real == tried else f"try '{steps}': {tried}, and in reality: {real}"


def inside(synfault, name, as_user):
    """In the case's own namespaces: builds it and prints what diagnose says."""
    build, target, options = CASES[name][:3]
    hosts = Hosts()
    build(hosts)
    drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all",
            "--inh-caps=-all"] if as_user else []
    command = ["ip", "netns", "exec", "client", *drop, synfault, "diagnose", "--json", *options, target]
    environment = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment, check=False)
    wrong = None if as_user or not result.stdout else compare_try(synfault, target, json.loads(result.stdout))
    print(json.dumps({"status": result.returncode, "said": result.stdout, "wrong": wrong}))


def judge(synfault, name, as_user):
    """Returns what is wrong with a case's diagnosis, or None."""
    allowed = CASES[name][4 if as_user else 3]
    command = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc",
               sys.executable, SELF, synfault, "--inside", name, "user" if as_user else "root"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    try:
        answer = json.loads(result.stdout.strip().splitlines()[-1])
        said = json.loads(answer["said"])
    except (IndexError, ValueError):
        return f"no answer: {result.stdout[-500:]}{result.stderr[-1500:]}"
    causes = [cause["cause"] for cause in said["causes"]]
    first = causes[0] if causes else None
    if first not in allowed:
        return f"said {first}, not {sorted(map(str, allowed))}: {json.dumps(said, indent=1)[:6000]}"
    if "--path" in CASES[name][2] and said["addresses"][0]["hops"][0].get("from") != "10.77.1.1":
        return f"the first router is not seen: {said['addresses'][0]['hops']}"
    if "--intrusive" in CASES[name][2] and not as_user and "chain inet t c" not in said["causes"][0]["advice"]:
        return f"the rule is not named: {said['causes'][0]}"
    if answer["wrong"]:
        return answer["wrong"]
    if answer["status"] != (1 if causes else 0):
        return f"exit status {answer['status']}"
    return None


def main():
    synfault = str(Path(sys.argv[1]).resolve())
    if sys.argv[2:3] == ["--inside"]:
        inside(synfault, sys.argv[3], sys.argv[4] == "user")
        return 0
    if os.geteuid() != 0:
        print("1..0 # SKIP needs root to build hosts")
        return 0
    names = sys.argv[2:] or list(CASES)
    jobs = [(name, as_user) for name in names for as_user in (False, True)]
    print(f"1..{len(jobs)}", flush=True)
    failed = 0
    started = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        verdicts = pool.map(lambda job: judge(synfault, *job), jobs)
        for number, ((name, as_user), wrong) in enumerate(zip(jobs, verdicts), 1):
            print(f"{'not ' if wrong else ''}ok {number} - {name} as {'a user' if as_user else 'root'}",
                  flush=True)
            if wrong:
                failed += 1
                print("  ---\n  " + wrong.replace("\n", "\n  ") + "\n  ...", flush=True)
    print(f"# {time.monotonic() - started:.1f} s", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
