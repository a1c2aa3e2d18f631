/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sessions side by side: see session_host.h.
 *
 * Theory of operation
 * -------------------
 * `open` loads a scenario and forks a process for it. That process speaks the same protocol on a
 * socket pair, its channel: the host passes the commands about one session on, with numbers of its
 * own as ids, and passes the replies back. A session ends when its channel is finished: by `close`,
 * by the end of the connection that opened it, or with the host. Its process then hands over the
 * record; the host judges it, and only then answers `close`. To answer `check`, the process hands
 * over the record so far, in a file of its own. The host adds to both records how long the client
 * had to wait for a processor (starvation_sampler.h): after the record was made, so that no event
 * in it is later than the last look.
 *
 *     STARTING ──("armed" on the channel)──► ARMED ──(close, owner gone)──► ENDING ──► a result
 *        └──(the process ends)──► an error for `open`, or a result if the host opened it itself
 */
#include "runner/session/session_host.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <utlist.h>

#include "common/duration.h"
#include "common/random.h"
#include "runner/sandbox/netns_lock.h"
#include "runner/sandbox/shared_sandbox.h"
#include "runner/sandbox/stale_cleanup.h"
#include "runner/sandbox/starvation_sampler.h"
#include "runner/scenario/inline_scenario.h"
#include "runner/scenario/step_list.h"
#include "runner/schedule/handed_record.h"
#include "runner/schedule/schedule.h"
#include "runner/session/artefacts.h"
#include "runner/session/attached_judge.h"
#include "runner/session/channel.h"
#include "runner/session/control.h"
#include "runner/session/followers.h"
#include "runner/session/progress.h"
#include "runner/session/protocol.h"

/* Stands for the path of a scenario that came over the socket. */
#define SESSION_PATH "session"

enum { MAX_PEERS = 1024, MAX_SESSIONS = 1024 };

/* A request that the session's process has not answered yet, or one that waits for its end. */
struct relayed {
	struct control_request *request;
	uint32_t id;
	struct relayed *next;
};

struct session {
	struct session *prev, *next;
	struct session_host *host;
	uint32_t id;
	enum { STARTING, ARMED, ENDING } state;
	pid_t pid;
	int result_fd, check_fd, capture_fd;
	int64_t started_ns;
	const struct scenario_file *file;
	const struct scenario *scenario;
	struct channel *channel;           /* NULL: closed */
	const struct control_peer *owner;  /* NULL: none, or it has gone */
	struct control_request *opening;   /* `open`, not answered yet */
	struct relayed *relayed, *closing; /* lists */
	/* List of checks; only the first is relayed, since they share a file. */
	struct relayed *checking;
	struct follower *followers; /* list */
	pid_t client;               /* the process that has opened it; 0: unknown */
	json_t *armed;              /* what the process said of its endpoints */
	bool is_own;                /* no connection has opened it */
	bool checked;
};

/* A session that has a result. */
struct judged {
	uint32_t session;
	size_t result; /* its index */
};

struct session_host {
	struct session_host_config config;
	struct control *control;
	struct starvation_sampler *sampler;
	struct judged *judged; /* in the order of results */
	size_t n_judged, judged_capacity;
	struct session *sessions;
	size_t n_sessions, n_stale;
	uint32_t last_id, last_relayed, number_hint;
	bool closed;
};

static const char *state_name(const struct session *session)
{
	static const char *const names[] = {
		[STARTING] = "starting", [ARMED] = "armed", [ENDING] = "ending"};

	return names[session->state];
}

static struct session *find_session(const struct session_host *host, uint32_t id)
{
	struct session *session;

	for (session = host->sessions; session; session = session->next) {
		if (session->id == id)
			return session;
	}
	return NULL;
}

/* ---- a session ends ---- */

/* Lets the process end, unless checks that came before still wait for their turn. */
static void finish_channel(const struct session *session)
{
	if (session->state == ENDING && session->channel && !session->checking)
		channel_finish(session->channel);
}

static void end(struct session *session)
{
	session->state = ENDING;
	finish_channel(session);
}

