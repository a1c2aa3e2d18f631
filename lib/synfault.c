/* SPDX-License-Identifier: MIT */
/*
 * Sessions, as a client of the control socket (docs/protocol.md).
 *
 * A session has a connection of its own, on which requests and replies take turns under a lock. A
 * wait would keep that connection busy, so each wait has another one: synfault_wait() for as long
 * as it lasts, the waits that a program polls for from the first one on. Events come on a third
 * one. A connection on which a reply is overdue is shut down: the reply would be taken for that of
 * the next request.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lib/daemon.h"
#include "lib/json.h"
#include "lib/synfault.h"

/* What SYNFAULT_CONTROL begins with if it is not a path. */
#define TCP "tcp:"
/* How long to wait for a reply, in addition to what is waited for; see patience_ms(). */
enum { PATIENCE_MS = 60000, MAX_PATIENCE_MS = 86400000 };
/* A reply is one line of at most this many bytes. */
#define MAX_REPLY ((size_t)1 << 20)

struct connection {
	int fd;
	char *data;
	size_t length;
	size_t capacity;
};

struct endpoint {
	char *name;
	char *address;
	char *host;
	unsigned int port;
};

struct synfault_judgement {
	struct synfault_judgement *next;
	struct json_value *reply; /* owns the texts of the findings */
	char *text;
	enum synfault_outcome outcome;
	size_t n_findings;
	struct synfault_finding findings[];
};

/* What synfault_artefacts() returned. */
struct artefacts {
	struct artefacts *next;
	struct json_value *reply; /* owns the paths */
	struct synfault_artefacts paths;
};

/* What synfault_status() returned. */
struct status {
	struct status *next;
	struct json_value *reply; /* owns the texts */
	struct synfault_status status;
};

struct synfault_session {
	long long number;
	size_t n_endpoints;
	struct endpoint *endpoints;
	char *path;    /* of the control socket, or tcp:ADDRESS:PORT */
	int daemon_fd; /* of a daemon of its own; -1: none */

	pthread_mutex_t lock; /* for what follows */
	struct connection control;
	struct synfault_judgement *judgements;
	struct synfault_judgement *final;
	struct artefacts *artefacts;
	struct status *statuses;

	pthread_mutex_t wait_lock; /* for what follows */
	struct connection waiting;
	bool wait_pending;
	unsigned int wait_timeout_ms;

	/* Of synfault_next_event() alone. */
	struct connection following;
	struct json_value *events;           /* a reply with some, or a line with one; or NULL */
	const struct json_value *next_event; /* in a reply; NULL: the next line has it */
	unsigned long long since;            /* the number of the first event that is not known */
	bool all_events;                     /* there was the last one */
	struct synfault_event event;
};

__attribute__((format(printf, 3, 4))) static enum synfault_code
fail(struct synfault_error *error, enum synfault_code code, const char *format, ...)
{
	va_list arguments;

	if (error) {
		error->code = code;
		va_start(arguments, format);
		vsnprintf(error->text, sizeof(error->text), format, arguments);
		va_end(arguments);
	}
	return code;
}

static enum synfault_code fail_memory(struct synfault_error *error)
{
	return fail(error, SYNFAULT_SYSTEM, "out of memory");
}

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Returns SYNFAULT_PATIENCE, a number of seconds up to a day, if that is set. */
static int patience_ms(void)
{
	const char *text = secure_getenv("SYNFAULT_PATIENCE");
	const double ms = text ? strtod(text, NULL) * 1000 : 0;

	return ms >= 1 ? (int)(ms < MAX_PATIENCE_MS ? ms : MAX_PATIENCE_MS) : PATIENCE_MS;
}

static void connection_deinit(struct connection *connection)
{
	if (connection->fd >= 0)
		close(connection->fd);
	free(connection->data);
	*connection = (struct connection){.fd = -1};
}

/* Splits "host:port" or "[host]:port". */
static bool endpoint_init(struct endpoint *endpoint, const char *name, const char *address)
{
	const char *colon = address ? strrchr(address, ':') : NULL;
	const char *host = address;
	unsigned long port = colon ? strtoul(colon + 1, NULL, 10) : 0;
	size_t length;

	if (!name || port < 1 || port > UINT16_MAX)
		return false;
	length = (size_t)(colon - host);
	if (length >= 2 && host[0] == '[') {
		host++;
		length -= 2;
	}
	endpoint->name = strdup(name);
	endpoint->address = strdup(address);
	endpoint->host = strndup(host, length);
	endpoint->port = (unsigned int)port;
	return endpoint->name && endpoint->address && endpoint->host;
}

static void endpoint_deinit(struct endpoint *endpoint)
{
	free(endpoint->name);
	free(endpoint->address);
	free(endpoint->host);
}

/* Returns whether the host is an address. */
static bool endpoint_sockaddr(const struct endpoint *endpoint, struct sockaddr_storage *ret_address,
			      socklen_t *ret_length)
{
	struct sockaddr_in ipv4 = {.sin_family = AF_INET};
	struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6};

	ipv4.sin_port = ipv6.sin6_port = htons((uint16_t)endpoint->port);
	if (inet_pton(AF_INET, endpoint->host, &ipv4.sin_addr) == 1) {
		memcpy(ret_address, &ipv4, sizeof(ipv4));
		*ret_length = sizeof(ipv4);
		return true;
	}
	if (inet_pton(AF_INET6, endpoint->host, &ipv6.sin6_addr) == 1) {
		memcpy(ret_address, &ipv6, sizeof(ipv6));
		*ret_length = sizeof(ipv6);
		return true;
	}
	return false;
}

