/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets an injector up, and takes it down. It opens only what the scripts need. The rules are
 * installed last, so that nothing is queued before it is read, and removed first.
 */
#include <errno.h>

#include "common/duration.h"
#include "injector/fwmark.h"
#include "injector/injector_impl.h"

/* "SYNF": no other program is likely to use it. */
#define DEFAULT_REFUSE_MARK UINT32_C(0x53594e46)

static void on_packet(void *userdata, const struct queued_packet *packet)
{
	injector_packet(userdata, packet);
}

static void on_handed_over(void *userdata, int64_t handed_ns, int64_t done_ns)
{
	const struct injector *injector = userdata;

	outbox_handed_over(injector->outbox, handed_ns, done_ns);
}

static void on_death(void *userdata, const struct socket_death *death)
{
	injector_death(userdata, death);
}

static void queue_readable(evutil_socket_t fd, short what, void *userdata)
{
	(void)fd;
	(void)what;
	(void)injector_read_queue(userdata);
}

static void deaths_readable(evutil_socket_t fd, short what, void *userdata)
{
	(void)fd;
	(void)what;
	injector_look(userdata);
}

static int real_set_verdict(void *context, uint32_t packet_id, const struct packet_verdict *verdict)
{
	const struct injector *injector = context;

	return queue_set_verdict(injector->queue, packet_id, verdict);
}

static int64_t real_now_ns(void *context)
{
	(void)context;
	return clock_monotonic_ns();
}

/* Returns the kinds of ICMP answers that the scripts need, as bits. */
static uint32_t unreachables(const struct injector_config *config)
{
	uint32_t kinds = config->replaceable ? (1U << UNREACHABLE_N_KINDS) - 1 : 0;

	for (size_t i = 0; i < config->n_endpoints; i++) {
		const struct script *script = config->endpoints[i].script;

		for (size_t k = 0; k < script->n_steps; k++)
			if (script->steps[k].action == STEP_UNREACHABLE ||
			    script->steps[k].then_unreachable)
				kinds |= 1U << script->steps[k].unreachable;
	}
	return kinds;
}

/* What the scripts' faults of connections need. */
struct connection_needs {
	bool follows, follows_remote; /* follow connections to our own and to remote endpoints */
	bool cuts;                    /* packets may have to be cut: copy all of their data */
	bool segments;                /* … or held: one by one, not joined for the network card */
	bool cut_segments;            /* … or cut one by one */
};

static void add_needs(struct connection_needs *needs, const struct step *step, bool remote)
{
	if (flow_handling(step) == FLOW_UNTOUCHED && !step->ending)
		return;
	if (remote)
		needs->follows_remote = true;
	else
		needs->follows = true;
	if (step_slows(step)) {
		needs->segments = true;
		/* copies of packets to another host are sent later (flow_table.h) */
		needs->cuts = needs->cuts || remote;
	} else if (step_is_late(step) && remote && step->way != STALL_FROM_SERVER) {
		needs->segments = needs->cuts = true;
	} else if (step->after == AFTER_BYTES) {
		needs->cuts = true;
		/* a packet that the network card would split can't be cut within a segment */
		needs->cut_segments = needs->cut_segments || (remote && step->to_server);
	}
}

