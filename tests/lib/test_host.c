/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine of its own for one test: see test_host.h. */
#include "tests/lib/test_host.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <net/if.h>
#include <netdb.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* must follow the C library's header, which declares the same */
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "tests/lib/netns.h"

/* ---- making it ---- */

/* Closes the test's descriptors, for whose end its reader waits. */
static void close_all_but(int fd)
{
	if (fd > 0)
		syscall(SYS_close_range, 0, (unsigned)fd - 1, 0);
	syscall(SYS_close_range, (unsigned)fd + 1, ~0U, 0);
}

static void wait_for_end(int lifeline)
{
	char byte;

	while (read(lifeline, &byte, 1) < 0 && errno == EINTR)
		;
}

/* Removes the directory in the host's mount namespace, where it is empty, once the test has ended.
 */
static void start_janitor(const char *directory, int lifeline, int lifeline_write)
{
	pid_t pid = fork();

	cr_assert_geq(pid, 0);
	if (pid > 0)
		return;
	close(lifeline_write);
	close_all_but(lifeline);
	setsid();
	wait_for_end(lifeline);
	rmdir(directory);
	_exit(0);
}

/* The first process of the pid namespace: it adopts orphans, and the namespace ends with it. */
NORETURN static void be_init(int lifeline, int lifeline_write, int ready)
{
	close(lifeline_write);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	/* Mounts made by the test reach us, ours don't reach it, and what sandboxes leak reaches
	 * us. */
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) < 0 ||
	    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0 ||
	    write(ready, "", 1) != 1)
		_exit(1);
	close_all_but(lifeline);
	wait_for_end(lifeline);
	_exit(0);
}

static void start_init(struct test_host *host, int lifeline)
{
	int ready[2];
	char byte;

	cr_assert_eq(pipe2(ready, O_CLOEXEC), 0);
	host->init = (pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, NULL);
	if (host->init == 0)
		be_init(lifeline, host->lifeline, ready[1]);
	close(ready[1]);
	if (host->init < 0 || read(ready[0], &byte, 1) != 1)
		netns_skip("a pid namespace with its own /proc is not permitted");
	close(ready[0]);
}

static void make_directory(const struct test_host *host, const char *name, mode_t mode)
{
	AUTO_FREE char *path = xasprintf("%s/%s", host->directory, name);

	cr_assert_eq(mkdir(path, mode), 0, "%s: %s", path, strerror(errno));
	cr_assert_eq(chmod(path, mode), 0);
}

static void mount_private(const struct test_host *host)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) < 0 ||
	    mount("test", host->directory, "tmpfs", 0, "mode=0755") < 0 ||
	    mount("test", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=01777") < 0)
		netns_skip("private mounts are not permitted: %s", strerror(errno));
	make_directory(host, "bin", 0755);
	make_directory(host, "mnt", 0755);
	make_directory(host, "run", 01777);
	make_directory(host, "tmp", 01777);
	make_directory(host, "work", 0777);
}

struct test_host *test_host_new(void)
{
	struct test_host *host = xzalloc(sizeof(*host));
	int lifeline[2];

	host->directory = xstrdup("/tmp/synfault-test.XXXXXX");
	cr_assert_eq(pipe2(lifeline, O_CLOEXEC), 0);
	cr_assert(mkdtemp(host->directory), "%s: %s", host->directory, strerror(errno));
	start_janitor(host->directory, lifeline[0], lifeline[1]);
	netns_enter();
	mount_private(host);
	host->lifeline = lifeline[1];
	start_init(host, lifeline[0]);
	close(lifeline[0]);
	return host;
}

void test_host_free(struct test_host *host)
{
	close(host->lifeline);
	waitpid(host->init, NULL, 0);
	umount2(host->directory, MNT_DETACH);
	free(host->directory);
	free(host);
}

static void enter_namespace(pid_t pid, const char *name, int type)
{
	AUTO_FREE char *path = xasprintf("/proc/%d/ns/%s", pid, name);
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && setns(fd, type) == 0)
		return;
	fprintf(stderr, "%s can't be entered: %s\n", path, strerror(errno));
	abort();
}

/*
 * A process that enters a pid namespace is not in it; only its children are. So a child forks
 * inside, because this process could not leave again.
 */
static void make_sibling(const struct test_host *host, int pid_fd)
{
	pid_t pid;

	enter_namespace(host->init, "pid", CLONE_NEWPID);
	pid = (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);
	if (pid == 0)
		return;
	if (write(pid_fd, &pid, sizeof(pid)) != sizeof(pid))
		abort();
	_exit(0);
}

