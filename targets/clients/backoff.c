/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client with exponential backoff, made of sockets alone. It retries an attempt that is refused
 * or times out. Every other error ends it at once, and so does a server that accepts without
 * answering
 * (--ask). Each round tries all targets, and all addresses of a name, before the client pauses.
 */
#include "targets/clients/retry.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <netdb.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum jitter {
	JITTER_NONE,
	JITTER_FULL,    /* between 0 and the pause */
	JITTER_EQUAL,   /* between half the pause and the pause */
	JITTER_PERCENT, /* the pause plus or minus this percentage */
	JITTER_PLUS,    /* the pause plus up to this time */
};

enum { MAX_TARGETS = 8 };

struct options {
	struct {
		char *host, *port; /* point into the argument */
	} targets[MAX_TARGETS];
	size_t n_targets;
	double base_ms, factor, cap_ms;
	enum jitter jitter;
	double percent, plus_ms;
	bool first_at_once; /* the first retry comes without a pause */
	double tries, sessions;
	double timeout_ms;
	double read_timeout_ms; /* 0: timeout_ms */
	const char *ask;        /* NULL: the client only connects */
	enum mistake mistake;
};

struct client {
	const struct options *options;
	struct addrinfo *addresses[MAX_TARGETS];
	int kept;        /* the socket of an unanswered attempt, for MISTAKE_IMPATIENT; or -1 */
	double n_before; /* pauses since the backoff was reset, before this session */
};

static void print_help(FILE *file)
{
	fputs("Usage: synfault-backoff [OPTION...] TARGET...\n"
	      "Connects; retries with exponential backoff when refused or timed out.\n"
	      "A target is HOST:PORT or [ADDRESS]:PORT; several are tried in turn each time.\n"
	      "\n"
	      "  --base MS           first pause (100)\n"
	      "  --factor F          each pause is this many times the one before (2)\n"
	      "  --cap MS            longest pause (10000)\n"
	      "  --jitter HOW        none, full, equal, N%, or +MS (none)\n"
	      "  --first-at-once     make the first retry without a pause\n"
	      "  --tries N           rounds in all (5)\n"
	      "  --sessions N        connect N times, each with all tries (1)\n"
	      "  --timeout MS        for connecting (1000)\n"
	      "  --read-timeout MS   for the answer (as --timeout)\n"
	      "  --ask TEXT          send a line, print the answer; do not retry errors there\n"
	      "  --mistake NAME      see below\n"
	      "  --help\n"
	      "\n"
	      "Exit status: 0 connected, 1 all attempts failed, 3 another error, 64 usage.\n",
	      file);
	mistake_help(file);
	fputs("  same-seed           the jitter is the same in every run\n"
	      "  wide-jitter         adds three times the jitter\n"
	      "  pauses-first        pauses before the first retry, too\n"
	      "  never-resets        its backoff keeps growing after a success\n"
	      "  slow-timeout        waits twice as long to connect\n"
	      "  slow-read           waits twice as long for the answer\n"
	      "  wrong-order         begins with the last target\n"
	      "  slow-fallback       pauses a second before the next target\n"
	      "  impatient           closes an unanswered attempt after the next has begun\n"
	      "  hands-socket-on     its child process keeps the connection\n"
	      "  slow-stop           takes 3 s to end after SIGTERM\n",
	      file);
}

static bool parse_jitter(const char *text, struct options *options)
{
	size_t length = strlen(text);
	char number[16];

	if (strcmp(text, "none") == 0)
		options->jitter = JITTER_NONE;
	else if (strcmp(text, "full") == 0)
		options->jitter = JITTER_FULL;
	else if (strcmp(text, "equal") == 0)
		options->jitter = JITTER_EQUAL;
	else if (text[0] == '+') {
		options->jitter = JITTER_PLUS;
		return parse_number(text + 1, 0, 1e9, &options->plus_ms);
	} else if (length >= 2 && length <= sizeof(number) && text[length - 1] == '%') {
		memcpy(number, text, length - 1);
		number[length - 1] = '\0';
		options->jitter = JITTER_PERCENT;
		return parse_number(number, 0, 100, &options->percent);
	} else
		return false;
	return true;
}

