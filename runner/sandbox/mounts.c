/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a sandbox's client sees of the file system: see mounts.h. */
#include "runner/sandbox/mounts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "common/files.h"
#include "runner/sandbox/network.h"

/* From linux/mount.h, which some C libraries don't let us include beside sys/mount.h. */
enum {
	SYNFAULT_OPEN_TREE_CLONE = 1,
	SYNFAULT_MOVE_MOUNT_F_EMPTY_PATH = 4,
};

/* Precedence of the first address in /etc/gai.conf: above all that glibc has (RFC 6724, 2.1). */
enum { FIRST_PRECEDENCE = 1000000 };

static const char *const device_nodes[] = {"null", "zero", "full", "random", "urandom", "tty"};

/* Returns a detached copy of the mount of one file, to be attached elsewhere. */
static int clone_file(const char *path)
{
	return (int)syscall(SYS_open_tree, AT_FDCWD, path, SYNFAULT_OPEN_TREE_CLONE | O_CLOEXEC);
}

static int attach_file(int tree, const char *path)
{
	AUTO_CLOSE int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);

	if (fd < 0 ||
	    syscall(SYS_move_mount, tree, "", AT_FDCWD, path, SYNFAULT_MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	return 0;
}

/* Attaches device_nodes, opened before the new /dev hid them; -1 for one that the host lacks. */
static int fill_dev(const int trees[static ARRAY_SIZE(device_nodes)])
{
	for (size_t i = 0; i < ARRAY_SIZE(device_nodes); i++) {
		char path[64];
		int status;

		snprintf(path, sizeof(path), "/dev/%s", device_nodes[i]);
		status = trees[i] >= 0 ? attach_file(trees[i], path) : 0;
		if (status < 0)
			return status;
	}
	if (symlink("/proc/self/fd", "/dev/fd") < 0 || symlink("fd/0", "/dev/stdin") < 0 ||
	    symlink("fd/1", "/dev/stdout") < 0 || symlink("fd/2", "/dev/stderr") < 0 ||
	    mkdir("/dev/shm", 01777) < 0 || chmod("/dev/shm", 01777) < 0 ||
	    mkdir("/dev/pts", 0755) < 0 || symlink("pts/ptmx", "/dev/ptmx") < 0)
		return -errno;
	/* May fail: then a client that asks for a terminal fails as in a bare container. */
	mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
	      "newinstance,ptmxmode=0666,mode=620");
	return 0;
}

static int mount_dev(void)
{
	int trees[ARRAY_SIZE(device_nodes)], status = 0;

	for (size_t i = 0; i < ARRAY_SIZE(device_nodes); i++) {
		char path[64];

		snprintf(path, sizeof(path), "/dev/%s", device_nodes[i]);
		trees[i] = clone_file(path);
		if (trees[i] < 0 && errno != ENOENT)
			status = -errno;
	}
	if (!status && mount("tmpfs", "/dev", "tmpfs", MS_NOSUID, "mode=0755") < 0)
		status = -errno;
	if (!status)
		status = fill_dev(trees);
	for (size_t i = 0; i < ARRAY_SIZE(device_nodes); i++)
		if (trees[i] >= 0)
			close(trees[i]);
	return status;
}

/* Mounts a text over the file at @path, in this mount namespace. */
static int replace_file(const char *path, const struct strbuf *text)
{
	static const char staging[] = "/dev/shm/replacement";
	AUTO_CLOSE int fd = open(staging, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
	int status;

	if (fd < 0)
		return -errno;
	status = fchmod(fd, 0644) < 0 ? -errno : write_all(fd, strbuf_text(text), text->length);
	if (!status && mount(staging, path, NULL, MS_BIND, NULL) < 0)
		status = -errno;
	/* The mount keeps the file, and the client must not see it. */
	unlink(staging);
	return status;
}

static void append_file(const char *path, struct strbuf *text)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)file_read(fd, SIZE_MAX, text);
	if (text->length && text->data[text->length - 1] != '\n')
		strbuf_putc(text, '\n');
}

/*
 * Returns whether one of the first @n endpoints with a hostname has the address. @hostname: only
 * endpoints of that name; NULL: all.
 */
static bool has_address(const struct scenario *scenario, size_t n, const struct address *address,
			const char *hostname)
{
	for (size_t i = 0; i < n; i++) {
		const struct endpoint_spec *spec = &scenario->endpoints[i];

		if (!spec->hostname || (hostname && strcmp(spec->hostname, hostname) != 0))
			continue;
		for (size_t f = 0; f < spec->n_families; f++) {
			struct address other = network_endpoint_address(spec, f, 0);

			if (address_equal(&other, address))
				return true;
		}
	}
	return false;
}

/*
 * Returns whether glibc finds the address under the name through another line: it takes ::1 for
 * 127.0.0.1, too (nss/nss_files/files-hosts.c). With both lines the client would try that address
 * twice.
 */
static bool is_implied(const struct scenario *scenario, const struct address *address,
		       const char *hostname)
{
	const struct address ipv4 = {.family = AF_INET, .bytes = {127, 0, 0, 1}};
	const struct address ipv6 = {.family = AF_INET6, .bytes = {[15] = 1}};

	return address_equal(address, &ipv4) && access("/etc/host.conf", F_OK) == 0 &&
	       has_address(scenario, scenario->n_endpoints, &ipv6, hostname);
}

