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
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SELF = Path(__file__).resolve()
LINUX = tuple(int(number) for number in os.uname().release.split(".")[:2])
# Without installed packages: to look for them takes half of the time to start.
PYTHON = (sys.executable, "-S")
SERVE = SELF.with_name("serve.py")
# Cases spend their time waiting.
AT_ONCE = 28
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
    # That the port is translated, and what another network namespace holds, only root sees.
    "nat-backend-refuses": {"no-listener"},
    "nat-backend-silent": {"local-firewall-in"},
    "other-namespace": {"no-listener"},
    # The client's own kernel takes the connection for established.
    "ack-lost": {None},
}


class Hosts:
    """client 10.77.1.2 -- router -- server 10.77.2.2, and the same in fd77:1::/64 and fd77:2::/64."""

    def __init__(self):
        run("mount -t tmpfs none /run && mkdir -m 777 /run/captures")
        ip("netns add client", "netns add router", "netns add server",
           *(f"link add {name}0 netns {name} type veth peer name {name}1 netns router"
             for name in ("client", "server")))
        for name, number in (("client", 1), ("server", 2)):
            ip("link set lo up", *interface(f"{name}0", number, 2), f"route add default via 10.77.{number}.1",
               f"-6 route add default via fd77:{number}::1", on=name)
        ip("link set lo up", *interface("client1", 1, 1), *interface("server1", 2, 1), on="router")
        # A host limits the rate of its ICMP errors, but here every SYN has to get its answer.
        limits = "net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0"
        self.on("router", f"sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 {limits}")
        self.on("server", f"sysctl -qw {limits}")

    def on(self, host, command):
        """Runs a command on a host."""
        run(f"ip netns exec {host} {command}")

    def nft(self, host, hook, rule, kind="filter"):
        """Adds a rule in a table of its own."""
        text = f"table inet t {{\nchain c {{\ntype {kind} hook {hook} priority -100\n{rule}\n}}\n}}\n"
        subprocess.run(["ip", "netns", "exec", host, "nft", "-f", "-"], input=text, text=True, check=True)

    def serve(self, host, *arguments, at="0.0.0.0", port=8080):
        """Starts a server and waits until it says that it serves."""
        process = subprocess.Popen(["ip", "netns", "exec", host, *PYTHON, SERVE, at, str(port),
                                    *map(str, arguments)], stdout=subprocess.PIPE, text=True)
        process.stdout.readline()


def run(command):
    subprocess.run(command, shell=True, check=True)


def ip(*lines, on=None):
    """Runs lines of ip(8) in one process: to start one for each takes longer than what they do."""
    families = {False: [], True: []}
    for line in lines:
        families[line.startswith("-6 ")].append(line.removeprefix("-6 "))
    for is_ipv6, part in families.items():
        if part:
            subprocess.run(["ip", *(["-n", on] if on else []), *(["-6"] if is_ipv6 else []), "-batch", "-"],
                           input="\n".join(part) + "\n", text=True, check=True)


def interface(device, network, last):
    """Lines that give a device the addresses of both families."""
    return (f"link set {device} up", f"addr add 10.77.{network}.{last}/24 dev {device}",
            f"-6 addr add fd77:{network}::{last}/64 dev {device} nodad")


SERVER = "10.77.2.2:8080"
HERE = "10.77.1.2:8080"
CAPTURE = Path("/run/captures/packets.pcapng")
CASES = {}


class Case:
    """What a case builds, and what has to be said of it."""

    def __init__(self, build, cause, target, options, also, user, sees, says, resets, witness):
        self.build, self.target, self.options, self.sees = build, target, options, sees
        self.says, self.resets, self.witness = says, resets, witness
        self.allowed = {cause, *also}
        self.allowed_for_user = self.allowed | LESS.get(cause, set()) | set(user)