static void add_relayed(struct relayed **list, struct control_request *request, uint32_t id)
{
	struct relayed *relayed = xzalloc(sizeof(*relayed));

	*relayed = (struct relayed){.request = request, .id = id, .next = *list};
	*list = relayed;
}

/* Answers all requests in a list with the result, or with the news that the session has ended. */
static void answer_all(struct relayed **list, json_t *result)
{
	while (*list) {
		struct relayed *relayed = *list;

		*list = relayed->next;
		if (result)
			control_reply(relayed->request, json_incref(result));
		else
			control_refuse(relayed->request, CONTROL_ENDED, NULL,
				       "the session has ended");
		free(relayed);
	}
}

static void refuse_opening(struct session *session, const struct record *record)
{
	const struct problem *problem = record->n_problems ? &record->problems[0] : NULL;
	struct control_request *request = steal_pointer(&session->opening);

	control_refuse(request,
		       problem && problem->missing_capability ? CONTROL_UNAVAILABLE
							      : CONTROL_NOT_ARMED,
		       NULL, "%s", problem ? problem->message : "the session was closed");
}

/* ---- its result ---- */

static void forget(struct session *session)
{
	struct session_host *host = session->host;

	channel_free(session->channel);
	close(session->result_fd);
	close(session->check_fd);
	cleanup_close(&session->capture_fd);
	json_decref(session->armed);
	DL_DELETE(host->sessions, session);
	host->n_sessions--;
	free(session);
	host->config.on_change(host->config.userdata);
}

/*
 * Adds to the record how long the client had to wait for a processor. If some attempt is not of the
 * process that has opened the session, all processes of the command count; if one is from outside,
 * all of the machine.
 */
static void add_starvation(const struct session *session, struct record *record)
{
	const json_t *origin = json_object_get(session->armed, "monotonic_ns");
	pid_t client = record->n_attempts > 0 ? session->client : 0;

	for (size_t i = 0; i < record->n_attempts; i++)
		if (record->attempts[i].instance != 0)
			client = 0;
	if (record->outside)
		client = SAMPLER_MACHINE;
	if (origin)
		starvation_sampler_complete(session->host->sampler, client,
					    json_integer_value(origin), record);
}

/* Takes ownership of the record. */
static void judge_session(struct session *session, struct record *record)
{
	struct session_host *host = session->host;
	struct run_results *results = host->config.results;
	struct result result = {
		.file = session->file,
		.scenario = session->scenario,
		.record = record,
		.duration_ns = clock_monotonic_ns() - session->started_ns,
		.number = results->n_items + 1,
	};
	struct result *kept;
	json_t *reply;

	add_starvation(session, record);
	result.judgement = attached_judge(session->scenario, record, &host->config.judge);
	array_append(results->items, results->n_items, results->capacity, result);
	kept = &results->items[results->n_items - 1];
	array_append(host->judged, host->n_judged, host->judged_capacity,
		     (struct judged){.session = session->id, .result = results->n_items - 1});
	if (session->capture_fd >= 0)
		captures_take(&host->config.capture, session->capture_fd, kept,
			      results->n_items - 1);
	reply = progress_judgement(&kept->judgement);
	session->checked = session->checked || session->closing;
	answer_all(&session->closing, reply);
	json_decref(reply);
	host->config.on_result(host->config.userdata, kept, session->checked);
}

/* ---- the channel ---- */

static void take_armed(struct session *session, json_t *armed)
{
	json_t *reply;

	session->armed = json_incref(armed);
	if (session->state == STARTING)
		session->state = ARMED;
	if (session->opening) {
		reply = json_copy(armed);
		json_object_set_new(reply, "session", json_integer(session->id));
		json_object_set_new(reply, "name", json_string(session->scenario->name));
		control_reply(steal_pointer(&session->opening), reply);
	}
	session->host->config.on_change(session->host->config.userdata);
}

static uint32_t send_request(struct session *session, const struct control_request *request)
{
	json_t *object = json_copy(control_json(request));
	uint32_t id = ++session->host->last_relayed;

	json_object_set_new(object, "id", json_integer(id));
	json_object_set_new(object, "command", json_string(control_command(request)));
	channel_send(session->channel, object);
	return id;
}

