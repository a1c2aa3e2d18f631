/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How sandboxes are kept apart: see isolation.h. */
#include "runner/sandbox/isolation.h"

#include <errno.h>
#include <linux/capability.h>

#include "runner/sandbox/capability_hint.h"
#include "runner/sandbox/netns_tables.h"
#include "runner/sandbox/network.h"
#include "runner/sandbox/private_probe.h"
#include "runner/sandbox/shared_sandbox.h"

/* How to switch IPv6 on where containers are started. */
#define GIVE_IPV6                                                                                  \
	"docker or podman: run --sysctl net.ipv6.conf.lo.disable_ipv6=0 --sysctl "                 \
	"net.ipv6.conf.all.disable_ipv6=0"

const char *isolation_mode_name(enum isolation_mode mode)
{
	static const char *const names[] = {
		[ISOLATION_AUTO] = "auto",
		[ISOLATION_PRIVATE] = "private",
		[ISOLATION_SHARED] = "shared",
	};
	_Static_assert(ARRAY_SIZE(names) == ISOLATION_N_MODES, "each has a name");

	return names[mode];
}

/* Joins the diagnostics into one sentence. */
static char *sentence(const struct diag_list *diags)
{
	struct strbuf text = {0};

	for (size_t i = 0; i < diags->n_items; i++)
		strbuf_printf(&text, "%s%s%s%s", i ? "; " : "", diags->items[i].message,
			      diags->items[i].hint ? "; " : "",
			      diags->items[i].hint ? diags->items[i].hint : "");
	return strbuf_steal(&text);
}

static char *explain_no_ipv6(int status)
{
	if (status == -EACCES)
		return xasprintf("IPv6 is switched off here; " GIVE_IPV6);
	if (status == -EOPNOTSUPP || status == -EAFNOSUPPORT || status == -EINVAL)
		return xasprintf("the kernel has no IPv6");
	return xasprintf("no IPv6 address can be added to lo: %s", strerror(-status));
}

/* Sets up a sandbox's network once, without endpoints or client. */
static int try_shared(struct shared_sandbox *sandbox, struct isolation *isolation,
		      struct diag_list *diags)
{
	const struct address ipv4 = shared_sandbox_address(sandbox->number, 0, FAMILY_IPV4, 1);
	const struct address ipv6 = shared_sandbox_address(sandbox->number, 0, FAMILY_IPV6, 0);
	const struct nft_rules_config config = {
		.table = SPACE_TABLE,
		.queue_number = sandbox->queue,
		.refuse_mark = sandbox->mark,
		.endpoints = &ipv4,
		.n_endpoints = 1,
		.networks = &sandbox->networks,
		.part = sandbox->number,
	};
	struct rules *rules;
	int status = nft_rules_install(&config, diags, &rules);

	if (status < 0)
		return status;
	isolation->queue_form = nft_rules_queue_form(rules);
	/* The run removes these with those of its sandboxes: on its own that would take 10 ms. */
	nft_rules_leave(rules);
	status = network_change_addresses(&ipv6, 1, true);
	if (status < 0)
		isolation->no_ipv6 = explain_no_ipv6(status);
	else
		(void)network_change_addresses(&ipv6, 1, false);
	return 0;
}

static int probe_shared(struct isolation *ret, char **ret_message)
{
	struct isolation isolation = {.mode = ISOLATION_SHARED};
	AUTO_DIAG struct diag_list diags = {0};
	struct shared_sandbox *sandbox;
	int status;

	if (network_lo_is_up() != 1) {
		*ret_message = xstrdup("the interface lo is not up; ip link set lo up");
		return -ENETDOWN;
	}
	isolation.space = netns_tables_enter(&diags);
	status = isolation.space < 0 ? isolation.space
				     : shared_sandbox_open((uint32_t)getpid(), &diags, &sandbox);
	if (!status) {
		status = try_shared(sandbox, &isolation, &diags);
		shared_sandbox_close(sandbox);
	}
	if (!status)
		*ret = isolation;
	else
		netns_tables_leave(isolation.space);
	if (!status)
		return 0;
	if (status == -EPERM)
		*ret_message = capability_hint_sentence(CAP_NET_ADMIN, "NET_ADMIN");
	else
		*ret_message = sentence(&diags);
	return status;
}

static int probe_private(struct isolation *ret, char **ret_message)
{
	struct private_traits traits;
	int status = private_probe(&traits, ret_message);

	if (!status)
		*ret = (struct isolation){.mode = ISOLATION_PRIVATE,
					  .space = -1,
					  .queue_form = traits.queue_form,
					  .settings = traits.settings};
	return status;
}