pid_t test_host_fork(const struct test_host *host)
{
	AUTO_FREE char *work = xasprintf("%s/work", host->directory);
	int pid_pipe[2];
	pid_t helper, pid = -1;

	cr_assert_eq(pipe2(pid_pipe, O_CLOEXEC), 0);
	helper = fork();
	cr_assert_geq(helper, 0, "fork: %s", strerror(errno));
	if (helper == 0) {
		make_sibling(host, pid_pipe[1]);
		close(pid_pipe[0]);
		close(pid_pipe[1]);
		enter_namespace(host->init, "mnt", CLONE_NEWNS);
		if (chdir(work) < 0)
			abort();
		return 0;
	}
	close(pid_pipe[1]);
	if (read(pid_pipe[0], &pid, sizeof(pid)) != sizeof(pid) || pid <= 0)
		cr_assert_fail("no process in the sandbox");
	close(pid_pipe[0]);
	waitpid(helper, NULL, 0);
	return pid;
}

void test_host_add_program(const struct test_host *host, const char *name, const char *path)
{
	AUTO_FREE char *target = xasprintf("%s/bin/%s", host->directory, name);
	AUTO_CLOSE int fd = open(target, O_CREAT | O_WRONLY | O_CLOEXEC, 0755);

	cr_assert_geq(fd, 0, "%s: %s", target, strerror(errno));
	cr_assert_eq(mount(path, target, NULL, MS_BIND, NULL), 0, "%s: %s", path, strerror(errno));
}

/* ---- describing it ---- */

struct lines {
	char **items;
	size_t n_items, capacity;
};

PRINTF(2, 3) static void add_line(struct lines *lines, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	array_append(lines->items, lines->n_items, lines->capacity, xvasprintf(format, arguments));
	va_end(arguments);
}

/* Reads a short file below /proc; NUL becomes a blank. */
static void read_text(const char *path, char *buffer, size_t size)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd >= 0 ? read(fd, buffer, size - 1) : 0;

	buffer[MAX(length, (ssize_t)0)] = '\0';
	for (ssize_t i = 0; i + 1 < length; i++)
		if (buffer[i] == '\0' || buffer[i] == '\n')
			buffer[i] = ' ';
}

/* Returns whether a process has ended, or has been killed and is about to. */
static bool is_dying(const char *proc, const char *pid)
{
	AUTO_FREE char *path = xasprintf("%s/%s/status", proc, pid);
	AUTO_FCLOSE FILE *status = fopen(path, "re");
	AUTO_FREE char *line = NULL;
	size_t size = 0;
	bool dying = false;

	while (status && getline(&line, &size, status) > 0) {
		char state = '\0';
		uint64_t pending = 0;

		if (sscanf(line, "State: %c", &state) == 1)
			dying = dying || state == 'Z' || state == 'X';
		else if (sscanf(line, "SigPnd: %" SCNx64, &pending) == 1 ||
			 sscanf(line, "ShdPnd: %" SCNx64, &pending) == 1)
			dying = dying || pending >> (SIGKILL - 1) & 1;
	}
	return dying;
}

static void describe_process(const char *proc, const char *pid, const char *own_net,
			     struct lines *lines)
{
	AUTO_FREE char *comm_path = xasprintf("%s/%s/comm", proc, pid);
	AUTO_FREE char *command_path = xasprintf("%s/%s/cmdline", proc, pid);
	AUTO_FREE char *net_path = xasprintf("%s/%s/ns/net", proc, pid);
	const char *dying = is_dying(proc, pid) ? TEST_HOST_DYING : "";
	char comm[64], command[512], net[64];
	ssize_t length = readlink(net_path, net, sizeof(net) - 1);

	read_text(comm_path, comm, sizeof(comm));
	read_text(command_path, command, sizeof(command));
	comm[strcspn(comm, "\n")] = '\0';
	if (comm[0])
		add_line(lines, "%sprocess %s %s: %s", dying, pid, comm, command);
	net[MAX(length, (ssize_t)0)] = '\0';
	if (length > 0 && strcmp(net, own_net) != 0)
		add_line(lines, "%snetwork namespace %s of process %s", dying, net, pid);
}

static void describe_processes(const struct test_host *host, struct lines *lines)
{
	AUTO_FREE char *proc = xasprintf("/proc/%d/root/proc", host->init);
	char own_net[64] = "";
	DIR *directory = opendir(proc);

	cr_assert(directory, "%s: %s", proc, strerror(errno));
	if (readlink("/proc/self/ns/net", own_net, sizeof(own_net) - 1) < 0)
		cr_assert_fail("/proc/self/ns/net: %s", strerror(errno));
	for (struct dirent *entry; (entry = readdir(directory));)
		if (atoi(entry->d_name) > 1)
			describe_process(proc, entry->d_name, own_net, lines);
	closedir(directory);
}