static bool is_tcp(const char *control)
{
	return strncmp(control, TCP, strlen(TCP)) == 0;
}

/* Reads where synfault listens: a path, or tcp:HOST:PORT. */
static bool control_sockaddr(const char *control, struct sockaddr_storage *ret_address,
			     socklen_t *ret_length)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct endpoint endpoint = {0};
	bool ok;

	if (is_tcp(control)) {
		ok = endpoint_init(&endpoint, "", control + strlen(TCP)) &&
		     endpoint_sockaddr(&endpoint, ret_address, ret_length);
		endpoint_deinit(&endpoint);
		return ok;
	}
	if (strlen(control) >= sizeof(address.sun_path))
		return false;
	strcpy(address.sun_path, control);
	memcpy(ret_address, &address, sizeof(address));
	*ret_length = sizeof(address);
	return true;
}

static enum synfault_code connection_init(struct connection *connection, const char *control,
					  struct synfault_error *error)
{
	const struct timeval patience = {.tv_sec = patience_ms() / 1000,
					 .tv_usec = patience_ms() % 1000 * 1000L};
	const char *token = secure_getenv("SYNFAULT_TOKEN");
	struct sockaddr_storage address;
	socklen_t length;
	int fd;

	if (!control_sockaddr(control, &address, &length))
		return fail(error, SYNFAULT_BAD_REQUEST,
			    "SYNFAULT_CONTROL is neither a path nor tcp:ADDRESS:PORT: %s", control);
	if (is_tcp(control) && (!token || !*token))
		return fail(error, SYNFAULT_REFUSED,
			    "SYNFAULT_TOKEN is not set or empty; it has to be the token that "
			    "synfault was started with");
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail(error, SYNFAULT_SYSTEM, "socket: %s", strerror(errno));
	/* Also of connect(). */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (const struct sockaddr *)&address, length) < 0) {
		fail(error, SYNFAULT_ENDED, "synfault does not listen at %s: %s", control,
		     strerror(errno));
		close(fd);
		return SYNFAULT_ENDED;
	}
	*connection = (struct connection){.fd = fd};
	return SYNFAULT_OK;
}

/* Leaves the descriptor open, for a program that polls it. */
static enum synfault_code connection_broken(struct connection *connection, const char *why,
					    struct synfault_error *error)
{
	shutdown(connection->fd, SHUT_RDWR);
	return fail(error, SYNFAULT_ENDED, "%s", why);
}