/* Judges the record so far, which the process has handed over. */
static void answer_check(struct session *session, struct control_request *request)
{
	struct record *record = handed_record(session->scenario, session->check_fd, 0, false);
	struct judgement judgement;

	add_starvation(session, record);
	judgement = attached_judge(session->scenario, record, &session->host->config.judge);
	session->checked = true;
	control_reply(request, progress_judgement(&judgement));
	judgement_free(&judgement);
	record_free(record);
}

static void take_check_reply(struct session *session, json_t *reply)
{
	struct relayed *relayed = session->checking;

	session->checking = relayed->next;
	if (json_is_true(json_object_get(reply, "ok")))
		answer_check(session, relayed->request);
	else
		control_relay(relayed->request, reply);
	free(relayed);
	if (session->checking && session->channel)
		session->checking->id = send_request(session, session->checking->request);
	finish_channel(session);
}

static void take_reply(struct session *session, json_t *reply)
{
	json_int_t id = json_integer_value(json_object_get(reply, "id"));
	struct relayed **link = &session->relayed, *relayed;

	if (session->checking && session->checking->id == id) {
		take_check_reply(session, reply);
		return;
	}
	while (*link && (*link)->id != id)
		link = &(*link)->next;
	relayed = *link;
	if (!relayed)
		return;
	*link = relayed->next;
	followers_add(&session->followers, relayed->request, json_object_get(reply, "result"));
	control_relay(relayed->request, reply);
	free(relayed);
}

static void on_object(void *userdata, json_t *object)
{
	struct session *session = userdata;
	json_t *armed = json_object_get(object, "armed");
	json_t *event = json_object_get(object, "event");

	if (armed)
		take_armed(session, armed);
	else if (event)
		followers_send(session->followers, event);
	else
		take_reply(session, object);
}

/* Its process has ended, or will: the rest follows when it is reaped. */
static void on_channel_end(void *userdata)
{
	struct session *session = userdata;

	channel_free(session->channel);
	session->channel = NULL;
	session->state = ENDING;
}

void session_host_look_at_dead(struct session_host *host, pid_t pid)
{
	starvation_sampler_take_dead(host->sampler, pid);
}

bool session_host_take_dead(struct session_host *host, pid_t pid, int wait_status)
{
	struct session *session;
	struct record *record;

	for (session = host->sessions; session; session = session->next) {
		if (session->pid == pid)
			break;
	}
	if (!session)
		return false;
	session->pid = 0;
	if (session->channel)
		channel_read_rest(session->channel);
	followers_remove(&session->followers, NULL);
	record = handed_record(session->scenario, session->result_fd, wait_status, false);
	stale_cleanup_after(wait_status, &host->n_stale);
	if (session->opening)
		refuse_opening(session, record);
	answer_all(&session->relayed, NULL);
	answer_all(&session->checking, NULL);
	if (session->armed || session->is_own) {
		judge_session(session, record);
	} else {
		answer_all(&session->closing, NULL);
		record_free(record);
	}
	starvation_sampler_close(host->sampler, session->client, pid);
	forget(session);
	return true;
}

static void relay(struct session *session, struct control_request *request)
{
	add_relayed(&session->relayed, request, send_request(session, request));
}

static void relay_check(struct session *session, struct control_request *request)
{
	struct relayed **link = &session->checking;

	while (*link)
		link = &(*link)->next;
	add_relayed(link, request, 0);
	if (link == &session->checking)
		session->checking->id = send_request(session, request);
}

/* ---- a session begins ---- */