/* Returns whether an error says that the machine is short of something now, not what it can do. */
static bool is_shortage(int status)
{
	return status == -EAGAIN || status == -ENOMEM || status == -EMFILE || status == -ENFILE;
}

int isolation_probe(enum isolation_mode wanted, struct isolation *ret, char **ret_message)
{
	AUTO_FREE char *not_private = NULL, *not_shared = NULL;
	int status = -EPERM;

	if (wanted != ISOLATION_SHARED)
		status = probe_private(ret, &not_private);
	if (status == -EINTR) {
		*ret_message = steal_pointer(&not_private);
		return status;
	}
	if (status < 0 && wanted != ISOLATION_PRIVATE && !is_shortage(status))
		status = probe_shared(ret, &not_shared);
	if (is_shortage(status)) {
		*ret_message = xasprintf("what can run here could not be found out: %s",
					 strerror(-status));
		return -EINTR;
	}
	if (!status && not_private)
		ret->no_private = steal_pointer(&not_private);
	/* Reports only once what the kernel lacks for both. */
	if (status < 0 && not_private && not_shared && strcmp(not_private, not_shared) != 0)
		*ret_message = xasprintf("%s; or: %s", not_shared, not_private);
	else if (status < 0)
		*ret_message =
			not_shared ? steal_pointer(&not_shared) : steal_pointer(&not_private);
	return status;
}

void isolation_add_shared(struct isolation *isolation)
{
	struct isolation shared = {.space = -1};

	if (isolation->mode != ISOLATION_PRIVATE || isolation->space >= 0)
		return;
	free(isolation->no_shared);
	isolation->no_shared = NULL;
	if (probe_shared(&shared, &isolation->no_shared) < 0)
		return;
	isolation->space = shared.space;
	isolation->no_ipv6 = shared.no_ipv6;
}

bool isolation_is_shared(const struct isolation *isolation, const struct scenario *scenario)
{
	return isolation->mode == ISOLATION_SHARED || scenario_has_remote(scenario);
}

char *isolation_note(const struct isolation *isolation)
{
	if (isolation->mode == ISOLATION_PRIVATE)
		return NULL;
	if (!isolation->no_private)
		return xstrdup("shared isolation");
	return xasprintf("shared isolation (%s)", isolation->no_private);
}

void isolation_free(struct isolation *isolation)
{
	if (isolation->mode != ISOLATION_AUTO)
		netns_tables_leave(isolation->space);
	sysctls_free(&isolation->settings);
	free(isolation->no_private);
	free(isolation->no_ipv6);
	free(isolation->no_shared);
	*isolation = (struct isolation){0};
}

char *isolation_obstacle(const struct isolation *isolation, const struct scenario *scenario)
{
	if (!isolation_is_shared(isolation, scenario))
		return NULL;
	if (isolation->space < 0)
		return xasprintf(
			"a remote endpoint needs shared isolation, since a private network "
			"namespace has no route to it: %s",
			isolation->no_shared ? isolation->no_shared
					     : "leave out --isolation private");
	for (size_t i = 0; i < scenario->n_endpoints; i++)
		if (endpoint_has_literal(&scenario->endpoints[i]))
			return xasprintf("the addresses of endpoint %s need private isolation "
					 "(CAP_SYS_ADMIN): in a shared network namespace they "
					 "may belong to another program",
					 scenario->endpoints[i].name);
	if (scenario_n_slots(scenario) > SHARED_MAX_SLOTS)
		return xasprintf("more than %d addresses need private isolation (CAP_SYS_ADMIN)",
				 SHARED_MAX_SLOTS);
	for (size_t i = 0; i < scenario->n_kernel; i++)
		if (!sysctls_has(scenario->kernel[i].path, scenario->kernel[i].value))
			return xasprintf(
				"the kernel setting %s is not %s here: changing it needs private "
				"isolation (CAP_SYS_ADMIN), since all processes of a shared "
				"network "
				"namespace have the same",
				strrchr(scenario->kernel[i].path, '/') + 1,
				scenario->kernel[i].value);
	for (size_t i = 0; i < scenario->n_endpoints; i++) {
		const struct endpoint_spec *endpoint = &scenario->endpoints[i];

		if (endpoint->hostname)
			return xasprintf("the hostname of endpoint %s needs private isolation "
					 "(CAP_SYS_ADMIN): it can't be added to /etc/hosts in a "
					 "shared mount namespace",
					 endpoint->name);
		if (isolation->no_ipv6 && !endpoint->remote &&
		    endpoint_has_family(endpoint, FAMILY_IPV6))
			return xasprintf("endpoint %s has an IPv6 address, but %s", endpoint->name,
					 isolation->no_ipv6);
	}
	return NULL;
}