static enum synfault_code connection_send(struct connection *connection, const char *request,
					  size_t length, struct synfault_error *error)
{
	while (length > 0) {
		ssize_t n = send(connection->fd, request, length, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return connection_broken(connection,
						 errno == EAGAIN ? "synfault does not read"
								 : "synfault has ended",
						 error);
		request += n;
		length -= (size_t)n;
	}
	return SYNFAULT_OK;
}

/* Receives some more of a reply. */
static enum synfault_code connection_receive(struct connection *connection, long long deadline_ms,
					     struct synfault_error *error)
{
	struct pollfd poller = {.fd = connection->fd, .events = POLLIN};
	long long left_ms = deadline_ms - now_ms();
	ssize_t n;

	if (connection->capacity - connection->length < 4096) {
		size_t capacity = connection->capacity * 2 + 8192;
		char *data = capacity <= 2 * MAX_REPLY ? realloc(connection->data, capacity) : NULL;

		if (!data)
			return connection_broken(connection, "synfault's reply is too long", error);
		connection->data = data;
		connection->capacity = capacity;
	}
	if (left_ms < 0)
		left_ms = 0;
	if (poll(&poller, 1, left_ms > INT_MAX ? INT_MAX : (int)left_ms) <= 0) {
		if (now_ms() < deadline_ms)
			return SYNFAULT_OK; /* a signal */
		return connection_broken(connection, "synfault does not answer", error);
	}
	n = recv(connection->fd, connection->data + connection->length,
		 connection->capacity - connection->length, 0);
	if (n < 0 && errno == EINTR)
		return SYNFAULT_OK;
	if (n <= 0)
		return connection_broken(connection, "synfault has ended", error);
	connection->length += (size_t)n;
	return SYNFAULT_OK;
}

static enum synfault_code code_of(const char *name)
{
	static const struct {
		const char *name;
		enum synfault_code code;
	} codes[] = {
		{"not-held", SYNFAULT_NOT_HELD},       {"unavailable", SYNFAULT_UNAVAILABLE},
		{"timed-out", SYNFAULT_TIMED_OUT},     {"ended", SYNFAULT_ENDED},
		{"not-found", SYNFAULT_NOT_FOUND},     {"bad-scenario", SYNFAULT_BAD_SCENARIO},
		{"bad-request", SYNFAULT_BAD_REQUEST},
	};

	for (size_t i = 0; name && i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (strcmp(codes[i].name, name) == 0)
			return codes[i].code;
	}
	return SYNFAULT_REFUSED;
}

static const char *text_or_empty(const struct json_value *object, const char *key)
{
	const char *text = json_text(object, key);

	return text ? text : "";
}

static unsigned long count_of(const struct json_value *object, const char *key)
{
	long long number = json_number(object, key);

	return number > 0 ? (unsigned long)number : 0;
}

/* Makes an error of a reply that is one. */
static enum synfault_code check_reply(const struct json_value *reply, struct synfault_error *error)
{
	const struct json_value *ok = json_get(reply, "ok"), *refusal = json_get(reply, "error");
	const char *text = json_text(refusal, "text"), *remedy = json_text(refusal, "remedy");

	if (ok && ok->type == JSON_WORD && strcmp(ok->text, "true") == 0)
		return SYNFAULT_OK;
	return fail(error, code_of(json_text(refusal, "code")), "%s%s%s",
		    text ? text : "synfault's reply makes no sense", remedy ? "; " : "",
		    remedy ? remedy : "");
}

/* Receives a line, and leaves what comes after it. */
static enum synfault_code connection_line(struct connection *connection, long long deadline_ms,
					  struct json_value **ret_line,
					  struct synfault_error *error)
{
	size_t searched = 0, length;
	char *end;
	int r;

	while (!(end = connection->length > searched ? memchr(connection->data + searched, '\n',
							      connection->length - searched)
						     : NULL)) {
		enum synfault_code code;

		searched = connection->length;
		code = connection_receive(connection, deadline_ms, error);
		if (code)
			return code;
	}
	length = (size_t)(end - connection->data);
	r = json_read(connection->data, length, ret_line);
	connection->length -= length + 1;
	memmove(connection->data, end + 1, connection->length);
	if (r == -ENOMEM)
		return fail_memory(error);
	if (r < 0)
		return connection_broken(connection, "synfault's reply is not JSON", error);
	return SYNFAULT_OK;
}

/* Receives a reply, and checks it. Frees it on an error. */
static enum synfault_code connection_reply(struct connection *connection, unsigned int timeout_ms,
					   struct json_value **ret_reply,
					   struct synfault_error *error)
{
	const long long deadline_ms = now_ms() + patience_ms() + timeout_ms;
	struct json_value *reply;
	enum synfault_code code = connection_line(connection, deadline_ms, &reply, error);

	if (code)
		return code;
	if (connection->length > 0)
		code = connection_broken(connection, "synfault says more than it was asked", error);
	else
		code = check_reply(reply, error);
	if (code)
		free(reply);
	else
		*ret_reply = reply;
	return code;
}

/* A request while it is written. */
struct request {
	FILE *stream;
	char *text;
	size_t length;
};

static void add_text(struct request *request, const char *key, const char *text)
{
	if (!request->stream || !text)
		return;
	fprintf(request->stream, ",\"%s\":", key);
	json_write_text(request->stream, text);
}

static void add_number(struct request *request, const char *key, unsigned long long number)
{
	if (request->stream)
		fprintf(request->stream, ",\"%s\":%llu", key, number);
}

static void begin_request(struct request *request, const char *command)
{
	*request = (struct request){0};
	request->stream = open_memstream(&request->text, &request->length);
	if (request->stream)
		fprintf(request->stream, "{\"command\":\"%s\"", command);
}

static void begin_session_request(struct request *request, const char *command,
				  const struct synfault_session *session)
{
	begin_request(request, command);
	add_number(request, "session", (unsigned long long)session->number);
}

static void discard_request(struct request *request)
{
	if (request->stream)
		fclose(request->stream);
	free(request->text);
}

/* Sends a request, and frees it. */
static enum synfault_code send_request(struct connection *connection, struct request *request,
				       struct synfault_error *error)
{
	enum synfault_code code;
	bool written = false;

	if (request->stream) {
		fputs("}\n", request->stream);
		written = !ferror(request->stream);
		written = fclose(request->stream) == 0 && written;
	}
	if (!written)
		code = fail_memory(error);
	else if (connection->fd < 0)
		code = fail(error, SYNFAULT_ENDED, "the session is closed");
	else
		code = connection_send(connection, request->text, request->length, error);
	free(request->text);
	return code;
}

/* Opens a connection on which requests are allowed: over TCP that takes the token. */
static enum synfault_code connection_open(struct connection *connection, const char *control,
					  struct synfault_error *error)
{
	enum synfault_code code = connection_init(connection, control, error);
	const char *token = secure_getenv("SYNFAULT_TOKEN");
	struct json_value *reply = NULL;
	struct request request;

	if (code || !is_tcp(control))
		return code;
	begin_request(&request, "hello");
	add_text(&request, "token", token);
	code = send_request(connection, &request, error);
	if (!code)
		code = connection_reply(connection, 0, &reply, error);
	free(reply);
	if (code)
		connection_deinit(connection);
	return code;
}

/* Sends a request on the session's own connection, frees it, and waits for the reply. */
static enum synfault_code ask(struct synfault_session *session, struct request *request,
			      struct json_value **ret_reply, struct synfault_error *error)
{
	enum synfault_code code;

	code = send_request(&session->control, request, error);
	if (!code)
		code = connection_reply(&session->control, 0, ret_reply, error);
	return code;
}

/* Keeps what the reply to `open` says. */
static bool keep_opened(struct synfault_session *session, const struct json_value *reply)
{
	const struct json_value *opened = json_get(reply, "result");
	const struct json_value *endpoints = json_get(opened, "endpoints"), *one;
	size_t n = 0;

	session->number = json_number(opened, "session");
	if (session->number < 1 || !endpoints || endpoints->type != JSON_LIST)
		return false;
	for (one = endpoints->first; one; one = one->next)
		n++;
	session->endpoints = calloc(n ? n : 1, sizeof(*session->endpoints));
	if (!session->endpoints)
		return false;
	for (one = endpoints->first; one; one = one->next) {
		const struct json_value *addresses = json_get(one, "addresses");
		const struct json_value *first = addresses ? addresses->first : NULL;

		if (!endpoint_init(&session->endpoints[session->n_endpoints++],
				   json_text(one, "name"), first ? first->text : NULL))
			return false;
	}
	return true;
}

/* Finds synfault, or starts one. */
static enum synfault_code find_control(struct synfault_session *session,
				       struct synfault_error *error)
{
	const char *path = secure_getenv("SYNFAULT_CONTROL");
	char own[sizeof(((struct sockaddr_un *)NULL)->sun_path)];

	if (!path || !*path) {
		if (!daemon_is_possible())
			return fail(error, SYNFAULT_UNAVAILABLE,
				    "no synfault is at hand; run the tests under `synfault exec "
				    "--`, or with NET_ADMIN");
		session->daemon_fd = daemon_start(own, sizeof(own));
		if (session->daemon_fd == -ENOENT)
			return fail(error, SYNFAULT_UNAVAILABLE,
				    "there is no synfault in PATH; install it, or run the tests "
				    "under `synfault exec --`");
		if (session->daemon_fd == -ECHILD)
			return fail(error, SYNFAULT_SYSTEM,
				    "synfault could not start; its standard error says why");
		if (session->daemon_fd < 0)
			return fail(error, SYNFAULT_SYSTEM, "can't start synfault: %s",
				    strerror(-session->daemon_fd));
		path = own;
	}
	session->path = strdup(path);
	return session->path ? SYNFAULT_OK : fail_memory(error);
}

/* Opens a session by a request, and frees that. */
static enum synfault_code open_session(struct request *request,
				       struct synfault_session **ret_session,
				       struct synfault_error *error)
{
	struct synfault_session *session = calloc(1, sizeof(*session));
	struct json_value *reply = NULL;
	enum synfault_code code;

	if (session) {
		session->control.fd = session->waiting.fd = session->following.fd = -1;
		session->daemon_fd = -1;
		pthread_mutex_init(&session->lock, NULL);
		pthread_mutex_init(&session->wait_lock, NULL);
		code = find_control(session, error);
	} else {
		code = fail_memory(error);
	}
	if (!code)
		code = connection_open(&session->control, session->path, error);
	if (code)
		discard_request(request);
	else
		code = ask(session, request, &reply, error);
	if (!code && !keep_opened(session, reply))
		code = fail(error, SYNFAULT_SYSTEM, "can't use synfault's reply");
	free(reply);
	if (code)
		synfault_free(session);
	else
		*ret_session = session;
	return code;
}

enum synfault_code synfault_open(const char *name, const char *const *endpoints,
				 struct synfault_session **ret_session,
				 struct synfault_error *error)
{
	struct request request;

	for (size_t i = 0; endpoints[i]; i++) {
		if (!strchr(endpoints[i], '='))
			return fail(error, SYNFAULT_BAD_REQUEST,
				    "\"%s\" is not of the form NAME=STEPS", endpoints[i]);
	}
	begin_request(&request, "open");
	add_text(&request, "name", name);
	if (request.stream) {
		fputs(",\"endpoints\":[", request.stream);
		for (size_t i = 0; endpoints[i]; i++) {
			const char *steps = strchr(endpoints[i], '=');
			char *key = strndup(endpoints[i], (size_t)(steps - endpoints[i]));

			fprintf(request.stream, "%s{\"name\":", i ? "," : "");
			json_write_text(request.stream, key ? key : "");
			add_text(&request, "faults", steps + 1);
			putc('}', request.stream);
			free(key);
		}
		putc(']', request.stream);
	}
	return open_session(&request, ret_session, error);
}

enum synfault_code synfault_open_file(const char *name, const char *path, const char *scenario,
				      struct synfault_session **ret_session,
				      struct synfault_error *error)
{
	struct request request;
	char *absolute = realpath(path, NULL);

	begin_request(&request, "open");
	add_text(&request, "name", name);
	/* A file that does not exist is synfault's to complain of. */
	add_text(&request, "file", absolute ? absolute : path);
	add_text(&request, "scenario", scenario);
	free(absolute);
	return open_session(&request, ret_session, error);
}

enum synfault_code synfault_open_text(const char *name, const char *text,
				      struct synfault_session **ret_session,
				      struct synfault_error *error)
{
	struct request request;

	begin_request(&request, "open");
	add_text(&request, "name", name);
	add_text(&request, "source", text);
	return open_session(&request, ret_session, error);
}

void synfault_free(struct synfault_session *session)
{
	struct synfault_judgement *judgement, *next;
	struct artefacts *artefacts;
	struct status *status;

	if (!session)
		return;
	connection_deinit(&session->control);
	connection_deinit(&session->waiting);
	connection_deinit(&session->following);
	free(session->events);
	if (session->daemon_fd >= 0)
		daemon_end(session->daemon_fd);
	for (judgement = session->judgements; judgement; judgement = next) {
		next = judgement->next;
		free(judgement->reply);
		free(judgement->text);
		free(judgement);
	}
	while ((artefacts = session->artefacts)) {
		session->artefacts = artefacts->next;
		free(artefacts->reply);
		free(artefacts);
	}
	while ((status = session->statuses)) {
		session->statuses = status->next;
		free(status->reply);
		free(status);
	}
	for (size_t i = 0; i < session->n_endpoints; i++) {
		endpoint_deinit(&session->endpoints[i]);
	}
	free(session->endpoints);
	free(session->path);
	pthread_mutex_destroy(&session->lock);
	pthread_mutex_destroy(&session->wait_lock);
	free(session);
}

static const struct endpoint *find_endpoint(const struct synfault_session *session,
					    const char *name)
{
	for (size_t i = 0; i < session->n_endpoints; i++) {
		if (!name || strcmp(session->endpoints[i].name, name) == 0)
			return &session->endpoints[i];
	}
	return NULL;
}

const char *synfault_address(const struct synfault_session *session, const char *endpoint)
{
	const struct endpoint *found = find_endpoint(session, endpoint);

	return found ? found->address : NULL;
}

const char *synfault_host(const struct synfault_session *session, const char *endpoint)
{
	const struct endpoint *found = find_endpoint(session, endpoint);

	return found ? found->host : NULL;
}

unsigned int synfault_port(const struct synfault_session *session, const char *endpoint)
{
	const struct endpoint *found = find_endpoint(session, endpoint);

	return found ? found->port : 0;
}

enum synfault_code synfault_sockaddr(const struct synfault_session *session, const char *endpoint,
				     struct sockaddr_storage *ret_address, socklen_t *ret_length)
{
	const struct endpoint *found = find_endpoint(session, endpoint);

	return found && endpoint_sockaddr(found, ret_address, ret_length) ? SYNFAULT_OK
									  : SYNFAULT_NOT_FOUND;
}

/* Asks for the endpoints with their attempts so far, if there is this one; NULL: any. */
static enum synfault_code ask_status(struct synfault_session *session, const char *endpoint,
				     struct json_value **ret_reply, struct synfault_error *error)
{
	struct request request;
	enum synfault_code code;

	if (!find_endpoint(session, endpoint))
		return fail(error, SYNFAULT_NOT_FOUND, "there is no endpoint %s",
			    endpoint ? endpoint : "at all");
	begin_session_request(&request, "status", session);
	pthread_mutex_lock(&session->lock);
	code = ask(session, &request, ret_reply, error);
	pthread_mutex_unlock(&session->lock);
	return code;
}

/* Returns the first of these endpoints with the name, or any name if it is NULL; or NULL. */
static const struct json_value *find_status(const struct json_value *endpoint, const char *name)
{
	for (; endpoint && name; endpoint = endpoint->next) {
		const char *its_name = json_text(endpoint, "name");

		if (its_name && strcmp(its_name, name) == 0)
			break;
	}
	return endpoint;
}

static const struct json_value *first_status(const struct json_value *reply)
{
	const struct json_value *endpoints = json_get(json_get(reply, "result"), "endpoints");

	return endpoints ? endpoints->first : NULL;
}

enum synfault_code synfault_attempts(struct synfault_session *session, const char *endpoint,
				     unsigned long *ret_attempts, struct synfault_error *error)
{
	const struct json_value *one;
	struct json_value *reply;
	enum synfault_code code;
	unsigned long n = 0;

	code = ask_status(session, endpoint, &reply, error);
	if (code)
		return code;
	for (one = find_status(first_status(reply), endpoint); one;
	     one = find_status(one->next, endpoint))
		n += count_of(one, "attempts");
	free(reply);
	*ret_attempts = n;
	return SYNFAULT_OK;
}

enum synfault_code synfault_status(struct synfault_session *session, const char *endpoint,
				   const struct synfault_status **ret_status,
				   struct synfault_error *error)
{
	struct status *status = calloc(1, sizeof(*status));
	const struct json_value *one;
	enum synfault_code code;

	if (!status)
		return fail_memory(error);
	code = ask_status(session, endpoint, &status->reply, error);
	if (code) {
		free(status);
		return code;
	}
	one = find_status(first_status(status->reply), endpoint);
	status->status = (struct synfault_status){
		.name = find_endpoint(session, endpoint)->name,
		.script = text_or_empty(one, "script"),
		.next = text_or_empty(one, "next"),
		.next_step = count_of(one, "next_step"),
		.attempts = count_of(one, "attempts"),
		.refused = count_of(one, "refused"),
		.established = count_of(one, "established"),
		.abandoned = count_of(one, "abandoned"),
		.rejected = count_of(one, "rejected"),
		.unreachable = count_of(one, "unreachable"),
		.timed_out = count_of(one, "timed-out"),
		.open = count_of(one, "open"),
	};
	pthread_mutex_lock(&session->lock);
	status->next = session->statuses;
	session->statuses = status;
	pthread_mutex_unlock(&session->lock);
	*ret_status = &status->status;
	return SYNFAULT_OK;
}

static void begin_wait_request(struct request *request, const struct synfault_session *session,
			       const char *endpoint, unsigned long attempt, const char *event,
			       unsigned int timeout_ms)
{
	begin_session_request(request, "wait", session);
	add_text(request, "endpoint", endpoint);
	add_number(request, "attempt", attempt);
	add_text(request, "event", event);
	add_number(request, "timeout_ns", timeout_ms * 1000000ULL);
}

/* Sends a request on a connection of its own, frees it, and waits for the reply. */
static enum synfault_code ask_aside(const struct synfault_session *session, struct request *request,
				    unsigned int timeout_ms, struct json_value **ret_reply,
				    struct synfault_error *error)
{
	struct connection connection = {.fd = -1};
	enum synfault_code code = connection_open(&connection, session->path, error);

	if (code)
		discard_request(request);
	else
		code = send_request(&connection, request, error);
	if (!code)
		code = connection_reply(&connection, timeout_ms, ret_reply, error);
	connection_deinit(&connection);
	return code;
}

enum synfault_code synfault_wait(struct synfault_session *session, const char *endpoint,
				 unsigned long attempt, const char *event, unsigned int timeout_ms,
				 struct synfault_error *error)
{
	struct json_value *reply = NULL;
	struct request request;
	enum synfault_code code;

	begin_wait_request(&request, session, endpoint, attempt, event, timeout_ms);
	code = ask_aside(session, &request, timeout_ms, &reply, error);
	free(reply);
	return code;
}

enum synfault_code synfault_begin_wait(struct synfault_session *session, const char *endpoint,
				       unsigned long attempt, const char *event,
				       unsigned int timeout_ms, struct synfault_error *error)
{
	struct request request;
	enum synfault_code code = SYNFAULT_OK;

	pthread_mutex_lock(&session->wait_lock);
	if (session->wait_pending)
		code = fail(error, SYNFAULT_BAD_REQUEST, "the session waits already");
	else if (session->waiting.fd < 0)
		code = connection_open(&session->waiting, session->path, error);
	if (!code) {
		begin_wait_request(&request, session, endpoint, attempt, event, timeout_ms);
		code = send_request(&session->waiting, &request, error);
		session->wait_pending = !code;
		session->wait_timeout_ms = timeout_ms;
	}
	pthread_mutex_unlock(&session->wait_lock);
	return code;
}

enum synfault_code synfault_end_wait(struct synfault_session *session, struct synfault_error *error)
{
	struct json_value *reply = NULL;
	enum synfault_code code;

	pthread_mutex_lock(&session->wait_lock);
	if (session->wait_pending)
		code = connection_reply(&session->waiting, session->wait_timeout_ms, &reply, error);
	else
		code = fail(error, SYNFAULT_BAD_REQUEST, "the session does not wait");
	session->wait_pending = false;
	pthread_mutex_unlock(&session->wait_lock);
	free(reply);
	return code;
}

int synfault_fd(struct synfault_session *session)
{
	int fd;

	pthread_mutex_lock(&session->wait_lock);
	fd = session->waiting.fd;
	pthread_mutex_unlock(&session->wait_lock);
	return fd;
}

/* Begins to follow the session, or asks for more of the events so far. */
static enum synfault_code follow(struct synfault_session *session, struct synfault_error *error)
{
	const struct json_value *result, *events, *following;
	struct request request;
	enum synfault_code code;

	code = connection_open(&session->following, session->path, error);
	if (code)
		return code;
	begin_session_request(&request, "events", session);
	add_number(&request, "since", session->since);
	if (request.stream)
		fputs(",\"follow\":true", request.stream);
	code = send_request(&session->following, &request, error);
	if (!code)
		code = connection_line(&session->following, now_ms() + patience_ms(),
				       &session->events, error);
	if (!code)
		code = check_reply(session->events, error);
	result = code ? NULL : json_get(session->events, "result");
	events = json_get(result, "events");
	following = json_get(result, "following");
	session->next_event = events ? events->first : NULL;
	if (!code)
		session->since = count_of(result, "next");
	if (!following || !following->text || strcmp(following->text, "true") != 0)
		connection_deinit(&session->following);
	return code;
}

/* Takes the next line of a session that is followed. */
static enum synfault_code await_event(struct synfault_session *session, long long deadline_ms,
				      struct synfault_error *error)
{
	struct connection *connection = &session->following;

	while (connection->length == 0 || !memchr(connection->data, '\n', connection->length)) {
		struct pollfd poller = {.fd = connection->fd, .events = POLLIN};
		const long long left_ms = deadline_ms - now_ms();
		enum synfault_code code;

		if (poll(&poller, 1,
			 left_ms > INT_MAX ? INT_MAX
			 : left_ms > 0     ? (int)left_ms
					   : 0) <= 0) {
			if (now_ms() >= deadline_ms)
				return fail(error, SYNFAULT_TIMED_OUT,
					    "there was no event in time");
			continue; /* a signal */
		}
		code = connection_receive(connection, now_ms() + patience_ms(), error);
		if (code)
			return code;
	}
	return connection_line(connection, now_ms(), &session->events, error);
}

static void set_event(struct synfault_event *event, const struct json_value *object)
{
	*event = (struct synfault_event){
		.sequence = count_of(object, "seq"),
		.kind = text_or_empty(object, "kind"),
		.endpoint = json_text(object, "endpoint"),
		.attempt = count_of(object, "number"),
		.time_ns = json_number(object, "at_ns"),
		.verdict = json_text(object, "verdict"),
		.fault = json_text(object, "fault"),
		.count = count_of(object, "count"),
	};
}

/* Sets the next event. */
static enum synfault_code next_event(struct synfault_session *session, long long deadline_ms,
				     struct synfault_error *error)
{
	enum synfault_code code;

	while (!session->next_event && !session->all_events) {
		const bool following = session->following.fd >= 0;

		free(session->events);
		session->events = NULL;
		code = following ? await_event(session, deadline_ms, error)
				 : follow(session, error);
		if (code)
			return code;
		if (following) {
			set_event(&session->event, json_get(session->events, "event"));
			session->all_events = strcmp(session->event.kind, "end") == 0;
			if (!session->all_events)
				return SYNFAULT_OK;
		}
	}
	if (session->all_events)
		return fail(error, SYNFAULT_ENDED, "the session has ended");
	set_event(&session->event, session->next_event);
	session->next_event = session->next_event->next;
	return SYNFAULT_OK;
}

enum synfault_code synfault_next_event(struct synfault_session *session, unsigned int timeout_ms,
				       const struct synfault_event **ret_event,
				       struct synfault_error *error)
{
	enum synfault_code code = next_event(session, now_ms() + timeout_ms, error);

	if (!code)
		*ret_event = &session->event;
	return code;
}

/* Asks for a number in the result; frees the request. */
static enum synfault_code ask_number(struct synfault_session *session, struct request *request,
				     const char *key, unsigned long *ret_number,
				     struct synfault_error *error)
{
	struct json_value *reply;
	enum synfault_code code;

	pthread_mutex_lock(&session->lock);
	code = ask(session, request, &reply, error);
	pthread_mutex_unlock(&session->lock);
	if (code)
		return code;
	if (ret_number)
		*ret_number = count_of(json_get(reply, "result"), key);
	free(reply);
	return SYNFAULT_OK;
}

enum synfault_code synfault_faults(struct synfault_session *session, const char *endpoint,
				   const char *steps, unsigned long *ret_attempt,
				   struct synfault_error *error)
{
	struct request request;

	begin_session_request(&request, "faults", session);
	add_text(&request, "endpoint", endpoint);
	add_text(&request, "steps", steps);
	return ask_number(session, &request, "attempt", ret_attempt, error);
}

enum synfault_code synfault_hold(struct synfault_session *session, const char *endpoint,
				 unsigned long attempt, unsigned int limit_ms,
				 unsigned long *ret_attempt, struct synfault_error *error)
{
	struct request request;

	begin_session_request(&request, "hold", session);
	add_text(&request, "endpoint", endpoint);
	if (attempt > 0)
		add_number(&request, "attempt", attempt);
	add_number(&request, "limit_ns", limit_ms * 1000000ULL);
	return ask_number(session, &request, "attempt", ret_attempt, error);
}

enum synfault_code synfault_release(struct synfault_session *session, const char *endpoint,
				    unsigned long attempt, const char *verdict,
				    struct synfault_error *error)
{
	struct request request;

	begin_session_request(&request, "release", session);
	add_text(&request, "endpoint", endpoint);
	add_number(&request, "attempt", attempt);
	add_text(&request, "verdict", verdict);
	return ask_number(session, &request, "attempt", NULL, error);
}

enum synfault_code synfault_restart(struct synfault_session *session, const char *endpoint,
				    unsigned int lasts_ms, unsigned long *ret_ended,
				    struct synfault_error *error)
{
	struct request request;

	begin_session_request(&request, "restart", session);
	add_text(&request, "endpoint", endpoint);
	if (lasts_ms > 0)
		add_number(&request, "for_ns", lasts_ms * 1000000ULL);
	return ask_number(session, &request, "ended", ret_ended, error);
}

static enum synfault_outcome outcome_of(const char *name)
{
	static const char *const names[] = {
		[SYNFAULT_PASS] = "pass",
		[SYNFAULT_FAIL] = "fail",
		[SYNFAULT_ERROR] = "error",
		[SYNFAULT_SKIP] = "skip",
	};

	for (size_t i = 0; name && i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], name) == 0)
			return (enum synfault_outcome)i;
	}
	return SYNFAULT_ERROR;
}