/* Returns a session whose process has started, or NULL with errno. */
static struct session *start(struct session_host *host, const struct scenario_file *file,
			     const struct scenario *scenario, pid_t client)
{
	AUTO_CLOSE int result_fd = memfd_create("record", MFD_CLOEXEC);
	AUTO_CLOSE int check_fd = memfd_create("check", MFD_CLOEXEC);
	AUTO_CLOSE int capture_fd = captures_open(&host->config.capture);
	int pair[2] = {-1, -1}, pidfd = -1;
	struct session *session;
	pid_t pid;

	if (result_fd < 0 || check_fd < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return NULL;
	/* Use all numbers in turn, since the ports of a recent one may still be in TIME-WAIT. */
	host->number_hint = (host->number_hint + 1) % NETNS_LOCK_LAST_SANDBOX;
	pid = shared_sandbox_fork(&pidfd);
	if (pid == 0) {
		const struct session_config config = {
			.scenario = scenario,
			.isolation = host->config.isolation,
			.seed = schedule_scenario_seed(host->config.seed, scenario),
			.number_hint = host->number_hint,
			.client = client,
			.channel_fd = pair[1],
			.result_fd = result_fd,
			.check_fd = check_fd,
			.capture_fd = capture_fd,
			.capture_size = host->config.capture.size,
			.n_files = host->config.n_files,
		};

		session_run(&config);
	}
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		errno = -pid;
		return NULL;
	}
	close(pidfd);
	session = xzalloc(sizeof(*session));
	*session = (struct session){
		.host = host,
		.id = ++host->last_id,
		.pid = pid,
		.client = client,
		.result_fd = steal_fd(&result_fd),
		.check_fd = steal_fd(&check_fd),
		.capture_fd = steal_fd(&capture_fd),
		.started_ns = clock_monotonic_ns(),
		.file = file,
		.scenario = scenario,
	};
	session->channel = channel_new(&(struct channel_config){
		.base = host->config.base,
		.fd = pair[0],
		.on_object = on_object,
		.on_end = on_channel_end,
		.userdata = session,
	});
	DL_APPEND(host->sessions, session);
	host->n_sessions++;
	/* While the process arms it. */
	starvation_sampler_open(host->sampler, client, pid);
	return session;
}

int session_host_open(struct session_host *host, struct scenario_file *file,
		      const struct scenario *scenario, char **ret_message)
{
	struct session *session;

	*ret_message = attached_obstacle(host->config.isolation, scenario);
	if (*ret_message)
		return -EOPNOTSUPP;
	session = start(host, file, scenario, 0);
	if (!session) {
		*ret_message = xasprintf("can't start a process: %s", strerror(errno));
		return -EAGAIN;
	}
	session->is_own = true;
	return 0;
}

/* Returns the scenario that a request names, or NULL with a message, owned by the caller. */
static struct scenario *choose(const struct scenario_file *file, const char *name,
			       enum control_error *ret_error, char **ret_message)
{
	const struct diag *diag = file->diags.n_items ? &file->diags.items[0] : NULL;

	*ret_error = CONTROL_BAD_SCENARIO;
	if (diag) {
		*ret_message = diag->line ? xasprintf("line %u: %s", diag->line, diag->message)
					  : xstrdup(diag->message);
		return NULL;
	}
	*ret_error = CONTROL_NOT_FOUND;
	for (size_t i = 0; i < file->n_scenarios; i++)
		if (name ? !strcmp(file->scenarios[i]->name, name) : file->n_scenarios == 1)
			return file->scenarios[i];
	*ret_message = name ? xasprintf("there is no scenario \"%s\"", name)
			    : xasprintf("there are %zu scenarios; \"scenario\" chooses one",
					file->n_scenarios);
	return NULL;
}

/* Returns the file, or NULL with a message, owned by the caller. */
static struct scenario_file *load(const struct open_arguments *arguments, char **ret_message)
{
	const struct inline_options options = {
		.path = SESSION_PATH, .name = arguments->name, .proves = true};
	struct inline_endpoints endpoints = {0};
	struct scenario_file *file = NULL;

	if (arguments->file)
		return scenario_file_load_attached(arguments->file);
	if (arguments->source)
		return scenario_file_parse_attached(SESSION_PATH, arguments->source,
						    strlen(arguments->source));
	for (size_t i = 0; !*ret_message && i < arguments->n_endpoints; i++) {
		const struct open_endpoint *endpoint = &arguments->endpoints[i];
		AUTO_STRV char **steps = step_list_split(endpoint->faults);

		*ret_message = step_list_fault(steps);
		inline_endpoints_add(&endpoints, endpoint->name, endpoint->faults,
				     (uint16_t)endpoint->port);
	}
	if (!*ret_message)
		file = inline_scenario_load(&endpoints, &options, ret_message);
	inline_endpoints_free(&endpoints);
	return file;
}