/* Describes a file with one line per item. */
static void describe_list(const char *what, const char *path, struct lines *lines)
{
	AUTO_FCLOSE FILE *file = fopen(path, "re");
	AUTO_FREE char *line = NULL;
	size_t size = 0;

	while (file && getline(&line, &size, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		add_line(lines, "%s %s", what, line);
	}
}

static void describe_addresses(struct lines *lines)
{
	struct ifaddrs *addresses;
	char host[NI_MAXHOST];

	cr_assert_eq(getifaddrs(&addresses), 0);
	for (struct ifaddrs *address = addresses; address; address = address->ifa_next) {
		sa_family_t family = address->ifa_addr ? address->ifa_addr->sa_family : AF_UNSPEC;
		socklen_t length = family == AF_INET ? sizeof(struct sockaddr_in)
						     : sizeof(struct sockaddr_in6);

		if (family == AF_PACKET)
			add_line(lines, "interface %s", address->ifa_name);
		else if ((family == AF_INET || family == AF_INET6) &&
			 getnameinfo(address->ifa_addr, length, host, sizeof(host), NULL, 0,
				     NI_NUMERICHOST) == 0)
			add_line(lines, "address %s on %s", host, address->ifa_name);
	}
	freeifaddrs(addresses);
}

static int describe_table(const struct nlmsghdr *message, void *userdata)
{
	struct lines *lines = userdata;
	const struct nlattr *attribute;

	mnl_attr_for_each(attribute, message, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(attribute) == NFTA_TABLE_NAME)
			add_line(lines, "netfilter table %s", mnl_attr_get_str(attribute));
	}
	return MNL_CB_OK;
}

static void describe_tables(struct lines *lines)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	char buffer[8192];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *body;
	ssize_t length;
	int r = MNL_CB_OK;

	cr_assert(socket && mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) == 0);
	request->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	request->nlmsg_seq = 1;
	body = mnl_nlmsg_put_extra_header(request, sizeof(*body));
	body->nfgen_family = AF_UNSPEC;
	cr_assert_gt(mnl_socket_sendto(socket, request, request->nlmsg_len), 0);
	while (r > MNL_CB_STOP) {
		length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
		cr_assert_gt(length, 0, "netfilter tables: %s", strerror(errno));
		r = mnl_cb_run(buffer, (size_t)length, 1, mnl_socket_get_portid(socket),
			       describe_table, lines);
	}
	mnl_socket_close(socket);
}

static void describe_files(const char *path, struct lines *lines)
{
	DIR *directory = opendir(path);

	if (!directory)
		return;
	for (struct dirent *entry; (entry = readdir(directory));) {
		AUTO_FREE char *child = xasprintf("%s/%s", path, entry->d_name);

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		add_line(lines, "file %s", child);
		if (entry->d_type == DT_DIR)
			describe_files(child, lines);
	}
	closedir(directory);
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void test_host_describe(const struct test_host *host, struct strbuf *out)
{
	static const char *const directories[] = {"tmp", "work", "mnt"};
	AUTO_FREE char *mounts = xasprintf("/proc/%d/mounts", host->init);
	AUTO_FREE char *queues = xasprintf("/proc/%d/net/netfilter/nfnetlink_queue", host->init);
	struct lines lines = {0};

	describe_processes(host, &lines);
	describe_list("mount", mounts, &lines);
	describe_list("netfilter queue", queues, &lines);
	describe_addresses(&lines);
	describe_tables(&lines);
	describe_files("/dev/shm", &lines);
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		AUTO_FREE char *path = xasprintf("%s/%s", host->directory, directories[i]);

		describe_files(path, &lines);
	}
	qsort(lines.items, lines.n_items, sizeof(*lines.items), compare_lines);
	for (size_t i = 0; i < lines.n_items; i++) {
		strbuf_printf(out, "%s\n", lines.items[i]);
		free(lines.items[i]);
	}
	free(lines.items);
}

/* Finds the parent of a process behind its name, which may contain any character. */
static pid_t parent_of(const char *pid)
{
	AUTO_FREE char *path = xasprintf("/proc/%s/stat", pid);
	char text[512];
	const char *end;
	int parent = 0;

	read_text(path, text, sizeof(text));
	end = strrchr(text, ')');
	if (!end || sscanf(end + 1, " %*c %d", &parent) != 1)
		return 0;
	return parent;
}

size_t test_host_children(pid_t parent, pid_t **ret)
{
	DIR *directory = opendir("/proc");
	pid_t *pids = NULL;
	size_t n = 0, capacity = 0;

	cr_assert(directory);
	for (struct dirent *entry; (entry = readdir(directory));)
		if (atoi(entry->d_name) > 0 && parent_of(entry->d_name) == parent)
			array_append(pids, n, capacity, atoi(entry->d_name));
	closedir(directory);
	*ret = pids;
	return n;
}