/* Writes the outcome and what the findings say. */
static char *text_of(const struct synfault_judgement *judgement, const char *outcome)
{
	char *text = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&text, &length);

	if (!stream)
		return NULL;
	fputs(outcome ? outcome : "no outcome", stream);
	for (size_t i = 0; i < judgement->n_findings; i++)
		fprintf(stream, "\n  %s", judgement->findings[i].message);
	return fclose(stream) == 0 ? text : NULL;
}

/* Makes a judgement of a reply, which it keeps. Returns NULL if there is not enough memory. */
static struct synfault_judgement *judgement_new(struct json_value *reply)
{
	const struct json_value *result = json_get(reply, "result");
	const struct json_value *findings = json_get(result, "findings"), *one;
	struct synfault_judgement *judgement;
	size_t n = 0;

	for (one = findings ? findings->first : NULL; one; one = one->next)
		n++;
	judgement = calloc(1, sizeof(*judgement) + n * sizeof(judgement->findings[0]));
	if (!judgement)
		return NULL;
	judgement->outcome = outcome_of(json_text(result, "outcome"));
	for (one = findings ? findings->first : NULL; one; one = one->next) {
		judgement->findings[judgement->n_findings++] = (struct synfault_finding){
			.type = text_or_empty(one, "type"),
			.message = text_or_empty(one, "message"),
			.subject = json_text(one, "subject"),
			.expected = json_text(one, "expected"),
			.actual = json_text(one, "actual"),
			.attempt = count_of(one, "attempt"),
		};
	}
	judgement->text = text_of(judgement, json_text(result, "outcome"));
	if (!judgement->text) {
		free(judgement);
		return NULL;
	}
	judgement->reply = reply;
	return judgement;
}