def case(cause, target=SERVER, *options, also=(), user=(), sees=False, says="", resets="",
         witness=None):
    """A case and the expected first cause.

    also: or one of these. user: an ordinary user may get one of these, too (see LESS). sees: the server is on the
    same machine, in another network namespace that root may look into. says: what root reads in the first
    cause. resets: and where the kernel gives reasons for its resets. witness: another tool that sees the same."""
    def add(build):
        CASES[build.__name__.replace("_", "-")] = Case(build, cause, target, options, also, user, sees, says, resets,
                                                       witness)
        return build
    return add


# ---- other tools ----

def on_client(*command):
    result = subprocess.run(["ip", "netns", "exec", "client", *map(str, command)], capture_output=True, text=True,
                            check=False)
    return result.stdout


def by_tshark(said):
    """Reads the capture that diagnose has written."""
    lines = on_client("tshark", "-r", CAPTURE, "-T", "fields", "-e", "tcp.flags", "-e", "frame.comment").splitlines()
    packets = [line.partition("\t")[::2] for line in lines]
    syns = sum(int(flags, 16) == 0x02 for flags, _ in packets)
    rsts = sum(bool(int(flags, 16) & 0x04) for flags, _ in packets)
    trials = said["addresses"][0]["trials"]
    comments = [comment for _, comment in packets if comment]
    if syns != sum(trial["syns"] for trial in trials) or rsts != len(trials):
        return f"tshark sees {syns} SYNs and {rsts} RSTs: {packets}"
    if len(comments) != len(trials) or not all("RST after" in comment for comment in comments):
        return f"tshark reads the comments {comments}"
    return None


def by_ss(said):
    """ss -ltn prints Recv-Q and Send-Q: the accept queue and its limit."""
    listener = said["server"]["listeners"][0]
    fields = on_client("ss", "-Hltn", "sport = :8080").split()
    ours = [str(listener["queued"]), str(listener["backlog"]), listener["address"]]
    return None if fields[1:4] == ours else f"ss says {fields}, and we {ours}"


def by_nft(said):
    """The rule's handle is that of a rule that drops."""
    match = re.search(r"handle (\d+): nft -a list chain (.*)$", said["causes"][0]["advice"])
    lines = on_client("nft", "-a", "list", "chain", *match[2].split()).splitlines()
    rule = next((line for line in lines if line.endswith(f"# handle {match[1]}")), "")
    return None if "drop" in rule.lower() else f"nft lists no such rule that drops: {lines}"


def by_tcptraceroute(said):
    """It walks the same way, and ends as we do."""
    lines = on_client("tcptraceroute", "-n", "-q1", "-w1", "-m5", *SERVER.split(":")).splitlines()
    theirs = [line.split()[1] for line in lines if line.strip()[:1].isdigit()]
    ours = [hop.get("from") or SERVER.split(":", maxsplit=1)[0] for hop in said["addresses"][0]["hops"]]
    end = {"connected": "[open]", "refused": "[closed]"}[said["addresses"][0]["hops"][-1]["kind"]]
    return None if theirs == ours and end in lines[-1] else f"tcptraceroute says {lines}, and we {ours}"


@case("refused", SERVER, "--capture", CAPTURE, witness=by_tshark)
def server_is_down(hosts):
    pass


@case("no-listener", HERE, "--intrusive", resets="the kernel sent it, with the reason NO_SOCKET")
def server_on_this_host_is_down(hosts):
    pass


@case("bound-to-loopback", HERE)
def server_is_bound_to_loopback(hosts):
    hosts.serve("client", at="127.0.0.1")


@case("bound-elsewhere", HERE)
def server_is_bound_to_another_address(hosts):
    hosts.on("client", "ip addr add 10.77.1.9/24 dev client0")
    hosts.serve("client", at="10.77.1.9")


@case("other-family-only", HERE)
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


@case("port-filtered", SERVER, "--path")
def firewall_of_the_router_drops(hosts):
    hosts.serve("server")
    hosts.nft("router", "forward", "tcp dport 8080 drop")


