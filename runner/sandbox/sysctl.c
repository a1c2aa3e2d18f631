/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's TCP settings for a sandbox: see sysctl.h. */
#include "runner/sandbox/sysctl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

/* Names below /proc/sys/net/ipv4 that are secret, or useless in another namespace. */
static bool is_unwanted(const char *name)
{
	static const char *const unwanted[] = {
		"tcp_fastopen_key",  "tcp_available_congestion_control",
		"tcp_available_ulp", "tcp_ehash_entries",
		"tcp_mem",
	};

	for (size_t i = 0; i < ARRAY_SIZE(unwanted); i++)
		if (!strcmp(name, unwanted[i]))
			return true;
	return false;
}

/* A handshake depends on these: without them a sandbox differs from the host. */
static bool decides_on_handshake(const char *name)
{
	static const char *const deciding[] = {
		"net/ipv4/tcp_syn_retries",
		"net/ipv4/tcp_syn_linear_timeouts",
		"net/ipv4/tcp_synack_retries",
		"net/ipv4/tcp_fastopen",
		"net/ipv4/tcp_ecn",
		"net/ipv4/tcp_timestamps",
	};

	for (size_t i = 0; i < ARRAY_SIZE(deciding); i++)
		if (!strcmp(name, deciding[i]))
			return true;
	return false;
}

/* Reads a writable sysctl; returns NULL for any other. Owned by the caller. */
static char *read_value(int sysctls, const char *name)
{
	AUTO_CLOSE int fd = openat(sysctls, name, O_RDONLY | O_CLOEXEC);
	struct stat status;
	char value[1024];
	ssize_t length;

	if (fd < 0 || fstat(fd, &status) < 0 || !(status.st_mode & S_IWUSR))
		return NULL;
	length = read(fd, value, sizeof(value) - 1);
	if (length <= 0)
		return NULL;
	while (length > 0 && value[length - 1] == '\n')
		length--;
	return xstrndup(value, (size_t)length);
}

static void add_setting(struct sysctls *settings, int sysctls, const char *name)
{
	char *value = read_value(sysctls, name);

	if (value)
		array_append(settings->items, settings->n_items, settings->capacity,
			     (struct sysctl){.name = xstrdup(name), .value = value});
}

static int compare_settings(const void *a, const void *b)
{
	return strcmp(((const struct sysctl *)a)->name, ((const struct sysctl *)b)->name);
}

void sysctls_read(struct sysctls *ret)
{
	AUTO_CLOSE int sysctls = open("/proc/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct sysctls settings = {0};
	struct dirent *entry;
	DIR *directory;
	int fd;

	if (sysctls >= 0) {
		add_setting(&settings, sysctls, "net/core/somaxconn");
		add_setting(&settings, sysctls, "net/ipv4/ip_local_port_range");
		add_setting(&settings, sysctls, "net/mptcp/enabled");
		fd = openat(sysctls, "net/ipv4", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		directory = fd >= 0 ? fdopendir(fd) : NULL;
		while (directory && (entry = readdir(directory))) {
			char name[sizeof("net/ipv4/") + NAME_MAX];

			if (strncmp(entry->d_name, "tcp_", 4) != 0 || is_unwanted(entry->d_name))
				continue;
			snprintf(name, sizeof(name), "net/ipv4/%s", entry->d_name);
			add_setting(&settings, sysctls, name);
		}
		if (directory)
			closedir(directory);
		else if (fd >= 0)
			close(fd);
	}
	if (settings.n_items)
		qsort(settings.items, settings.n_items, sizeof(*settings.items), compare_settings);
	*ret = settings;
}

void sysctls_difference(const struct sysctls *wanted, const struct sysctls *fresh,
			struct sysctls *ret)
{
	struct sysctls difference = {0};

	for (size_t i = 0; fresh->n_items && i < wanted->n_items; i++) {
		const struct sysctl *want = &wanted->items[i];
		const struct sysctl *have = bsearch(want, fresh->items, fresh->n_items,
						    sizeof(*fresh->items), compare_settings);

		if (!have || !strcmp(have->value, want->value))
			continue;
		array_append(difference.items, difference.n_items, difference.capacity,
			     (struct sysctl){.name = xstrdup(want->name),
					     .value = xstrdup(want->value)});
	}
	*ret = difference;
}

int sysctls_write(const struct sysctls *settings, const char **ret_failed)
{
	AUTO_CLOSE int sysctls = -1;

	if (!settings->n_items)
		return 0;
	sysctls = open("/proc/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < settings->n_items; i++) {
		const struct sysctl *setting = &settings->items[i];
		AUTO_CLOSE int fd = openat(sysctls, setting->name, O_WRONLY | O_CLOEXEC);
		size_t length = strlen(setting->value);

		if (fd >= 0 && write(fd, setting->value, length) == (ssize_t)length)
			continue;
		if (decides_on_handshake(setting->name)) {
			*ret_failed = setting->name;
			return errno ? -errno : -EIO;
		}
	}
	return 0;
}

int sysctls_write_one(const char *name, const char *value)
{
	AUTO_CLOSE int sysctls = open("/proc/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSE int fd = sysctls < 0 ? -1 : openat(sysctls, name, O_WRONLY | O_CLOEXEC);
	size_t length = strlen(value);
	ssize_t written;

	if (fd < 0)
		return -errno;
	written = write(fd, value, length);
	/* A value that names something the kernel lacks also gives ENOENT. */
	if (written < 0)
		return errno == ENOENT ? -EINVAL : -errno;
	return (size_t)written == length ? 0 : -EINVAL;
}

uint32_t sysctls_read_number(const char *name, uint32_t otherwise)
{
	AUTO_CLOSE int sysctls = open("/proc/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO_FREE char *value = sysctls >= 0 ? read_value(sysctls, name) : NULL;

	return value ? (uint32_t)strtoul(value, NULL, 10) : otherwise;
}

bool sysctls_has(const char *name, const char *value)
{
	AUTO_CLOSE int sysctls = open("/proc/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO_FREE char *actual = sysctls >= 0 ? read_value(sysctls, name) : NULL;
	const char *a = actual, *b = value;

	while (a && *a && *b) {
		size_t length = strcspn(a, " \t");

		if (length != strcspn(b, " \t") || strncmp(a, b, length) != 0)
			return false;
		a += length;
		b += length;
		a += strspn(a, " \t");
		b += strspn(b, " \t");
	}
	return a && !*a && !*b;
}

void sysctls_free(struct sysctls *settings)
{
	for (size_t i = 0; i < settings->n_items; i++) {
		free(settings->items[i].name);
		free(settings->items[i].value);
	}
	free(settings->items);
	*settings = (struct sysctls){0};
}