static void command_open(void *userdata, struct control_request *request, const void *values)
{
	struct session_host *host = userdata;
	const struct open_arguments *arguments = values;
	AUTO_FREE char *message = NULL, *obstacle = NULL;
	enum control_error error = CONTROL_BAD_SCENARIO;
	struct scenario_file *file = NULL;
	struct scenario *scenario = NULL;
	struct session *session;

	if (host->closed || host->n_sessions >= MAX_SESSIONS) {
		control_refuse(request, host->closed ? CONTROL_ENDED : CONTROL_TOO_MANY, NULL,
			       host->closed ? "synfault is ending" : "too many sessions are open");
		return;
	}
	file = load(arguments, &message);
	if (file)
		scenario = choose(file, arguments->scenario, &error, &message);
	if (!scenario) {
		control_refuse(request, error,
			       file && file->diags.n_items ? file->diags.items[0].hint : NULL, "%s",
			       message);
		scenario_file_free(file);
		return;
	}
	if (arguments->name) {
		free(scenario->name);
		scenario->name = xstrdup(arguments->name);
	}
	obstacle = attached_obstacle(host->config.isolation, scenario);
	session = obstacle ? NULL
			   : start(host, file, scenario, control_peer_pid(control_peer(request)));
	if (!session) {
		bool full = !obstacle && (errno == EMFILE || errno == ENFILE);

		control_refuse(request, full ? CONTROL_TOO_MANY : CONTROL_UNAVAILABLE, NULL, "%s",
			       obstacle ? obstacle : strerror(errno));
		scenario_file_free(file);
		return;
	}
	session->owner = control_peer(request);
	session->opening = request;
}

/* ---- other commands ---- */

static json_t *session_json(const struct session *session)
{
	return json_pack("{s:I, s:s, s:s}", "session", (json_int_t)session->id, "name",
			 session->scenario->name, "state", state_name(session));
}

static void command_hello(void *userdata, struct control_request *request, const void *arguments)
{
	const struct session_host *host = userdata;
	json_t *hello = control_hello(host->control);

	json_object_set_new(json_object_get(hello, "limits"), "sessions",
			    json_integer(MAX_SESSIONS));
	json_object_set_new(hello, "monotonic_ns", json_integer(clock_monotonic_ns()));
	control_reply(request, hello);
}

/* Passes a command on to the session that it names. */
static void command_session(void *userdata, struct control_request *request, const void *arguments)
{
	const uint32_t id =
		(uint32_t)json_integer_value(json_object_get(control_json(request), "session"));
	struct session *session = find_session(userdata, id);

	if (!session)
		control_refuse(request, CONTROL_NOT_FOUND, NULL, "there is no session %u", id);
	else if (session->state != ARMED)
		control_refuse(request,
			       session->state == ENDING ? CONTROL_ENDED : CONTROL_NOT_ARMED, NULL,
			       "session %u is %s", id, state_name(session));
	else if (strcmp(control_command(request), "check") == 0)
		relay_check(session, request);
	else
		relay(session, request);
}

static void command_events(void *userdata, struct control_request *request, const void *arguments)
{
	const struct events_arguments *wanted = arguments;
	const struct session *session = find_session(userdata, wanted->session);

	if (wanted->follow && session && followers_has(session->followers, control_peer(request)))
		control_refuse(request, CONTROL_BAD_REQUEST, NULL,
			       "this connection follows session %u already", wanted->session);
	else
		command_session(userdata, request, arguments);
}

static void command_status(void *userdata, struct control_request *request, const void *arguments)
{
	const struct session_host *host = userdata;
	const struct session *session;
	json_t *sessions;

	if (((const struct session_arguments *)arguments)->session) {
		command_session(userdata, request, arguments);
		return;
	}
	sessions = json_array();
	for (session = host->sessions; session; session = session->next)
		json_array_append_new(sessions, session_json(session));
	control_reply(request, json_pack("{s:o}", "sessions", sessions));
}

static const struct judged *find_judged(const struct session_host *host, uint32_t id)
{
	for (size_t i = host->n_judged; i > 0; i--) {
		if (host->judged[i - 1].session == id)
			return &host->judged[i - 1];
	}
	return NULL;
}