@case("port-filtered", SERVER, "--path")
def firewall_of_the_server_drops_beyond_the_router(hosts):
    hosts.nft("server", "input", "tcp dport 8080 drop")


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


@case("firewall-rejects")
def firewall_of_the_server_rejects_by_host_prohibited(hosts):
    hosts.nft("server", "input", "tcp dport 8080 reject with icmp type host-prohibited")


@case("firewall-rejects")
def firewall_of_the_server_rejects_by_protocol_unreachable(hosts):
    hosts.nft("server", "input", "tcp dport 8080 reject with icmp type prot-unreachable")


@case("firewall-rejects")
def firewall_of_the_server_rejects_by_net_prohibited(hosts):
    hosts.nft("server", "input", "tcp dport 8080 reject with icmp type net-prohibited")


@case("router-host-unreachable", "[fd77:2::2]:8080")
def router_rejects_by_icmpv6_address_unreachable(hosts):
    hosts.nft("router", "forward", "tcp dport 8080 reject with icmpv6 type addr-unreachable")


@case("firewall-rejects", "[fd77:2::2]:8080", user={"local-error"})
def router_rejects_by_icmpv6_policy(hosts):
    hosts.nft("router", "forward", "tcp dport 8080 reject with icmpv6 type policy-fail")


@case("router-no-route", "[fd77:2::2]:8080", user={"local-error"})
def router_has_an_ipv6_route_that_rejects(hosts):
    hosts.nft("router", "forward", "tcp dport 8080 reject with icmpv6 type reject-route")


@case("firewall-rejects")
def router_rejects_by_port_unreachable(hosts):
    hosts.nft("router", "forward", "tcp dport 8080 reject with icmpx type port-unreachable")


@case("router-host-unreachable")
def router_rejects_by_host_unreachable(hosts):
    hosts.nft("router", "forward", "tcp dport 8080 reject with icmp type host-unreachable")


@case("firewall-rejects", "[fd77:2::2]:8080")
def router_rejects_by_icmpv6_port_unreachable(hosts):
    hosts.nft("router", "forward", "tcp dport 8080 reject with icmpv6 type port-unreachable")


@case("router-no-route", "[fd88::1]:8080")
def router_has_no_ipv6_route(hosts):
    pass


@case("router-host-unreachable", "[fd77:2::99]:8080")
def ipv6_host_behind_the_router_is_down(hosts):
    pass


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


@case("local-firewall-in", HERE, "--intrusive", says="chain inet t c", witness=by_nft)
def firewall_of_this_host_drops_what_comes_in(hosts):
    hosts.serve("client")
    hosts.nft("client", "input", "tcp dport 8080 drop")


@case("local-firewall-in", HERE, says="rule 2 of chain INPUT of iptables-legacy")
def rule_of_iptables_legacy_drops(hosts):
    hosts.serve("client")
    hosts.on("client", "iptables-legacy -A INPUT -p tcp --dport 9999 -j DROP")
    hosts.on("client", "iptables-legacy -A INPUT -p tcp --dport 8080 -j DROP")


@case("local-firewall-out", SERVER, says="the policy of chain OUTPUT of iptables-legacy")
def policy_of_iptables_legacy_drops(hosts):
    hosts.on("client", "iptables-legacy -P OUTPUT DROP")


@case("local-firewall-in", HERE, "--intrusive", says="chain ip filter INPUT", witness=by_nft)
def rule_of_iptables_nft_drops(hosts):
    hosts.serve("client")
    hosts.on("client", "iptables-nft -A INPUT -p tcp --dport 8080 -j DROP")


@case("local-firewall-out", SERVER, "--intrusive", says="chain inet t c")
def firewall_of_this_host_drops_what_leaves(hosts):
    hosts.serve("server")
    hosts.nft("client", "output", "tcp dport 8080 drop")


@case("local-firewall-rejects", HERE, "--intrusive", says="chain inet t c",
      resets="TCP of this machine did not send it")
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