/* Asks for a judgement, and keeps it. The session's lock is held. */
static enum synfault_code judge(struct synfault_session *session, const char *command,
				struct synfault_judgement **ret_judgement,
				struct synfault_error *error)
{
	struct synfault_judgement *judgement;
	struct json_value *reply;
	struct request request;
	enum synfault_code code;

	begin_session_request(&request, command, session);
	code = ask(session, &request, &reply, error);
	if (code)
		return code;
	judgement = judgement_new(reply);
	if (!judgement) {
		free(reply);
		return fail_memory(error);
	}
	judgement->next = session->judgements;
	session->judgements = judgement;
	*ret_judgement = judgement;
	return SYNFAULT_OK;
}

enum synfault_code synfault_check(struct synfault_session *session,
				  const struct synfault_judgement **ret_judgement,
				  struct synfault_error *error)
{
	struct synfault_judgement *judgement = NULL;
	enum synfault_code code;

	pthread_mutex_lock(&session->lock);
	code = judge(session, "check", &judgement, error);
	pthread_mutex_unlock(&session->lock);
	if (!code)
		*ret_judgement = judgement;
	return code;
}

enum synfault_code synfault_close(struct synfault_session *session,
				  const struct synfault_judgement **ret_judgement,
				  struct synfault_error *error)
{
	enum synfault_code code = SYNFAULT_OK;

