/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds out what works in a network namespace: see netns_probe.h. */
#include "runner/doctor/netns_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "injector/nflog.h"
#include "injector/queue.h"
#include "injector/sock_diag_monitor.h"
#include "runner/sandbox/namespace.h"
#include "runner/sandbox/network.h"
#include "runner/sandbox/process.h"

/* Queues, and groups of logged packets, to try in a namespace that other programs use, too. */
enum { FIRST_QUEUE = 61000, N_QUEUES = 64 };

static void on_packet(void *userdata, const struct queued_packet *packet)
{
}

static void on_death(void *userdata, const struct socket_death *death)
{
}

static void keep_message(struct probe *probe, const struct diag_list *diags)
{
	if (!probe->message[0] && diags->n_items > 0)
		snprintf(probe->message, sizeof(probe->message), "%s",
			 diags->items[diags->n_items - 1].message);
}

/* Binds a queue whose number no other program uses. */
static int bind_queue(bool private_namespace, struct probe *probe, struct queue **ret,
		      uint16_t *ret_number)
{
	int status = -EBUSY;

	for (uint16_t i = 0; status == -EBUSY && i < N_QUEUES; i++) {
		AUTO_DIAG struct diag_list diags = {0};
		struct queue_config config = {
			.number = private_namespace ? 1 : (uint16_t)(FIRST_QUEUE + i),
			.on_packet = on_packet,
		};

		status = queue_open(&config, &diags, ret);
		*ret_number = config.number;
		if (status < 0 && (status != -EBUSY || i + 1 == N_QUEUES))
			keep_message(probe, &diags);
	}
	return status;
}

/* How long to wait until no queue holds a packet. */
enum { IDLE_TRIES = 500, IDLE_WAIT_MS = 2 };

/* Adds a table for packets that no program sends: SYNs to port 1 of an unused address. */
static int add_rules(bool private_namespace, uint16_t queue_number, struct probe *probe)
{
	const struct address unused = {.family = AF_INET, .port = 1, .bytes = {127, 255, 255, 254}};
	AUTO_FREE char *table = xasprintf("synfault-doctor-%d", (int)getpid());
	AUTO_DIAG struct diag_list diags = {0};
	struct nft_rules_config config = {
		.table = table,
		.queue_number = queue_number,
		.endpoints = &unused,
		.n_endpoints = 1,
		.owned = !private_namespace,
	};
	struct rules *rules = NULL;
	int status = nft_rules_install(&config, &diags, &rules);

	/* Before Linux 5.12 tables can't have an owner. */
	if (status == -EINVAL || (status == -EOPNOTSUPP && config.owned)) {
		config.owned = false;
		status = nft_rules_install(&config, &diags, &rules);
	}
	if (status < 0) {
		keep_message(probe, &diags);
		return status;
	}
	probe->form = nft_rules_queue_form(rules);
	/* Removing a base chain drops the packets that wait in any queue of the namespace. */
	for (int i = 0; !private_namespace && i < IDLE_TRIES && !queue_all_idle(); i++)
		poll(NULL, 0, IDLE_WAIT_MS);
	nft_rules_free(rules);
	return 0;
}

static int try_ipv6(void)
{
	const struct sockaddr_in6 loopback = {.sin6_family = AF_INET6,
					      .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	AUTO_CLOSE int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&loopback, sizeof(loopback)) < 0)
		return -errno;
	return 0;
}

/* Binds a group of logged packets, which captures need (injector/nflog.h). */
static int try_capture(void)
{
	int status = -EBUSY;

	for (uint16_t i = 0; i < N_QUEUES && status == -EBUSY; i++)
		status = nflog_probe((uint16_t)(FIRST_QUEUE + i));
	return status;
}

static int try_deaths(void)
{
	AUTO_DIAG struct diag_list diags = {0};
	struct sock_diag_monitor *deaths = NULL;
	int status = sock_diag_monitor_open(NULL, on_death, NULL, &diags, &deaths);

	if (!status)
		sock_diag_monitor_free(deaths);
	return status;
}

NORETURN static void probe_in_child(bool private_namespace, int fd)
{
	struct probe probe = {0};
	struct queue *queue = NULL;
	uint16_t number = 0;

	if (private_namespace)
		probe.namespaces = namespace_enter(0);
	/*
	 * If the private namespace could not be made, try nothing: it would happen in the given
	 * one.
	 */
	if (probe.namespaces)
		_exit(write(fd, &probe, sizeof(probe)) == (ssize_t)sizeof(probe) ? EXIT_SUCCESS
										 : EXIT_FAILURE);
	if (private_namespace)
		probe.namespaces = network_lo_up();
	probe.lo = network_lo_is_up() == 1 ? 0 : -ENETDOWN;
	probe.queue = bind_queue(private_namespace, &probe, &queue, &number);
	probe.rules = add_rules(private_namespace, number, &probe);
	if (queue)
		queue_free(queue);
	probe.deaths = try_deaths();
	probe.ipv6 = try_ipv6();
	probe.captures = try_capture();
	_exit(write(fd, &probe, sizeof(probe)) == (ssize_t)sizeof(probe) ? EXIT_SUCCESS
									 : EXIT_FAILURE);
}

static pid_t start(bool private_namespace)
{
	int pidfd = -1;
	pid_t pid = private_namespace ? namespace_fork(&pidfd) : fork();

	if (pidfd >= 0)
		close(pidfd);
	return pid < 0 && !private_namespace ? -errno : pid;
}

void netns_probe_network(bool private_namespace, struct probe *ret)
{
	struct probe probe = {.namespaces = -EIO};
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0) {
		*ret = probe;
		return;
	}
	pid = start(private_namespace);
	if (pid == 0)
		probe_in_child(private_namespace, fds[1]);
	close(fds[1]);
	if (pid < 0)
		probe.namespaces = pid;
	/* A child that could not even map its ids writes nothing. */
	else if (read(fds[0], &probe, sizeof(probe)) != (ssize_t)sizeof(probe))
		probe = (struct probe){.namespaces = -EPERM};
	close(fds[0]);
	if (pid > 0)
		process_wait(pid);
	*ret = probe;
}

int netns_probe_namespace(int kind)
{
	int wait_status;
	pid_t pid;

	if (geteuid() != 0)
		kind |= CLONE_NEWUSER;
	pid = fork();
	if (pid == 0)
		_exit(unshare(kind) < 0 ? errno : 0);
	if (pid < 0)
		return -errno;
	wait_status = process_wait(pid);
	return WIFEXITED(wait_status) ? -WEXITSTATUS(wait_status) : -EIO;
}