@case("accept-queue-full", HERE, witness=by_ss)
def accept_queue_is_full(hosts):
    hosts.serve("client", "full")


@case("accept-queue-full", HERE)
def accept_queue_is_full_where_overflows_abort(hosts):
    hosts.on("client", "sysctl -qw net.ipv4.tcp_abort_on_overflow=1")
    hosts.serve("client", "full")


@case("accept-queue-full", HERE, says="its limit, so accept() fails")
def server_has_no_descriptor_left(hosts):
    hosts.serve("client", "full-of-files")


@case("accept-queue-full", sees=True, user={"silence"})
def accept_queue_of_a_container_is_full(hosts):
    hosts.serve("server", "full")


@case("bound-to-loopback", sees=True, says="of its network namespace", user={"refused"})
def server_in_a_container_is_bound_to_loopback(hosts):
    hosts.serve("server", at="127.0.0.1")


@case("bound-to-loopback", HERE, sees=True, says="of its network namespace", user={"no-listener"})
def published_port_leads_to_a_server_bound_to_loopback(hosts):
    hosts.serve("server", at="127.0.0.1")
    publish(hosts, "10.77.2.2:8080")


@case("no-listener", HERE, sees=True, says="in the network namespace of 10.77.2.2")
def published_port_leads_to_the_wrong_port(hosts):
    hosts.serve("server")
    publish(hosts, "10.77.2.2:8081")


@case("local-firewall-in", SERVER, "--intrusive", sees=True, says="in the server's network namespace",
      user={"silence"})
def firewall_in_a_container_drops(hosts):
    hosts.serve("server")
    hosts.nft("server", "input", "tcp dport 8080 drop")


@case("other-namespace", HERE, sees=True, says="connect to 10.77.2.2:8080")
def port_of_a_container_is_not_published(hosts):
    hosts.serve("server")


@case("nat-backend-refuses", HERE)
def nat_of_this_host_leads_to_a_server_that_is_down(hosts):
    publish(hosts, "10.77.2.2:8081")


@case("nat-backend-silent", HERE)
def nat_of_this_host_leads_to_a_firewall(hosts):
    publish(hosts, "10.77.2.2:8081")
    hosts.nft("router", "forward", "tcp dport 8081 drop")


@case("router-host-unreachable", HERE, user={"unreachable", "local-firewall-in"})
def nat_of_this_host_leads_to_a_dead_host(hosts):
    publish(hosts, "10.77.2.99:8080")


@case("router-host-unreachable", HERE, also={"neighbour-silent"}, user={"unreachable", "local-firewall-in"})
def nat_of_this_host_leads_to_a_dead_neighbour(hosts):
    publish(hosts, "10.77.1.99:8080")


@case("syn-backlog-full", HERE)
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


@case("device-down")
def interface_has_no_carrier(hosts):
    ip("link set client1 down", on="router")


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
    ip("link add back0 netns client type veth peer name back1 netns router")
    ip(*interface("back0", 3, 2), on="client")
    ip(*interface("back1", 3, 1), "route add 10.77.1.2/32 via 10.77.3.2", on="router")
    hosts.on("client", "sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.back0.rp_filter=1")
    hosts.serve("server")


@case("ack-lost")
def answer_passes_by_a_firewall_that_tracks_connections(hosts):
    ip("link add back0 netns client type veth peer name back1 netns server")
    ip(*interface("back0", 3, 2), on="client")
    ip(*interface("back1", 3, 1), "route add 10.77.1.2/32 via 10.77.3.2", on="server")
    hosts.on("client", "sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.back0.rp_filter=0")
    hosts.nft("router", "forward", "ct state invalid drop")
    hosts.serve("server")


@case("mtu-black-hole", SERVER, "--path", says="a packet of 1280 bytes arrives, one of 1500 does not")
def large_packets_disappear(hosts):
    hosts.serve("server")
    narrow(hosts)
    hosts.nft("router", "output", "icmp type destination-unreachable icmp code frag-needed drop")


