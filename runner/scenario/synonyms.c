/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words of other tools: see synonyms.h. */
#include "runner/scenario/synonyms.h"

#include <ctype.h>

static const struct synonym key_synonyms[] = {
	/* ---- a document ---- */
	{"a scenario", "linger", "leftover-timeout"},
	{"a scenario", "copies replicas instances parallel parallelism scale threads workers vus",
	 "clients"},
	{"a scenario", "retries repetitions repeats iterations times count loops", "repeat",
	 "attempts of the client are expected below \"expect\": attempts: 4; to run it several "
	 "times write \"repeat\""},
	{"a scenario", "timeout-minutes time-limit max-time deadline", "timeout"},
	{"a scenario", "duration-limit runtime run-time lifetime", "run-for"},
	{"a scenario", "grace-period stop-grace-period kill-after termination-grace-period",
	 "stop-timeout"},
	{"a scenario", "services servers hosts targets upstreams clusters endpoint", "endpoints"},
	{"a scenario", "command run cmd script program exec entrypoint", "client",
	 "the command belongs to the client: client: {command: [curl, \"http://${api}/\"]}"},
	{"a scenario", "title description summary test case scenario", "name"},
	{"a scenario", "skip skip-if if only condition depends-on needs", "requires"},
	{"a scenario", "expected expectation expectations assert asserts assertions then",
	 "expect"},
	{"a scenario", "sysctl sysctls", "kernel"},
	{"a scenario", "labels label markers marks groups", "tags"},
	{"a scenario", "parametrize parameters params strategy examples variables vars", "matrix"},
	/* ---- a client ---- */
	{"a client", "environment environ vars variables envs", "env"},
	{"a client", "entrypoint cmd run args argv arguments exec program script executable",
	 "command", "program and arguments are one list: command: [curl, \"http://${api}/\"]"},
	{"a client", "working-dir working-directory workdir dir directory chdir pwd", "cwd"},
	{"a client", "input", "stdin"},
	{"a client", "volumes configs mounts config", "files"},
	{"a client", "timeout", "timeout",
	 "\"timeout\" is a key of the scenario, beside \"client\""},
	/* ---- an endpoint ---- */
	{"an endpoint", "family ip-family ip-version af ipv4 ipv6", "families",
	 "write families: [ipv6, ipv4]"},
	{"an endpoint", "ip ips address", "addresses"},
	{"an endpoint", "host name domain fqdn aliases", "hostname"},
	{"an endpoint", "url uri upstream target backend server-address connect", "remote"},
	{"an endpoint", "ports listen listen-port", "port"},
	{"an endpoint", "steps behavior behaviour actions rules toxics", "faults"},
	{"an endpoint", "server image type protocol mode", "serve"},
	{"a server", "run cmd args exec program", "command"},
	{"a server", "timeout wait wait-for startup-timeout healthcheck", "ready"},
	/* ---- a step with a condition ---- */
	{"a step with a condition", "if on condition match", "when"},
	{"a step with a condition", "then action step fault", "do"},
	{"a step with a condition", "attempt attempts time chance probability family from", "when",
	 "conditions go below \"when\": {when: {attempt: 2}, do: drop}"},
	{"a condition", "attempts number numbers nth", "attempt"},
	{"a condition", "probability percent percentage rate ratio", "chance"},
	{"a condition", "window between during interval", "time"},
	{"a condition", "ip ip-version af families", "family"},
	{"a condition", "origin since", "from"},
	/* ---- "expect" ---- */
	{"\"expect\"", "waits wait delay delays sleep pause pauses retry-delay", "backoff"},
	{"\"expect\"", "intervals interval period", "attempt-delay"},
	{"\"expect\"", "total-wait", "total-backoff"},
	{"\"expect\"", "in-flight parallel concurrency", "concurrent-attempts"},
	{"\"expect\"", "pool-size max-connections", "concurrent-connections"},
	{"\"expect\"", "reconnect reconnections reconnections-within", "reconnects"},
	{"\"expect\"", "dead half-dead staleness", "stale"},
	{"\"expect\"", "retries-only retryable retry-if", "retry-on"},
	{"\"expect\"", "retries max-retries num-retries retry tries max-tries max-attempts",
	 "attempts",
	 "did you mean \"attempts\"? The first try is one, too: 3 retries are attempts: 4"},
	{"\"expect\"", "exit-code exit-status exitcode status returncode return-code code rc",
	 "exit"},
	{"\"expect\"", "output out logs log", "stdout"},
	{"\"expect\"", "error errors err", "stderr"},
	{"\"expect\"", "time elapsed runtime max-time total-time", "duration"},
	{"\"expect\"", "timeout", "connect-timeout",
	 "the client's own timeout is \"connect-timeout\" or \"read-timeout\"; the "
	 "scenario's \"timeout\" is a key beside \"expect\""},
	{"\"expect\"", "connections connects", "connected"},
	{"\"expect\"", "give-up giveup deadline", "gives-up"},
	{"an output", "regex regexp regexes pattern patterns re match matching", "matches"},
	{"an output", "text texts include includes including has equals equal substring",
	 "contains"},
	{"an output", "excludes exclude not-contains absent without no", "not"},
	{"\"fallback\"", "after timeout delay in", "within"},
	{"\"herd\"", "limit attempts count most", "max"},
	{"\"herd\"", "window per interval", "within"},
	{"\"reconnects\"", "number connections attempts", "count"},
	{"\"reconnects\"", "after timeout in time", "within"},
	{"\"gives-up\"", "within timeout time deadline", "after"},
	{"\"gives-up\"", "retries max-retries max-attempts tries", "attempts",
	 "did you mean \"attempts\"? The first try is one, too: 3 retries are attempts: 4"},
	{"a tolerance", "abs time", "absolute"},
	{"a tolerance", "rel percent percentage", "relative"},
	/* ---- policies ---- */
	{"an exponential policy",
	 "initial initial-interval initial-backoff initial-delay "
	 "base-interval base-delay min min-delay start first delay interval",
	 "base"},
	{"an exponential policy", "multiplier exponent rate backoff-factor coefficient", "factor"},
	{"an exponential policy",
	 "max max-delay max-interval max-backoff maximum maximum-backoff limit ceiling", "cap"},
	{"an exponential policy", "randomization-factor randomize random spread", "jitter"},
	{"an exponential policy", "retries max-retries attempts tries", "max-attempts",
	 "did you mean \"max-attempts\"? The first try is one, too"},
	{"a linear policy", "initial initial-interval initial-delay min start first delay interval",
	 "base"},
	{"a linear policy", "increment increase add", "step"},
	{"a linear policy", "max max-delay max-interval maximum limit", "cap"},
	{"a policy", "constant", "fixed"},
	{"a policy", "name", "policy"},
	{"a policy", "retries max-retries attempts tries", "max-attempts",
	 "did you mean \"max-attempts\"? The first try is one, too"},
};