/* Splits HOST:PORT or [ADDRESS]:PORT in place. */
static bool parse_target(char *text, struct options *options)
{
	char *colon = strrchr(text, ':'), *host = text;

	if (!colon || colon == text || colon[1] == '\0')
		return false;
	*colon = '\0';
	if (text[0] != '[') {
		if (strchr(text, ':'))
			return false;
	} else if (colon[-1] != ']') {
		return false;
	} else {
		colon[-1] = '\0';
		host++;
	}
	options->targets[options->n_targets].host = host;
	options->targets[options->n_targets++].port = colon + 1;
	return true;
}

static bool parse_option(int option, char *value, struct options *options)
{
	switch (option) {
	case 'b':
		return parse_number(value, 0, 1e9, &options->base_ms);
	case 'f':
		return parse_number(value, 1, 1e6, &options->factor);
	case 'c':
		return parse_number(value, 0, 1e9, &options->cap_ms);
	case 'j':
		return parse_jitter(value, options);
	case 'n':
		return parse_number(value, 1, 1e9, &options->tries);
	case 's':
		return parse_number(value, 1, 1e9, &options->sessions);
	case 't':
		return parse_number(value, 1, 1e9, &options->timeout_ms);
	case 'r':
		return parse_number(value, 1, 1e9, &options->read_timeout_ms);
	case 'o':
		options->first_at_once = true;
		return true;
	case 'a':
		options->ask = value;
		return true;
	case 'm':
		return mistake_parse(value, &options->mistake);
	default:
		return false;
	}
}

/* Mistakes that come down to an option. */
static void apply_mistake(struct options *options)
{
	if (options->read_timeout_ms == 0)
		options->read_timeout_ms = options->timeout_ms;
	if (options->mistake == MISTAKE_SLOW_TIMEOUT)
		options->timeout_ms *= 2;
	if (options->mistake == MISTAKE_SLOW_READ)
		options->read_timeout_ms *= 2;
	if (options->mistake == MISTAKE_PAUSES_FIRST)
		options->first_at_once = false;
}