/* The endpoints' names come first, so that the host's own file can't override them. */
static int mount_hosts(const struct scenario *scenario)
{
	AUTO_STRBUF struct strbuf text = {0};

	for (size_t i = 0; i < scenario->n_endpoints; i++) {
		const struct endpoint_spec *spec = &scenario->endpoints[i];

		for (size_t f = 0; spec->hostname && f < spec->n_families; f++) {
			char host[INET6_ADDRSTRLEN];
			struct address address = network_endpoint_address(spec, f, 0);

			if (has_address(scenario, i, &address, spec->hostname))
				continue;
			/* With a trailing dot, glibc ignores it, and Go's resolver uses it. */
			strbuf_printf(&text, "%s %s%s\n", address_format_host(&address, host),
				      spec->hostname,
				      is_implied(scenario, &address, spec->hostname) ? "." : "");
		}
	}
	if (!text.length)
		return 0;
	append_file("/etc/hosts", &text);
	return replace_file("/etc/hosts", &text);
}

/* Writes a host.conf(5): without "multi on", glibc uses one line of each family in /etc/hosts. */
static int mount_host_conf(const struct scenario *scenario)
{
	AUTO_STRBUF struct strbuf text = {0};
	bool has_names = false;

	for (size_t i = 0; i < scenario->n_endpoints; i++)
		has_names = has_names || scenario->endpoints[i].hostname;
	if (!has_names || access("/etc/host.conf", F_OK) < 0)
		return 0;
	append_file("/etc/host.conf", &text);
	strbuf_puts(&text, "multi on\n");
	return replace_file("/etc/host.conf", &text);
}

/* Returns whether getaddrinfo() would change the order of the addresses: it puts IPv6 first. */
static bool needs_order(const struct scenario *scenario)
{
	for (size_t i = 0; i < scenario->n_endpoints; i++) {
		const struct endpoint_spec *spec = &scenario->endpoints[i];

		for (size_t f = 1; spec->hostname && f < spec->n_families; f++)
			if (spec->families[f] == FAMILY_IPV6 &&
			    spec->families[f - 1] == FAMILY_IPV4)
				return true;
	}
	return false;
}

/*
 * getaddrinfo() sorts IPv6 before IPv4 (RFC 6724, 2.1), whichever order /etc/hosts has. A scenario
 * that wants another order gets a table in which each of its addresses has its own precedence.
 */
static int mount_address_order(const struct scenario *scenario)
{
	AUTO_STRBUF struct strbuf text = {0};
	int precedence = FIRST_PRECEDENCE;

	if (!needs_order(scenario) || access("/etc/gai.conf", F_OK) < 0)
		return 0;
	for (size_t i = 0; i < scenario->n_endpoints; i++) {
		const struct endpoint_spec *spec = &scenario->endpoints[i];

		for (size_t f = 0; spec->hostname && f < spec->n_families; f++) {
			struct address address = network_endpoint_address(spec, f, 0);
			char host[INET6_ADDRSTRLEN];

			if (has_address(scenario, i, &address, NULL))
				continue;
			strbuf_printf(&text, "precedence %s%s/128 %d\n",
				      address.family == AF_INET ? "::ffff:" : "",
				      address_format_host(&address, host), precedence--);
		}
	}
	strbuf_puts(&text, "precedence ::1/128 50\nprecedence ::/0 40\nprecedence 2002::/16 30\n"
			   "precedence ::/96 20\nprecedence ::ffff:0:0/96 10\n");
	return replace_file("/etc/gai.conf", &text);
}

/* Keeps later mounts from reaching the host. Returns 0, or a negative errno: -EINVAL in a chroot.
 */
static int detach_mounts(struct diag_list *diags)
{
	int status;

	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0)
		return 0;
	status = -errno;
	diag_add(diags, NULL, "mounts of a sandbox can't be kept from the machine: %s",
		 status == -EINVAL ? "the root directory is not a mount point (a chroot?)"
				   : strerror(-status));
	if (status == -EINVAL)
		diag_hint(diags, "bind-mount the directory onto itself before chroot, or use a "
				 "container");
	return status;
}

int mounts_setup(const struct scenario *scenario, struct diag_list *diags)
{
	const char *what = "/dev";
	int status = detach_mounts(diags);

	if (status < 0)
		return status;
	mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	status = mount_dev();
	if (!status) {
		what = MOUNTS_TMP;
		status = mkdir(MOUNTS_TMP, 0700) < 0 ? -errno : 0;
	}
	if (!status) {
		what = "/etc/hosts";
		status = mount_hosts(scenario);
	}
	if (!status) {
		what = "/etc/host.conf";
		status = mount_host_conf(scenario);
	}
	if (!status) {
		what = "/etc/gai.conf";
		status = mount_address_order(scenario);
	}
	/* The host's name service daemon would answer with the host's names: hide it. */
	if (!status && !access("/run/nscd/socket", F_OK))
		mount("tmpfs", "/run/nscd", "tmpfs", MS_NOSUID, NULL);
	if (status < 0)
		diag_add(diags, NULL, "the sandbox's %s can't be set up: %s", what,
			 strerror(-status));
	return status;
}

int mounts_seal_sysctls(void)
{
	if (mount("/proc/sys", "/proc/sys", NULL, MS_BIND, NULL) < 0 ||
	    mount(NULL, "/proc/sys", NULL,
		  MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return -errno;
	return 0;
}