static void add_all_needs(struct connection_needs *needs, bool remote)
{
	const struct step steps[] = {
		{.action = STEP_SLOW},
		{.action = STEP_RESET, .after = AFTER_BYTES, .to_server = true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		add_needs(needs, &steps[i], remote);
}

static struct connection_needs connection_needs(const struct injector_config *config)
{
	struct connection_needs needs = {0};

	for (size_t i = 0; i < config->n_endpoints; i++) {
		const struct script *script = config->endpoints[i].script;

		if (config->replaceable)
			add_all_needs(&needs, config->endpoints[i].remote);
		for (size_t k = 0; k < script->n_steps; k++)
			add_needs(&needs, &script->steps[k], config->endpoints[i].remote);
	}
	return needs;
}

static bool follows_any(const struct injector_config *config)
{
	const struct connection_needs needs = connection_needs(config);

	return needs.follows || needs.follows_remote;
}

/* Collects the addresses of all remote endpoints, or of all others. Owned by the caller. */
static struct address *collect_addresses(const struct injector_config *config, bool remote,
					 size_t *ret_n)
{
	struct address *addresses = NULL;
	size_t n = 0, capacity = 0;

	for (size_t i = 0; i < config->n_endpoints; i++) {
		const struct tracker_endpoint *endpoint = &config->endpoints[i];

		for (size_t k = 0; endpoint->remote == remote && k < endpoint->n_addresses; k++)
			array_append(addresses, n, capacity, endpoint->addresses[k]);
	}
	*ret_n = n;
	return addresses;
}

/* Installs the rules for remote endpoints. Copies of held SYNs are sent if that is permitted. */
static int install_remote_rules(struct injector *injector, struct nft_rules_config *rules,
				const struct injector_config *config, struct diag_list *diags)
{
	AUTO_FREE struct address *addresses = collect_addresses(config, true, &rules->n_endpoints);

	rules->table = config->remote_table;
	rules->endpoints = addresses;
	rules->networks = NULL;
	rules->owned = false;
	rules->follows = connection_needs(config).follows_remote;
	rules->ends = config->want_client_ends;
	rules->repeats = false;
	rules->outgoing = true;
	(void)reinject_open(&injector->reinject);
	return nft_rules_install(rules, diags, &injector->remote_rules);
}

/* Returns whether a table of its own is all that it has: see nft_rules_config.repeats. */
static bool has_own_table(const struct injector_config *config)
{
	return !config->networks && !config->remote_table;
}

static int install_rules(struct injector *injector, const struct injector_config *config,
			 struct diag_list *diags)
{
	size_t n;
	AUTO_FREE struct address *addresses = collect_addresses(config, false, &n);
	struct nft_rules_config rules = {
		.table = config->table,
		.queue_number = config->queue_number,
		.refuse_mark = injector->config.refuse_mark,
		.unreachables = unreachables(config),
		.follows = connection_needs(config).follows,
		.ends = config->want_client_ends,
		.repeats = has_own_table(config),
		.endpoints = addresses,
		.n_endpoints = n,
		.form = config->queue_form,
		.owned = config->shared_namespace,
		.networks = config->networks,
		.part = config->part,
	};
	int r = nft_rules_install(&rules, diags, &injector->rules);

	injector->n_own = n;
	if (!r && config->remote_table)
		r = install_remote_rules(injector, &rules, config, diags);
	return r;
}

/*
 * Returns whether a client can give up an attempt, which only the death of its socket shows. A
 * refused attempt can't be given up, and the kernel's notice costs the client's processor a third
 * of what a refused connection costs. So scripts with only `refuse` work without notices.
 */
static bool needs_deaths(const struct injector_config *config)
{
	if (config->want_sockets || config->replaceable)
		return true;
	for (size_t i = 0; i < config->n_endpoints; i++)
		for (size_t k = 0; k < config->endpoints[i].script->n_steps; k++)
			if (config->endpoints[i].script->steps[k].action != STEP_REFUSE)
				return true;
	return false;
}

static int watch_deaths(struct injector *injector, const struct injector_config *config,
			struct diag_list *diags)
{
	/* Remote endpoints are not in our networks. */
	int r = sock_diag_monitor_open(config->remote_table ? NULL : config->networks, on_death,
				       injector, diags, &injector->deaths);

	if (r < 0)
		return r;
	injector->deaths_event =
		ALLOCATED(event_new(injector->config.base, sock_diag_monitor_fd(injector->deaths),
				    EV_READ | EV_PERSIST, deaths_readable, injector));
	return event_add(injector->deaths_event, NULL) < 0 ? -EIO : 0;
}

/* Opens everything. The rules come last: nothing is queued before it is read. */
static int open_all(struct injector *injector, const struct injector_config *config,
		    struct diag_list *diags)
{
	const struct connection_needs needs = connection_needs(config);
	int r = follows_any(config)
			? udp_inject_new(fwmark_udp_inject(injector->config.refuse_mark),
					 &injector->carrier)
			: 0;

	if (r < 0) {
		diag_add(diags, NULL, "can't send packets: %s", strerror(-r));
		return r;
	}

	r = queue_open(
		&(struct queue_config){
			.number = config->queue_number,
			.length = config->queue_length,
			.refuse_mark = injector->config.refuse_mark,
			.repeats = has_own_table(config),
			.whole_packets = needs.cuts,
			.single_segments = needs.segments,
			.whole_segments = needs.cut_segments,
			.on_packet = on_packet,
			.on_handed_over = on_handed_over,
			.userdata = injector,
		},
		diags, &injector->queue);
	if (r < 0)
		return r;
	injector->queue_event =
		ALLOCATED(event_new(injector->config.base, queue_fd(injector->queue),
				    EV_READ | EV_PERSIST, queue_readable, injector));
	r = needs_deaths(config) ? watch_deaths(injector, config, diags) : 0;
	if (r < 0 && r != -EIO)
		return r;
	if (r < 0 || event_add(injector->queue_event, NULL) < 0) {
		diag_add(diags, NULL,
			 "can't wait for packets: the event loop rejects their descriptor");
		return -EIO;
	}
	return install_rules(injector, config, diags);
}

int injector_new(const struct injector_config *config, struct diag_list *diags,
		 struct injector **ret)
{
	struct injector *injector = xzalloc(sizeof(*injector));

	injector->config = *config;
	if (!injector->config.refuse_mark)
		injector->config.refuse_mark = DEFAULT_REFUSE_MARK;
	injector->tracker = tracker_new(config->endpoints, config->n_endpoints, config->seed);
	if (config->kernel)
		injector->kernel = *config->kernel;
	injector_sockets_init(injector, config);
	injector->outbox = injector_outbox_new(injector, !config->kernel);
	injector->is_remote = xzalloc((config->n_endpoints + 1) * sizeof(bool));
	for (size_t i = 0; i < config->n_endpoints; i++)
		injector->is_remote[i] = config->endpoints[i].remote;
	injector_outages_init(injector, config);
	if (follows_any(config))
		injector->connections = injector_flow_table_new(injector);
	if (!config->kernel) {
		int r;

		injector->kernel.set_verdict = real_set_verdict;
		injector->kernel.now_ns = real_now_ns;
		injector->kernel.context = injector;
		r = open_all(injector, config, diags);
		if (r < 0) {
			injector_free(injector);
			return r;
		}
	}
	*ret = injector;
	return 0;
}

void injector_free(struct injector *injector)
{
	if (!injector)
		return;
	/* Remove the rules first, so that no SYN is lost in between. */
	nft_rules_free(injector->rules);
	nft_rules_free(injector->remote_rules);
	injector->rules = injector->remote_rules = NULL;
	injector_leave(injector);
}

void injector_leave(struct injector *injector)
{
	if (!injector)
		return;
	injector_outages_deinit(injector);
	outbox_free(injector->outbox);
	if (injector->queue_event)
		event_free(injector->queue_event);
	if (injector->deaths_event)
		event_free(injector->deaths_event);
	nft_rules_leave(injector->rules);
	nft_rules_leave(injector->remote_rules);
	reinject_free(injector->reinject);
	queue_free(injector->queue);
	sock_diag_monitor_free(injector->deaths);
	flow_table_free(injector->connections);
	udp_inject_free(injector->carrier);
	injector_sockets_deinit(injector);
	tracker_free(injector->tracker);
	free(injector->is_remote);
	free(injector);
}