@case(None, SERVER, "--path", witness=by_tcptraceroute)
def router_says_that_large_packets_are_too_big(hosts):
    hosts.serve("server")
    narrow(hosts)


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


@case("refused", "wrong.example:8080")
def name_leads_to_another_host(hosts):
    hosts.serve("server")
    resolve_by(hosts, "wrong")


@case("refused", "both.example:8080")
def ipv6_comes_first_and_is_refused(hosts):
    hosts.serve("server")
    name_both(hosts)


@case(None, SERVER)
def server_is_there(hosts):
    hosts.serve("server")


@case(None, HERE)
def server_on_this_host_is_there(hosts):
    hosts.serve("client")


def publish(hosts, to):
    """Makes port 8080 of the client's address lead elsewhere, as container engines do."""
    hosts.nft("client", "output", f"ip daddr 10.77.1.2 tcp dport 8080 dnat ip to {to}", kind="nat")


def narrow(hosts):
    ip("link set server1 mtu 1300", on="router")
    ip("link set server0 mtu 1300", on="server")


def resolve_by(hosts, how):
    hosts.serve("server", f"dns-{how}", port=53)
    Path("/run/resolv.conf").write_text("nameserver 10.77.2.2\noptions timeout:2 attempts:1\n")
    run("mount --bind /run/resolv.conf /etc/resolv.conf")


def name_both(hosts):
    Path("/run/hosts").write_text("fd77:2::2 both.example\n10.77.2.2 both.example\n")
    run("mount --bind /run/hosts /etc/hosts")


# Writes what clients meet one after the other, and how long each took.
PROBE = """
import errno, json, socket, sys, time
host, port = sys.argv[1].rsplit(':', 1)
patience, times = float(sys.argv[3]), int(sys.argv[4])
all_met = []
for number in range(times):
    begun = time.monotonic()
    try:
        connection = socket.create_connection((host.strip('[]'), int(port)), patience)
        connection.settimeout(0.3)
        try:
            met = 'data' if connection.recv(1) else 'EOF'
        except socket.timeout:
            met = 'connected'
        except ConnectionResetError:
            met = 'reset'
        connection.close()
    except socket.timeout:
        met = 'nothing'
    except ConnectionResetError:
        met = 'reset'
    except OSError as error:
        met = errno.errorcode[error.errno]
    all_met.append((met, time.monotonic() - begun))
    time.sleep(0.3 if number + 1 < times else 0)
open(sys.argv[2], 'w').write(json.dumps(all_met))
"""