	pthread_mutex_lock(&session->lock);
	if (!session->final) {
		code = judge(session, "close", &session->final, error);
		connection_deinit(&session->control);
	}
	if (!code && ret_judgement)
		*ret_judgement = session->final;
	pthread_mutex_unlock(&session->lock);
	return code;
}

enum synfault_code synfault_expect_pass(struct synfault_session *session,
					struct synfault_error *error)
{
	const struct synfault_judgement *judgement;
	enum synfault_code code;

	code = synfault_close(session, &judgement, error);
	if (code)
		return code;
	if (judgement->outcome == SYNFAULT_FAIL)
		return fail(error, SYNFAULT_CLIENT_FAILED, "%s", judgement->text);
	if (judgement->outcome == SYNFAULT_ERROR)
		return fail(error, SYNFAULT_UNJUDGED, "%s", judgement->text);
	return SYNFAULT_OK;
}

enum synfault_code synfault_artefacts(struct synfault_session *session, const char *directory,
				      const struct synfault_artefacts **ret_artefacts,
				      struct synfault_error *error)
{
	char *here = *directory == '/' ? NULL : getcwd(NULL, 0);
	struct artefacts *artefacts = calloc(1, sizeof(*artefacts));
	const struct json_value *result;
	char *absolute = NULL;
	struct request request;
	enum synfault_code code;

