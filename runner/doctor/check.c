/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The checks of `synfault doctor`: see check.h. */
#include "runner/doctor/check.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <time.h>

#include "common/duration.h"
#include "common/text.h"
#include "runner/doctor/lag.h"
#include "runner/sandbox/isolation.h"
#include "runner/sandbox/sysctl.h"
#include "runner/schedule/limits.h"

#define LAG_DURATION_NS (200 * NS_PER_MS)
/* A quarter of the smallest default tolerance. */
#define LAG_BEARABLE_NS (25 * NS_PER_MS)
#define RTO_MAX_MS      120000

static struct check *add(struct doctor *doctor, const char *name, int error)
{
	array_append(doctor->checks, doctor->n_checks, doctor->capacity,
		     (struct check){.name = name, .missing = error < 0});
	return &doctor->checks[doctor->n_checks - 1];
}

/* Says that a capability would help, if it is missing. */
static void needs_capability(struct check *check, const char *name, unsigned capability)
{
	check->capability = name;
	check->grant = capability_hint_needed(capability);
	if (check->grant == CAPABILITY_HINT_HELD)
		check->capability = NULL;
}

/* ---- capabilities ---- */

static void check_capabilities(struct doctor *doctor)
{
	static const struct {
		const char *name, *without;
		unsigned capability;
	} capabilities[] = {
		{"NET_ADMIN", "nothing can be queued in the given network namespace",
		 CAP_NET_ADMIN},
		{"SYS_ADMIN",
		 "scenarios get no namespaces of their own, except through user "
		 "namespaces",
		 CAP_SYS_ADMIN},
		{"NET_RAW", "a delayed SYN to another host is held, not sent again", CAP_NET_RAW},
	};

	for (size_t i = 0; i < ARRAY_SIZE(capabilities); i++) {
		enum capability_hint grant = capability_hint_needed(capabilities[i].capability);
		struct check *check = add(doctor, capabilities[i].name,
					  grant == CAPABILITY_HINT_HELD ? 0 : -EPERM);

		check->found =
			grant == CAPABILITY_HINT_USER
				? xasprintf("not held by user %u; root would", geteuid())
				: xstrdup(grant == CAPABILITY_HINT_HELD ? "held" : "not held");
		check->consequence = capabilities[i].without;
		needs_capability(check, capabilities[i].name, capabilities[i].capability);
	}
}

/* ---- namespaces and the queue ---- */

static char *userns_remedy(void)
{
	if (geteuid() == 0)
		return xstrdup("a container needs CAP_SYS_ADMIN and no seccomp or AppArmor profile "
			       "that forbids them; or run on the host");
	return xstrdup("sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces=10000, "
		       "kernel.apparmor_restrict_unprivileged_userns=0; or run as root");
}

static void check_namespaces(struct doctor *doctor)
{
	static const struct {
		const char *name;
		int kind;
	} kinds[] = {
		{"user", CLONE_NEWUSER},
		{"net", CLONE_NEWNET},
		{"mount", CLONE_NEWNS},
		{"pid", CLONE_NEWPID},
	};
	AUTO_STRBUF struct strbuf good = {0}, bad = {0}, text = {0};
	bool needed = false;
	struct check *check;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		int error = netns_probe_namespace(kinds[i].kind);
		struct strbuf *list = error ? &bad : &good;

		strbuf_printf(list, "%s%s", list->length ? ", " : "", kinds[i].name);
		if (error)
			strbuf_printf(list, " (%s)", strerror(-error));
		/* Root needs no user namespace. */
		needed = needed || (error && (i > 0 || geteuid() != 0));
	}
	strbuf_puts(&text, good.length ? strbuf_text(&good) : "none");
	if (bad.length)
		strbuf_printf(&text, "; not: %s", strbuf_text(&bad));
	check = add(doctor, "namespaces", needed ? -EPERM : 0);
	check->found = strbuf_steal(&text);
	check->consequence = "scenarios share the given network namespace";
	check->remedy = needed ? userns_remedy() : NULL;
}

static bool can_queue(const struct probe *probe)
{
	return !probe->namespaces && !probe->lo && !probe->queue && !probe->rules;
}