static const struct synonym value_synonyms[] = {
	{NULL, "https tls ssl", "http",
	 "synfault's servers don't speak TLS: use your own server, serve: {command: [...]}, or "
	 "\"http\""},
	{NULL, "tcp listen sink discard", "accept", NULL},
	{NULL, "off closed nothing no false", "none", NULL},
	{NULL, "nginx httpd apache python node grpc redis postgres mysql command", "http",
	 "give the server's command: serve: {command: [nginx, -c, ...]}"},
	{NULL, "v4 4 inet inet4 ip4 a", "ipv4", NULL},
	{NULL, "v6 6 inet6 ip6 aaaa", "ipv6", NULL},
	{NULL, "timeout timed-out etimedout deadline connect-timeout", "unanswered", NULL},
	{NULL, "econnrefused connection-refused connect-failure refuse reject rst", "refused",
	 NULL},
	{NULL, "econnreset connection-reset aborted", "reset", NULL},
	{NULL, "ehostunreach enetunreach unavailable no-route", "unreachable", NULL},
	{NULL, "5xx gateway-error retriable-4xx 503 502 500 429", "connected",
	 "an attempt that gets any HTTP answer is \"connected\""},
	{NULL, "eof fin disconnected", "closed", NULL},
	{NULL, "hung stall frozen", "stalled", NULL},
	{NULL, "immediate immediately now instantly", "at-once", NULL},
	{NULL, "yes on 1", "true", NULL},
	{NULL, "no off 0", "false", NULL},
	{NULL, "client process", "start", NULL},
	{NULL, "first first-syn", "first-attempt", NULL},
	{NULL, "random", "full", NULL},
};

/* Returns whether @word is one of @words, ignoring case, with "_" for "-". */
static bool is_among(const char *word, const char *words)
{
	size_t length = strlen(word);

	for (const char *at = words; *at; at += strspn(at, " ")) {
		size_t n = strcspn(at, " "), i = 0;

		while (n == length && i < n &&
		       at[i] == (word[i] == '_' ? '-' : tolower((unsigned char)word[i])))
			i++;
		if (n == length && i == n)
			return true;
		at += n;
	}
	return false;
}

const struct synonym *synonym_of_key(const struct schema *schema, const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(key_synonyms); i++)
		if (strcmp(key_synonyms[i].where, schema->name) == 0 &&
		    is_among(word, key_synonyms[i].words))
			return &key_synonyms[i];
	return NULL;
}

const struct synonym *synonym_of_value(const char *word, const char *const *choices)
{
	for (size_t i = 0; i < ARRAY_SIZE(value_synonyms); i++) {
		if (!is_among(word, value_synonyms[i].words))
			continue;
		for (size_t k = 0; choices[k]; k++)
			if (strcmp(choices[k], value_synonyms[i].meant) == 0)
				return &value_synonyms[i];
	}
	return NULL;
}