	if (asprintf(&absolute, "%s%s%s", here ? here : "", here ? "/" : "", directory) < 0)
		absolute = NULL;
	free(here);
	begin_session_request(&request, "artefacts", session);
	add_text(&request, "directory", absolute);
	if (absolute && artefacts) {
		code = ask_aside(session, &request, 0, &artefacts->reply, error);
	} else {
		discard_request(&request);
		code = fail_memory(error);
	}
	free(absolute);
	if (code) {
		free(artefacts);
		return code;
	}
	result = json_get(artefacts->reply, "result");
	artefacts->paths = (struct synfault_artefacts){
		.record = json_text(result, "record"),
		.picture = json_text(result, "picture"),
		.capture = json_text(result, "capture"),
	};
	pthread_mutex_lock(&session->lock);
	artefacts->next = session->artefacts;
	session->artefacts = artefacts;
	pthread_mutex_unlock(&session->lock);
	*ret_artefacts = &artefacts->paths;
	return SYNFAULT_OK;
}

enum synfault_outcome synfault_outcome(const struct synfault_judgement *judgement)
{
	return judgement->outcome;
}

const struct synfault_finding *synfault_finding(const struct synfault_judgement *judgement,
						size_t number)
{
	return number < judgement->n_findings ? &judgement->findings[number] : NULL;
}

const char *synfault_text(const struct synfault_judgement *judgement)
{
	return judgement->text;
}