static char *describe_queue(const struct probe *probe)
{
	int error = probe->queue ? probe->queue : probe->rules;

	if (probe->namespaces)
		return xasprintf("no such namespace can be made: %s", strerror(-probe->namespaces));
	if (probe->lo)
		return xstrdup("the interface lo is not up");
	if (!error)
		return xasprintf("a queue was bound and a rule added (%s)",
				 probe->form == NFT_RULES_QUEUE_NATIVE ? "nftables queue"
								       : "xtables NFQUEUE");
	return xstrdup(probe->message[0] ? probe->message : strerror(-error));
}

static char *queue_remedy(const struct probe *probe)
{
	if (probe->namespaces)
		return xstrdup("as for namespaces");
	if (probe->lo)
		return xstrdup("ip link set lo up");
	if (probe->queue == -EOPNOTSUPP || probe->rules == -EOPNOTSUPP || probe->rules == -ENOENT)
		return xstrdup("modprobe nfnetlink_queue nft_queue (or nft_compat xt_NFQUEUE) on "
			       "the host");
	return NULL;
}

void doctor_check_queues(struct doctor *doctor, const struct probe *own, const struct probe *given)
{
	const bool can_own = can_queue(own), can_given = can_queue(given);
	struct check *check = add(doctor, "private queue", can_own ? 0 : -EPERM);

	check->found = describe_queue(own);
	check->consequence = "no scenario runs in a network namespace of its own";
	check->remedy = can_own ? NULL : queue_remedy(own);
	check = add(doctor, "shared queue", can_given ? 0 : -EPERM);
	check->found = describe_queue(given);
	check->consequence = "no scenario runs in the given network namespace";
	check->remedy = can_given ? NULL : queue_remedy(given);
	if (!can_given && !check->remedy)
		needs_capability(check, "NET_ADMIN", CAP_NET_ADMIN);
}

/* Finds out exactly what `run` does. */
static void check_isolation(struct doctor *doctor)
{
	AUTO_FREE char *message = NULL;
	struct isolation isolation;
	struct check *check;

	if (isolation_probe(ISOLATION_AUTO, &isolation, &message) < 0) {
		check = add(doctor, "isolation", -EPERM);
		check->found = steal_pointer(&message);
		check->consequence = "no scenario runs";
		return;
	}
	check = add(doctor, "isolation", isolation.mode == ISOLATION_PRIVATE ? 0 : -EPERM);
	if (isolation.mode == ISOLATION_PRIVATE) {
		doctor->isolation = DOCTOR_PRIVATE;
		check->found = xstrdup("a private sandbox was built");
	} else {
		doctor->isolation = DOCTOR_SHARED;
		check->found = xasprintf("shared; no private sandbox can be built: %s",
					 isolation.no_private);
		check->consequence = "scenarios share the given namespaces; those that need "
				     "private ones are skipped";
	}
	isolation_free(&isolation);
}

static void check_deaths(struct doctor *doctor, int error)
{
	struct check *check = add(doctor, "socket deaths", error);

	check->found = error ? xasprintf("no notices: %s", strerror(-error))
			     : xstrdup("the kernel reports when a client gives up");
	check->consequence = "no scenario runs: the end of an attempt can't be seen";
	if (!error)
		return;
	doctor->isolation = DOCTOR_NONE;
	check->remedy = xstrdup("modprobe tcp_diag inet_diag on the host");
}

static void check_ipv6(struct doctor *doctor, int error)
{
	struct check *check = add(doctor, "IPv6", error);

	check->found = error ? xasprintf("::1 can't be used: %s", strerror(-error))
			     : xstrdup("::1 can be used");
	check->consequence = "scenarios with families: [ipv6] are skipped";
	if (error)
		check->remedy = xstrdup("docker run --sysctl net.ipv6.conf.lo.disable_ipv6=0; or "
					"boot without ipv6.disable=1");
}

static void check_captures(struct doctor *doctor, int error)
{
	struct check *check = add(doctor, "captures", error);

	check->found = error ? xasprintf("the kernel can't log packets: %s", strerror(-error))
			     : xstrdup("packets can be captured");
	check->consequence = "no packet captures";
	if (error == -EPERM)
		needs_capability(check, "NET_ADMIN", CAP_NET_ADMIN);
	else if (error)
		check->remedy = xstrdup("modprobe nfnetlink_log nft_log on the host");
}

void doctor_check_network(struct doctor *doctor, const struct probe *probe)
{
	check_deaths(doctor, probe->deaths);
	check_ipv6(doctor, probe->ipv6);
	check_captures(doctor, probe->captures);
}

/* ---- TCP settings ---- */