def meets(command, target, patience, times):
    """Runs the probe through the command. Returns what clients met, each with its duration in seconds."""
    path = Path("/run/met")
    path.unlink(missing_ok=True)
    subprocess.run([*command, *PYTHON, "-c", PROBE, target, path, str(patience), str(times)],
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return json.loads(path.read_text()) if path.exists() else [("no client ran", 0)]


def differ(real, tried, deferred=False):
    """Whether two connections end differently, or at other times. deferred: one of them by a second."""
    slack = 0.4 + 0.25 * real[1]
    apart = abs(real[1] - tried[1])
    return real[0] != tried[0] or (apart > slack and not (deferred and abs(apart - 1) < slack))


def compare_try(synfault, said):
    """Runs the `try` line. Returns how what a client meets there differs from what it meets here, or None."""
    cause = said["causes"][0] if said["causes"] else {}
    steps = cause.get("try")
    if not steps:
        return None
    address = said["addresses"][cause["address"]]["address"]
    family = "ipv6" if address.startswith("[") else "ipv4"
    # Long enough for a neighbour that has to be asked three times, and for two SYNs otherwise.
    patience = 4.5 if steps.startswith("delay") else 1.6
    sometimes = "," in steps
    # A router that just failed to find the host says so sooner.
    for host in ("client", "router") if steps.startswith("delay") else ():
        run(f"ip -n {host} neigh flush all")
    real = meets(["ip", "netns", "exec", "client"], address, patience, 8 if sometimes else 1)
    tried = meets([synfault, "try", "--family", family, steps, "--"], "${server}", patience, 2 if sometimes else 1)
    if sometimes:
        missing = [met for met in tried if all(differ(other, met) for other in real)]
        return f"try '{steps}': {missing} is not met in reality: {real}" if missing else None
    # An ICMP error that arrives during connect() is deferred to the next SYN, a second later (net/ipv4/tcp_ipv4.c,
    # tcp_v4_err(), sock_owned_by_user), which happens on a link as short as this one.
    deferred = steps.startswith("unreachable")
    # A SYN may get through a queue that is full most of the time.
    for _ in range(2):
        if differ(real[0], tried[0], deferred):
            real = meets(["ip", "netns", "exec", "client"], address, patience, 1)
    return f"try '{steps}': {tried}, and in reality: {real}" if differ(real[0], tried[0], deferred) else None


def command_of(synfault, case, as_user):
    """The command of a case. What is on another host, root must not see as a process of this one."""
    apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"]
    return ["ip", "netns", "exec", "client", *(drop if as_user else [] if case.sees or case.target == HERE else apart),
            synfault, "diagnose", "--json", *map(str, case.options), case.target]


def inside(synfault, name, as_user):
    """In the case's own namespaces: builds it and prints what diagnose says."""
    case = CASES[name]
    case.build(Hosts())
    environment = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
    result = subprocess.run(command_of(synfault, case, as_user), stdout=subprocess.PIPE, text=True, env=environment,
                            check=False)
    said = json.loads(result.stdout) if result.stdout else None
    wrong = None
    if said and not as_user:
        wrong = compare_try(synfault, said) or (case.witness and case.witness(said))
    print(json.dumps({"status": result.returncode, "said": said, "wrong": wrong}))


def judge(synfault, name, as_user):
    """Returns what is wrong with a case's diagnosis, or None."""
    case = CASES[name]
    allowed = case.allowed_for_user if as_user else case.allowed
    command = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc",
               *PYTHON, SELF, synfault, "--inside", name, "user" if as_user else "root"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    try:
        answer = json.loads(result.stdout.strip().splitlines()[-1])
        said = answer["said"]
        causes = [cause["cause"] for cause in said["causes"]]
    except (IndexError, TypeError, ValueError):
        return f"no answer: {result.stdout[-500:]}{result.stderr[-1500:]}"
    first = causes[0] if causes else None
    if first not in allowed:
        return f"said {first}, not {sorted(map(str, allowed))}: {json.dumps(said, indent=1)[:6000]}"
    if "--path" in case.options and said["addresses"][0]["hops"][0].get("from") != "10.77.1.1":
        return f"the first router is not seen: {said['addresses'][0]['hops']}"
    if case.says and not as_user and not any(case.says in said["causes"][0][key]
                                             for key in ("sentence", "evidence", "advice")):
        return f"\"{case.says}\" is not said: {said['causes'][0]}"
    if case.resets and not as_user and case.resets not in said["causes"][0]["evidence"] and (
            LINUX >= (6, 10) or "Linux 6.10" not in said["kernel_reset_not_seen"]):
        return f"\"{case.resets}\" is not said: {said}"
    if "--intrusive" in case.options and as_user and "CAP_SYS_ADMIN" not in said["kernel_reset_not_seen"]:
        return f"the reason for not seeing reasons: {said}"
    if "--intrusive" in case.options and not as_user and "no drop monitor" not in said["kernel_drop_not_seen"]:
        return f"the kernel's own reasons can't be seen in a network namespace, yet: {said}"
    if answer["wrong"]:
        return answer["wrong"]
    can_look = not (as_user and "--capture" in case.options)
    if answer["status"] != (3 if not can_look else 1 if causes else 0):
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
