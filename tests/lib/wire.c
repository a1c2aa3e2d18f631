/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fixtures of tests on real packets: see wire.h. */
#include "tests/lib/wire.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "common/duration.h"
#include "injector/step_text.h"
#include "tests/lib/netns.h"

struct address wire_address(const char *host, uint16_t port)
{
	struct address address;

	cr_assert_eq(address_parse(host, port, &address), 0, "%s", host);
	return address;
}

int wire_listen(const struct address *address, int backlog)
{
	struct sockaddr_storage storage;
	socklen_t length = address_to_sockaddr(address, &storage);
	int fd = socket(address->family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	cr_assert_geq(fd, 0, "%s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	cr_assert_eq(bind(fd, (struct sockaddr *)&storage, length), 0, "%s", strerror(errno));
	cr_assert_eq(listen(fd, backlog), 0, "%s", strerror(errno));
	return fd;
}

void *wire_share(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	cr_assert_neq(memory, MAP_FAILED);
	return memory;
}

void wire_wait(struct event_base *base, pid_t client)
{
	int64_t end_ns = clock_monotonic_ns() + WIRE_PATIENCE_NS;
	pid_t ended;
	int status;

	while ((ended = waitpid(client, &status, WNOHANG)) == 0) {
		struct timeval moment = {.tv_usec = 5000};

		cr_assert_lt(clock_monotonic_ns(), end_ns, "the client never ended");
		event_base_loopexit(base, &moment);
		event_base_dispatch(base);
	}
	cr_assert_eq(ended, client, "%s", strerror(errno));
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the client died of 0x%x", status);
}

/* Few: what goes wrong in one of several runs has to be seen. */
enum { MAX_TRIALS = 3 };

bool wire_try(struct wire_trials *trials)
{
	bool again = trials->n == 0 || trials->problems.length > 0;

	if (again && trials->n > 0) {
		cr_assert_lt(trials->n, MAX_TRIALS, "%s", strbuf_text(&trials->problems));
		fprintf(stderr, "again: %s", strbuf_text(&trials->problems));
	}
	strbuf_free(&trials->problems);
	trials->problems = (struct strbuf){0};
	trials->n++;
	return again;
}

void wire_note_problem(struct wire_trials *trials, const char *format, ...)
{
	AUTO_FREE char *problem = NULL;
	va_list arguments;

	va_start(arguments, format);
	problem = xvasprintf(format, arguments);
	va_end(arguments);
	strbuf_printf(&trials->problems, "%s\n", problem);
}

struct script wire_script(const char *text)
{
	AUTO_FREE char *copy = xstrdup(text);
	struct script script = {0};
	struct step_error error;
	char *rest = copy;

	for (char *word = strsep(&rest, ","); word; word = strsep(&rest, ",")) {
		struct step step;

		word += strspn(word, " ");
		cr_assert_eq(step_parse(word, &step, &error), 0, "%s: %s", word, error.message);
		script_append(&script, &step);
	}
	return script;
}

struct injector *wire_inject(const struct injector_config *how, const struct address *addresses,
			     size_t n_addresses, const char *text)
{
	struct script script = wire_script(text);
	struct tracker_endpoint endpoint = {
		.addresses = addresses, .n_addresses = n_addresses, .script = &script};
	struct injector_config config = *how;
	struct diag_list diags = {0};
	struct injector *injector;
	int r;

	config.table = WIRE_TABLE;
	config.queue_number = WIRE_QUEUE;
	config.endpoints = &endpoint;
	config.n_endpoints = 1;
	r = injector_new(&config, &diags, &injector);
	if (r == -EOPNOTSUPP)
		netns_skip("%s", diags.items[0].message);
	cr_assert_eq(r, 0, "%s", diags.n_items ? diags.items[0].message : strerror(-r));
	script_free(&script);
	return injector;
}

void wire_end(struct injector *injector, struct event_base *base)
{
	injector_finish(injector);
	injector_free(injector);
	event_base_free(base);
}