/* Returns -1 when there is something to do, else the exit status. */
static int parse_options(int argc, char **argv, struct options *ret)
{
	static const struct option long_options[] = {
		{"base", required_argument, NULL, 'b'},
		{"factor", required_argument, NULL, 'f'},
		{"cap", required_argument, NULL, 'c'},
		{"jitter", required_argument, NULL, 'j'},
		{"tries", required_argument, NULL, 'n'},
		{"timeout", required_argument, NULL, 't'},
		{"ask", required_argument, NULL, 'a'},
		{"mistake", required_argument, NULL, 'm'},
		{"sessions", required_argument, NULL, 's'},
		{"read-timeout", required_argument, NULL, 'r'},
		{"first-at-once", no_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option, index;

	if (!mistake_from_environment(&ret->mistake)) {
		fputs("synfault-backoff: SYNFAULT_MISTAKE names no mistake\n", stderr);
		return EXIT_USAGE;
	}
	while ((option = getopt_long(argc, argv, "", long_options, &index)) != -1) {
		if (option == 'h') {
			print_help(stdout);
			return EXIT_SUCCESS;
		}
		if (option == '?')
			return EXIT_USAGE;
		if (!parse_option(option, optarg, ret)) {
			fprintf(stderr, "synfault-backoff: bad value for --%s: %s\n",
				long_options[index].name, optarg);
			return EXIT_USAGE;
		}
	}
	for (; optind < argc; optind++) {
		if (ret->n_targets < MAX_TARGETS && parse_target(argv[optind], ret))
			continue;
		fprintf(stderr, "synfault-backoff: bad target: %s (see --help)\n", argv[optind]);
		return EXIT_USAGE;
	}
	if (ret->n_targets == 0) {
		fputs("synfault-backoff: give a HOST:PORT (see --help)\n", stderr);
		return EXIT_USAGE;
	}
	apply_mistake(ret);
	return -1;
}

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Waits for @events for at most @timeout_ms. Returns 0, or an errno (ETIMEDOUT). */
static int wait_for(int fd, short events, double timeout_ms)
{
	double deadline = now_ms() + timeout_ms;

	for (;;) {
		struct pollfd pollfd = {.fd = fd, .events = events};
		double left = deadline - now_ms();
		/* Rounded up: poll() does not return before the deadline. */
		int n = poll(&pollfd, 1, left > 0 ? (int)ceil(left) : 0);

		if (n > 0)
			return 0;
		if (n == 0 && now_ms() >= deadline)
			return ETIMEDOUT;
		if (n < 0 && errno != EINTR)
			return errno;
	}
}

/* Closes a socket that the client does not need any more, unless its mistake is not to. */
static void discard(int fd, int error, struct client *client)
{
	switch (client->options->mistake) {
	case MISTAKE_LEAKS_SOCKET:
		break;
	case MISTAKE_IMPATIENT:
		if (client->kept >= 0)
			close(client->kept);
		client->kept = error == ETIMEDOUT ? fd : -1;
		if (client->kept < 0)
			close(fd);
		break;
	default:
		close(fd);
	}
}

/* Returns a connected socket, or a negative errno. */
static int connect_address(const struct addrinfo *address, struct client *client)
{
	const struct options *options = client->options;
	int fd, error = 0;
	socklen_t length = sizeof(error);

	fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, address->ai_addr, address->ai_addrlen) < 0)
		error = errno;
	if (error == EINPROGRESS) {
		error = wait_for(fd, POLLOUT, options->timeout_ms);
		if (error == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
			error = errno;
	}
	if (error == 0)
		return fd;
	discard(fd, error, client);
	return -error;
}

/* Sends the question, prints the answer. Returns 0 or an errno (ENODATA: closed without answer). */
static int ask(int fd, const struct options *options)
{
	char answer[4096];
	ssize_t length;
	int error;

	if (dprintf(fd, "%s\n", options->ask) < 0)
		return errno;
	error = wait_for(fd, POLLIN, options->read_timeout_ms);
	if (error != 0)
		return error;
	length = read(fd, answer, sizeof(answer));
	if (length < 0)
		return errno;
	if (length == 0)
		return ENODATA;
	fwrite(answer, 1, (size_t)length, stdout);
	return 0;
}

/* Tries the addresses of one target in order. Returns as connect_address() does. */
static int connect_target(const struct addrinfo *addresses, struct client *client)
{
	int fd = -EADDRNOTAVAIL;

	for (const struct addrinfo *address = addresses; address; address = address->ai_next) {
		fd = connect_address(address, client);
		if (fd >= 0)
			break;
	}
	return fd;
}

/* Leaves a process behind that keeps the connection open. */
static void hand_on(void)
{
	if (fork() != 0)
		return;
	sleep_ms(60000);
	_exit(EXIT_SUCCESS);
}

/* Makes one round: all targets in order. The last error counts. */
static struct retry_result try_once(void *userdata)
{
	struct client *client = userdata;
	const struct options *options = client->options;
	int fd = -EADDRNOTAVAIL, error = 0;
	bool connected;

	for (size_t i = 0; fd < 0 && i < options->n_targets; i++) {
		bool backwards = options->mistake == MISTAKE_WRONG_ORDER;

		if (i > 0 && options->mistake == MISTAKE_SLOW_FALLBACK)
			sleep_ms(1000);
		fd = connect_target(client->addresses[backwards ? options->n_targets - 1 - i : i],
				    client);
	}
	connected = fd >= 0;
	if (!connected)
		error = -fd;
	else if (options->ask)
		error = ask(fd, options);
	if (connected && options->mistake == MISTAKE_HANDS_SOCKET_ON)
		hand_on();
	if (connected)
		close(fd);
	return (struct retry_result){
		.error = error != 0 ? strerror(error) : NULL,
		.transient = !connected && (error == ECONNREFUSED || error == ETIMEDOUT),
	};
}

/* Draws from [0, 1), uniformly. */
static double draw(double n, const struct options *options)
{
	uint32_t bits = 0;

	if (options->mistake == MISTAKE_SAME_SEED)
		return fmod(n * 0.618034, 1);
	if (getrandom(&bits, sizeof(bits), 0) < 0)
		bits = UINT32_MAX / 2;
	return (double)bits / 4294967296.0;
}

/* Returns the @n-th pause since the backoff was reset (from 1). */
static double nth_pause_ms(double n, const struct options *options)
{
	double wait;

	if (options->first_at_once && n == 1)
		return 0;
	wait = options->base_ms * pow(options->factor, n - 1 - options->first_at_once);
	if (options->mistake != MISTAKE_NO_CAP)
		wait = fmin(wait, options->cap_ms);
	switch (options->jitter) {
	case JITTER_FULL:
		return wait * draw(n, options);
	case JITTER_EQUAL:
		return wait / 2 + wait / 2 * draw(n, options);
	case JITTER_PERCENT:
		return wait * (1 + options->percent / 100 * (2 * draw(n, options) - 1));
	case JITTER_PLUS:
		return wait + options->plus_ms * (draw(n, options) +
						  2 * (options->mistake == MISTAKE_WIDE_JITTER));
	default:
		return wait;
	}
}

static double pause_ms(double n, void *userdata)
{
	const struct client *client = userdata;

	return nth_pause_ms(client->n_before + n, client->options);
}

/* Runs one session after the other; each success resets the backoff. */
static enum retry_status run_sessions(struct client *client, const struct retry *retry,
				      double *ret_attempts)
{
	const struct options *options = client->options;
	enum retry_status status = RETRY_DONE;

	*ret_attempts = 0;
	for (double session = 1; session <= options->sessions && status == RETRY_DONE; session++) {
		double n;

		if (session > 1) {
			/* The pause before a new session is the first one after the success. */
			if (options->mistake != MISTAKE_NEVER_RESETS)
				client->n_before = 0;
			client->n_before++;
			sleep_ms(nth_pause_ms(client->n_before, options));
		}
		status = retry_run(retry, &n);
		client->n_before += n - 1;
		*ret_attempts += n;
	}
	return status;
}

/* Returns the exit status. */
static int run(struct client *client)
{
	const struct options *options = client->options;
	struct retry retry = {
		.tries = options->tries,
		.mistake = options->mistake,
		.attempt = try_once,
		.pause_ms = pause_ms,
		.client = client,
	};
	double n;
	enum retry_status status = run_sessions(client, &retry, &n);

	if (status == RETRY_DONE && options->mistake != MISTAKE_SWALLOWS_ERROR)
		printf("connected after %.0f attempt%s\n", n, n == 1 ? "" : "s");
	return (int)status;
}

int main(int argc, char **argv)
{
	struct options options = {
		.base_ms = 100,
		.factor = 2,
		.cap_ms = 10000,
		.tries = 5,
		.sessions = 1,
		.timeout_ms = 1000,
	};
	struct client client = {.options = &options, .kept = -1};
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	int status, error = 0;

	status = parse_options(argc, argv, &options);
	if (status >= 0)
		return status;
	if (options.mistake == MISTAKE_SLOW_STOP)
		mistake_stop_slowly();
	for (size_t i = 0; error == 0 && i < options.n_targets; i++) {
		error = getaddrinfo(options.targets[i].host, options.targets[i].port, &hints,
				    &client.addresses[i]);
		if (error != 0)
			fprintf(stderr, "%s: %s\n", options.targets[i].host, gai_strerror(error));
	}
	status = error != 0 ? (int)RETRY_LET_THROUGH : run(&client);
	for (size_t i = 0; i < options.n_targets; i++)
		if (client.addresses[i])
			freeaddrinfo(client.addresses[i]);
	return status;
}
