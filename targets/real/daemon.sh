#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Daemons that connect to a server of their own: daemon.sh NAME HOST PORT
#
# Each gets the shortest configuration that makes it connect, and its own defaults for all else. A proxy gets
# one request, with a client that waits for the answer. The configuration is in a directory of its own.
set -eu
name=$1 host=$2 port=$3
directory=$(mktemp -d /tmp/synfault-real.XXXXXX)
trap 'kill $(jobs -p) 2>/dev/null; sleep 0.2; kill -KILL $(jobs -p) 2>/dev/null; rm -rf "$directory"' EXIT
trap 'exit 143' TERM
chmod 755 "$directory"
cd "$directory"
configuration=$directory/configuration

# runs COMMAND... so that SIGTERM ends it at once: bash heeds no signal while a command runs in the foreground.
runs() {
	"$@" &
	wait $!
}

# asks PORT COMMAND... waits until the daemon listens, and asks it.
asks() {
	local local_port=$1
	shift
	for _ in $(seq 100); do
		! grep -q ":$(printf %04X "$local_port") 00000000:0000 0A" /proc/net/tcp || break
		sleep 0.1
	done
	runs "$@"
}

case $name in
rsyslog)
	cat >"$configuration" <<CONFIGURATION
global(workDirectory="$directory" processInternalMessages="on")
action(type="omfwd" target="$host" port="$port" protocol="tcp" action.resumeRetryCount="-1")
CONFIGURATION
	runs rsyslogd -n -f "$configuration" -i "$directory/pid"
	;;
pgbouncer)
	chown -R daemon "$directory"
	cat >"$configuration" <<CONFIGURATION
[databases]
d = host=$host port=$port user=u
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = 16432
unix_socket_dir =
auth_type = any
user = daemon
CONFIGURATION
	pgbouncer -q "$configuration" &
	asks 16432 psql -w -c '' "host=127.0.0.1 port=16432 user=u dbname=d"
	;;
squid)
	chown -R proxy "$directory"
	cat >"$configuration" <<CONFIGURATION
http_port 127.0.0.1:13128
http_access allow all
pid_filename none
access_log none
cache_log stdio:/dev/null
cache_store_log none
pinger_enable off
shutdown_lifetime 0 seconds
coredump_dir $directory
CONFIGURATION
	squid -N -f "$configuration" &
	asks 13128 curl -sSf -o /dev/null -x 127.0.0.1:13128 "http://$host:$port/"
	;;
haproxy)
	cat >"$configuration" <<CONFIGURATION
defaults
	mode http
	timeout connect 5s
	timeout client 50s
	timeout server 50s
listen l
	bind 127.0.0.1:18080
	server s $host:$port
CONFIGURATION
	haproxy -db -f "$configuration" &
	asks 18080 curl -sSf -o /dev/null http://127.0.0.1:18080/
	;;
nginx)
	cat >"$configuration" <<CONFIGURATION
daemon off;
pid $directory/pid;
error_log stderr;
events {}
http {
	access_log off;
	server {
		listen 127.0.0.1:18080;
		location / { proxy_pass http://$host:$port; }
	}
}
CONFIGURATION
	nginx -c "$configuration" &
	asks 18080 curl -sSf -o /dev/null http://127.0.0.1:18080/
	;;
apache)
	cat >"$configuration" <<CONFIGURATION
ServerRoot $directory
ServerName localhost
PidFile $directory/pid
Listen 127.0.0.1:18080
ErrorLog /dev/stderr
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so
ProxyPass / http://$host:$port/
CONFIGURATION
	apache2 -X -f "$configuration" &
	asks 18080 curl -sSf -o /dev/null http://127.0.0.1:18080/
	;;
tinyproxy)
	cat >"$configuration" <<CONFIGURATION
Port 18888
Listen 127.0.0.1
Allow 127.0.0.1
CONFIGURATION
	tinyproxy -d -c "$configuration" &
	asks 18888 curl -sSf -o /dev/null -x 127.0.0.1:18888 "http://$host:$port/"
	;;
privoxy)
	echo "listen-address 127.0.0.1:18118" >"$configuration"
	privoxy --no-daemon "$configuration" &
	asks 18118 curl -sSf -o /dev/null -x 127.0.0.1:18118 "http://$host:$port/"
	;;
stunnel)
	cat >"$configuration" <<CONFIGURATION
foreground = yes
pid =
[s]
client = yes
accept = 127.0.0.1:18443
connect = $host:$port
CONFIGURATION
	stunnel "$configuration" &
	asks 18443 curl -sSf -o /dev/null http://127.0.0.1:18443/
	;;
twemproxy)
	cat >"$configuration" <<CONFIGURATION
pool:
  listen: 127.0.0.1:16379
  redis: true
  servers:
   - $host:$port:1
CONFIGURATION
	nutcracker -c "$configuration" &
	asks 16379 redis-cli -p 16379 get key
	;;
collectd)
	cat >"$configuration" <<CONFIGURATION
BaseDir "$directory"
PIDFile "$directory/pid"
LoadPlugin load
LoadPlugin write_graphite
<Plugin write_graphite>
	<Node "n">
		Host "$host"
		Port "$port"
	</Node>
</Plugin>
CONFIGURATION
	runs collectd -f -C "$configuration"
	;;
zabbix-agent)
	cat >"$configuration" <<CONFIGURATION
ServerActive=$host:$port
StartAgents=0
Hostname=h
LogType=console
PidFile=$directory/pid
AllowRoot=1
CONFIGURATION
	runs zabbix_agentd -f -c "$configuration"
	;;
lftp)
	HOME=$directory runs lftp -c "open http://$host:$port; cat /"
	;;
fetchmail)
	printf 'poll %s service %s protocol pop3 user u password p\n' "$host" "$port" >"$configuration"
	chmod 600 "$configuration"
	FETCHMAILHOME=$directory runs fetchmail --nosslcertck --sslproto '' -f "$configuration"
	;;
*)
	echo "daemon.sh NAME HOST PORT; its case lists the names" >&2
	exit 64
	;;
esac
