/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two hosts: see hosts.h. */
#include "tests/lib/hosts.h"

static const char hosts[] =
	"cat >serve.py <<'X'\n"
	"import http.server, socket, threading\n"
	"def listen(port):\n"
	"    return socket.create_server(('', port), family=socket.AF_INET6,\n"
	"                                dualstack_ipv6=True, backlog=100)\n"
	"def serve(s):\n"
	"    while True: s.accept()[0].close()\n"
	"class Handler(http.server.BaseHTTPRequestHandler):\n"
	"    def do_GET(self):\n"
	"        self.send_response(200)\n"
	"        self.send_header('Content-Length', '100000')\n"
	"        self.end_headers()\n"
	"        self.wfile.write(b'x' * 100000)\n"
	"    def do_PUT(self):\n"
	"        self.rfile.read(int(self.headers['Content-Length']))\n"
	"        self.do_GET()\n"
	"    def log_message(self, *args): pass\n"
	"class Server(http.server.ThreadingHTTPServer):\n"
	"    address_family = socket.AF_INET6\n"
	"    request_queue_size = 100\n"
	"    def handle_error(self, *args): pass\n"
	"def sink(s):\n"
	"    while True:\n"
	"        connection, n = s.accept()[0], 0\n"
	"        try:\n"
	"            while data := connection.recv(1 << 20): n += len(data)\n"
	"        except OSError: pass\n"
	"        with open('sunk', 'a') as file: file.write(f'{n} bytes\\n')\n"
	/* The script waits for the last one. */
	"threading.Thread(target=sink, args=[listen(9000)]).start()\n"
	"for port in 5432, 5433:\n"
	"    threading.Thread(target=serve, args=[listen(port)]).start()\n"
	"Server(('::', 8000), Handler).serve_forever()\n"
	"X\n"
	"unshare -n sleep 1000 & there=$!\n"
	"while [ $(readlink /proc/$there/ns/net) = $(readlink /proc/self/ns/net) ]; do sleep "
	"0.02; done\n"
	"ip link add v0 type veth peer name v1 netns $there\n"
	"ip addr add 192.0.2.1/24 dev v0; ip addr add 2001:db8::1/64 dev v0 nodad\n"
	"ip link set v0 up\n"
	"nsenter -n -t $there sh -c 'ip link set lo up; ip addr add 192.0.2.2/24 dev v1;\n"
	"  ip addr add 2001:db8::2/64 dev v1 nodad; ip link set v1 up'\n"
	"python3 serve.py & here_server=$!\n"
	"nsenter -n -t $there python3 serve.py & there_server=$!\n"
	"for a in 192.0.2.1:5432 192.0.2.2:5433 192.0.2.1:8000 '[2001:db8::2]:8000'; do\n"
	"  until synfault-tiny $a; do sleep 0.05; done; done 2>/dev/null\n"
	"leave() { kill $here_server $there_server $there; wait; ip link del v0 2>/dev/null; }\n";

struct program *hosts_new(const char *file)
{
	struct program *synfault = program_new();

	program_needs_root(synfault);
	program_needs(synfault, "python3 unshare nsenter ip");
	program_writes(synfault, "hosts", "%s", hosts);
	program_writes(synfault, "a.yaml", "%s", file);
	return synfault;
}

void hosts_run(struct program *synfault, const char *script)
{
	program_writes(synfault, "script", ". ./hosts\n%sleave\n", script);
	/* What the script writes is below one directory, which may stay. */
	program_runs_shell(synfault,
			   "mkdir w && cp $(ls -d * | grep -v '^w$') w && cd w && sh script");
}

void hosts_left_nothing(const struct program *synfault)
{
	program_left_nothing_but(synfault, "w");
}
