/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A libcurl client with its own retry loop. It retries only a refused connection:
 * CURLE_COULDNT_CONNECT just means that connecting failed, so the loop also looks at the operating
 * system's error.
 */
#include "targets/clients/retry.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct options {
	const char *url;
	double tries, delay_ms, timeout_ms;
	bool retry_timeouts;
	enum mistake mistake;
};

struct client {
	const struct options *options;
	CURL *curl;
	char error_text[CURL_ERROR_SIZE];
};

static void print_help(FILE *file)
{
	fputs("Usage: synfault-curl-retry [OPTION...] URL\n"
	      "Prints what is at the URL; retries a refused connection.\n"
	      "\n"
	      "  --tries N         attempts in all (5)\n"
	      "  --delay MS        between them (2000)\n"
	      "  --timeout MS      for each, from connecting to the last byte (5000)\n"
	      "  --retry-timeouts  retry what timed out, too\n"
	      "  --mistake NAME    see below\n"
	      "  --help\n"
	      "\n"
	      "Exit status: 0 fetched, 1 all attempts failed, 3 another error, 64 usage.\n",
	      file);
	mistake_help(file);
	fputs("leaks-socket makes no sense without --retry-timeouts: no attempt follows then.\n"
	      "For no-cap the delay is doubled each time.\n",
	      file);
}

static bool parse_option(int option, const char *value, struct options *options)
{
	switch (option) {
	case 'n':
		return parse_number(value, 1, 1e9, &options->tries);
	case 'd':
		return parse_number(value, 0, 1e9, &options->delay_ms);
	case 't':
		return parse_number(value, 1, 1e9, &options->timeout_ms);
	case 'r':
		options->retry_timeouts = true;
		return true;
	case 'm':
		return mistake_parse(value, &options->mistake);
	default:
		return false;
	}
}

/* Returns -1 when there is something to do, else the exit status. */
static int parse_options(int argc, char **argv, struct options *ret)
{
	static const struct option long_options[] = {
		{"tries", required_argument, NULL, 'n'},
		{"delay", required_argument, NULL, 'd'},
		{"timeout", required_argument, NULL, 't'},
		{"retry-timeouts", no_argument, NULL, 'r'},
		{"mistake", required_argument, NULL, 'm'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option, index;

	if (!mistake_from_environment(&ret->mistake)) {
		fputs("synfault-curl-retry: SYNFAULT_MISTAKE names no mistake\n", stderr);
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
			fprintf(stderr, "synfault-curl-retry: bad value for --%s: %s\n",
				long_options[index].name, optarg);
			return EXIT_USAGE;
		}
	}
	if (optind != argc - 1) {
		fputs("synfault-curl-retry: give one URL (see --help)\n", stderr);
		return EXIT_USAGE;
	}
	if (ret->mistake >= MISTAKE_SAME_SEED) {
		fprintf(stderr, "synfault-curl-retry: %s is a mistake of synfault-backoff only\n",
			mistake_name(ret->mistake));
		return EXIT_USAGE;
	}
	if (ret->mistake == MISTAKE_LEAKS_SOCKET && !ret->retry_timeouts) {
		fputs("synfault-curl-retry: leaks-socket makes no sense without --retry-timeouts\n",
		      stderr);
		return EXIT_USAGE;
	}
	ret->url = argv[optind];
	return -1;
}

/*
 * Opens a socket for libcurl, and a copy of its descriptor that is never closed: the socket lives
 * on after libcurl has closed its own. (Not with CURLOPT_CLOSESOCKETFUNCTION: libcurl does not call
 * that for a socket that never got connected.)
 */
static curl_socket_t open_and_leak(void *userdata, curlsocktype purpose,
				   struct curl_sockaddr *address)
{
	int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

	if (fd < 0 || fcntl(fd, F_DUPFD_CLOEXEC, 0) < 0)
		return CURL_SOCKET_BAD;
	return fd;
}

static CURL *make_handle(const struct options *options, char *error_text)
{
	CURL *curl = curl_easy_init();

	if (!curl)
		return NULL;
	curl_easy_setopt(curl, CURLOPT_URL, options->url);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)options->timeout_ms);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error_text);
	if (options->mistake == MISTAKE_LEAKS_SOCKET)
		curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_and_leak);
	return curl;
}

static struct retry_result attempt(void *userdata)
{
	struct client *client = userdata;
	CURLcode code = curl_easy_perform(client->curl);
	struct retry_result result = {0};
	long os_errno = 0;

	if (code == CURLE_OK)
		return result;
	result.error =
		client->error_text[0] != '\0' ? client->error_text : curl_easy_strerror(code);
	if (code == CURLE_COULDNT_CONNECT)
		curl_easy_getinfo(client->curl, CURLINFO_OS_ERRNO, &os_errno);
	if (os_errno != 0)
		result.error = strerror((int)os_errno);
	result.transient = code == CURLE_OPERATION_TIMEDOUT ? client->options->retry_timeouts
							    : os_errno == ECONNREFUSED;
	return result;
}

static double delay_ms(double n, void *userdata)
{
	const struct client *client = userdata;

	if (client->options->mistake == MISTAKE_NO_CAP)
		return client->options->delay_ms * pow(2, n - 1);
	return client->options->delay_ms;
}

int main(int argc, char **argv)
{
	struct options options = {.tries = 5, .delay_ms = 2000, .timeout_ms = 5000};
	struct client client = {.options = &options};
	struct retry retry = {.attempt = attempt, .pause_ms = delay_ms, .client = &client};
	double attempts;
	int status;

	status = parse_options(argc, argv, &options);
	if (status >= 0)
		return status;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return RETRY_LET_THROUGH;
	client.curl = make_handle(&options, client.error_text);
	if (!client.curl)
		return RETRY_LET_THROUGH;
	retry.tries = options.tries;
	retry.mistake = options.mistake;
	status = (int)retry_run(&retry, &attempts);
	curl_easy_cleanup(client.curl);
	curl_global_cleanup();
	return status;
}
