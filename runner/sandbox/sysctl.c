/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's TCP settings for a sandbox: see sysctl.h. */
#include "runner/sandbox/sysctl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

/* Bytes of a value. */
enum { VALUE_SIZE = 1024 };

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

/* Reads a writable sysctl. Returns false for any other. */
static bool read_value(int sysctls, const char *name, char value[static VALUE_SIZE])
{
	AUTO_CLOSE int fd = openat(sysctls, name, O_RDONLY | O_CLOEXEC);
	struct stat status;
	ssize_t length;

	if (fd < 0 || fstat(fd, &status) < 0 || !(status.st_mode & S_IWUSR))
		return false;
	length = read(fd, value, VALUE_SIZE - 1);
	if (length <= 0)
		return false;
	while (length > 0 && value[length - 1] == '\n')
		length--;
	value[length] = '\0';
	return true;
}

static void look_at(int sysctls, const char *name, sysctl_look_fn look, void *userdata)
{
	char value[VALUE_SIZE];

	if (read_value(sysctls, name, value))
		look(userdata, name, value);
}

void sysctls_look(sysctl_look_fn look, void *userdata)
{
	AUTO_CLOSE int sysctls = open("/proc/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;
	DIR *directory;
	int fd;

	if (sysctls < 0)
		return;
	look_at(sysctls, "net/core/somaxconn", look, userdata);
	look_at(sysctls, "net/ipv4/ip_local_port_range", look, userdata);
	look_at(sysctls, "net/mptcp/enabled", look, userdata);
	fd = openat(sysctls, "net/ipv4", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	directory = fd >= 0 ? fdopendir(fd) : NULL;
	while (directory && (entry = readdir(directory))) {
		char name[sizeof("net/ipv4/") + NAME_MAX];

		if (strncmp(entry->d_name, "tcp_", 4) != 0 || is_unwanted(entry->d_name))
			continue;
		snprintf(name, sizeof(name), "net/ipv4/%s", entry->d_name);
		look_at(sysctls, name, look, userdata);
	}
	if (directory)
		closedir(directory);
	else if (fd >= 0)
		close(fd);
}

static void add_setting(void *userdata, const char *name, const char *value)
{
	struct sysctls *settings = userdata;

	array_append(settings->items, settings->n_items, settings->capacity,
		     (struct sysctl){.name = xstrdup(name), .value = xstrdup(value)});
}

static int compare_settings(const void *a, const void *b)
{
	return strcmp(((const struct sysctl *)a)->name, ((const struct sysctl *)b)->name);
}

void sysctls_read(struct sysctls *ret)
{
	struct sysctls settings = {0};

	sysctls_look(add_setting, &settings);
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
	char value[VALUE_SIZE];

	return sysctls >= 0 && read_value(sysctls, name, value) ? (uint32_t)strtoul(value, NULL, 10)
								: otherwise;
}

bool sysctls_has(const char *name, const char *value)
{
	AUTO_CLOSE int sysctls = open("/proc/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char actual[VALUE_SIZE];
	const char *a = actual, *b = value;

	if (sysctls < 0 || !read_value(sysctls, name, actual))
		return false;
	while (*a && *b) {
		size_t length = strcspn(a, " \t");

		if (length != strcspn(b, " \t") || strncmp(a, b, length) != 0)
			return false;
		a += length;
		b += length;
		a += strspn(a, " \t");
		b += strspn(b, " \t");
	}
	return !*a && !*b;
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