static void command_artefacts(void *userdata, struct control_request *request,
			      const void *arguments)
{
	const struct session_host *host = userdata;
	const struct artefacts_arguments *wanted = arguments;
	const struct judged *judged = find_judged(host, wanted->session);
	AUTO_DIAG struct diag_list diags = {0};
	json_t *paths;

	if (!judged) {
		bool is_open = find_session(host, wanted->session);

		control_refuse(request, is_open ? CONTROL_BAD_REQUEST : CONTROL_NOT_FOUND, NULL,
			       is_open ? "session %u has not ended: close it first"
				       : "there is no session %u",
			       wanted->session);
		return;
	}
	paths = artefacts_write(&host->config.results->items[judged->result], judged->result,
				wanted->directory, host->config.judge.timing_scale, &diags);
	if (paths)
		control_reply(request, paths);
	else
		control_refuse(request, CONTROL_UNAVAILABLE, diags.items[0].hint, "%s",
			       diags.items[0].message);
}

static void command_close(void *userdata, struct control_request *request, const void *arguments)
{
	const uint32_t id = ((const struct session_arguments *)arguments)->session;
	struct session *session = find_session(userdata, id);

	if (!session) {
		control_refuse(request, CONTROL_NOT_FOUND, NULL, "there is no session %u", id);
		return;
	}
	add_relayed(&session->closing, request, 0);
	end(session);
}

static void on_gone(void *userdata, const struct control_peer *peer)
{
	struct session_host *host = userdata;
	struct session *session;

	for (session = host->sessions; session; session = session->next) {
		followers_remove(&session->followers, peer);
		if (session->owner != peer)
			continue;
		session->owner = NULL;
		end(session);
	}
}

/* ---- the whole ---- */

struct session_host *session_host_new(const struct session_host_config *config)
{
	static const struct control_command commands[] = {
		{"hello", &control_hello_arguments, command_hello},
		{"open", &open_type, command_open},
		{"status", &status_type, command_status},
		{"wait", &wait_type, command_session},
		{"events", &events_type, command_events},
		{"faults", &faults_type, command_session},
		{"hold", &hold_type, command_session},
		{"release", &release_type, command_session},
		{"restart", &restart_type, command_session},
		{"check", &session_type, command_session},
		{"close", &session_type, command_close},
		{"artefacts", &artefacts_type, command_artefacts},
	};
	struct session_host *host = xzalloc(sizeof(*host));
	const struct control_config control = {
		.base = config->base,
		.fd = config->control_fd,
		.tcp_fd = config->tcp_fd,
		.token = config->token,
		.commands = {commands, ARRAY_SIZE(commands)},
		.max_peers = MAX_PEERS,
		.patient = true,
		.on_gone = on_gone,
		.userdata = host,
	};

	host->config = *config;
	host->number_hint = (uint32_t)random_seed() % NETNS_LOCK_LAST_SANDBOX;
	host->control = control_new(&control);
	host->sampler = starvation_sampler_new(config->base, config->own_pids);
	return host;
}

size_t session_host_n_open(const struct session_host *host)
{
	return host->n_sessions;
}

size_t session_host_n_starting(const struct session_host *host)
{
	const struct session *session;
	size_t n = 0;

	for (session = host->sessions; session; session = session->next)
		n += session->state == STARTING;
	return n;
}

char **session_host_variables(const struct session_host *host)
{
	const struct session *session;
	char **variables = xzalloc(sizeof(*variables));
	size_t n = 0;

	for (session = host->sessions; session; session = session->next) {
		json_t *object = json_object_get(session->armed, "variables"), *value;
		const char *name;

		json_object_foreach(object, name, value)
		{
			variables = xrealloc(variables, (n + 2) * sizeof(*variables));
			variables[n++] = xasprintf("%s=%s", name, json_string_value(value));
			variables[n] = NULL;
		}
	}
	return variables;
}

void session_host_close_all(struct session_host *host)
{
	struct session *session;

	host->closed = true;
	for (session = host->sessions; session; session = session->next)
		end(session);
}

void session_host_kill_all(struct session_host *host)
{
	const struct session *session;

	for (session = host->sessions; session; session = session->next) {
		if (session->pid)
			kill(session->pid, SIGKILL);
	}
}