static void check_schedule(struct doctor *doctor)
{
	struct syn_schedule *schedule = &doctor->schedule;
	struct check *check = add(doctor, "SYN schedule", 0);
	AUTO_STRBUF struct strbuf text = {0};

	syn_schedule_compute(sysctls_read_number("net/ipv4/tcp_syn_retries", 6),
			     sysctls_read_number("net/ipv4/tcp_syn_linear_timeouts", 0),
			     (int64_t)sysctls_read_number("net/ipv4/tcp_rto_max_ms", RTO_MAX_MS) *
				     NS_PER_MS,
			     schedule);
	strbuf_puts(&text, "SYNs at 0");
	for (size_t i = 0; i < schedule->n_retransmissions; i++)
		strbuf_printf(&text, ", %lld",
			      (long long)(schedule->retransmissions_ns[i] / NS_PER_S));
	strbuf_printf(&text, " s; ETIMEDOUT after %lld s",
		      (long long)(schedule->timeout_ns / NS_PER_S));
	check->found = strbuf_steal(&text);
}

static void check_settings(struct doctor *doctor)
{
	static const char *const names[] = {
		"tcp_syn_retries", "tcp_syn_linear_timeouts", "tcp_fastopen",
		"tcp_ecn",         "tcp_timestamps",
	};
	struct check *check = add(doctor, "sysctls", 0);
	AUTO_STRBUF struct strbuf text = {0};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		AUTO_FREE char *path = xasprintf("net/ipv4/%s", names[i]);
		uint32_t value = sysctls_read_number(path, UINT32_MAX);

		if (value == UINT32_MAX)
			continue;
		strbuf_printf(&text, "%s%s %u", text.length ? ", " : "", names[i], value);
	}
	check->found = text.length ? strbuf_steal(&text) : xstrdup("none can be read");
}

/* ---- time ---- */

static void check_clock(struct doctor *doctor)
{
	struct timespec resolution = {0};
	struct check *check;
	bool fine;

	clock_getres(CLOCK_MONOTONIC, &resolution);
	fine = resolution.tv_sec == 0 && resolution.tv_nsec <= NS_PER_MS;
	check = add(doctor, "clock", fine ? 0 : -EINVAL);
	check->found = xasprintf("steps of %ld ns", resolution.tv_nsec);
	check->consequence = "times are too coarse to be judged";
	if (!fine)
		check->remedy = xstrdup("a kernel with high-resolution timers");
}

static void check_lag(struct doctor *doctor)
{
	char median[DURATION_TEXT_SIZE], longest[DURATION_TEXT_SIZE];
	struct check *check;
	struct lag lag;

	lag_measure(LAG_DURATION_NS, &lag);
	check = add(doctor, "scheduling", lag.longest_ns <= LAG_BEARABLE_NS ? 0 : -ETIME);
	check->found =
		xasprintf("woken %s late, %s at most", duration_format(lag.median_ns, median),
			  duration_format(lag.longest_ns, longest));
	check->consequence = "time limits can't always be judged: errors, but no false failures";
	if (check->missing)
		check->remedy = xstrdup("run --timing-scale 2; fewer at once (--jobs)");
}

static void check_jobs(struct doctor *doctor)
{
	struct check *check = add(doctor, "jobs", 0);
	const size_t n_jobs = limits_default_jobs();
	const long n_processors = sysconf(_SC_NPROCESSORS_ONLN);

	check->found = xasprintf("%zu scenario%s at once, %ld processor%s", n_jobs, PLURAL(n_jobs),
				 n_processors, PLURAL(n_processors));
}

void doctor_examine(struct doctor *ret)
{
	struct doctor doctor = {0};
	struct probe own, given; /* a private namespace, and the given one */

	netns_probe_network(true, &own);
	netns_probe_network(false, &given);
	check_capabilities(&doctor);
	check_namespaces(&doctor);
	doctor_check_queues(&doctor, &own, &given);
	check_isolation(&doctor);
	doctor_check_network(&doctor, doctor.isolation == DOCTOR_PRIVATE ? &own : &given);
	check_schedule(&doctor);
	check_settings(&doctor);
	check_clock(&doctor);
	check_lag(&doctor);
	check_jobs(&doctor);
	*ret = doctor;
}

void doctor_free(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->n_checks; i++) {
		free(doctor->checks[i].found);
		free(doctor->checks[i].remedy);
	}
	free(doctor->checks);
	*doctor = (struct doctor){0};
}
