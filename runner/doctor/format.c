/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shows what `synfault doctor` found, to people and to programs: see check.h. */
#include <sys/utsname.h>

#include "common/duration.h"
#include "common/text.h"
#include "runner/doctor/check.h"
#include "runner/record/json_fields.h"

enum { COLUMNS = 80, STATE_COLUMNS = 9, NAME_COLUMNS = 15 };

static const char *conclusion(enum doctor_isolation isolation)
{
	switch (isolation) {
	case DOCTOR_PRIVATE:
		return "run works: each scenario gets namespaces of its own";
	case DOCTOR_SHARED:
		return "run works: scenarios share the network namespace that is given";
	case DOCTOR_NONE:
		break;
	}
	return "run can't work here: see what is missing";
}

/* ---- text ---- */

static void add_more(struct strbuf *out, const char *text)
{
	if (!text)
		return;
	strbuf_pad(out, ' ', STATE_COLUMNS + NAME_COLUMNS);
	text_wrap(out, STATE_COLUMNS + NAME_COLUMNS, COLUMNS, text);
}

static void add_check(struct strbuf *out, const struct check *check)
{
	AUTO_FREE char *consequence = NULL, *remedy = NULL;

	strbuf_printf(out, "%-*s%-*s", STATE_COLUMNS, check->missing ? "missing" : "ok",
		      NAME_COLUMNS, check->name);
	text_wrap(out, STATE_COLUMNS + NAME_COLUMNS, COLUMNS, check->found);
	if (!check->missing)
		return;
	consequence = xasprintf("without: %s", check->consequence);
	add_more(out, consequence);
	if (check->remedy)
		remedy = xasprintf("remedy: %s", check->remedy);
	else if (check->capability)
		remedy =
			xasprintf("remedy: %s%s, as said below",
				  check->grant == CAPABILITY_HINT_USER ? "root" : "the capability ",
				  check->grant == CAPABILITY_HINT_USER ? "" : check->capability);
	add_more(out, remedy);
}

/* Lists the capabilities to get in this way, each once, separated by blanks; the caller's. */
static char *capabilities_to_get(const struct doctor *doctor, enum capability_hint grant)
{
	struct strbuf names = {0};

	for (size_t i = 0; i < doctor->n_checks; i++) {
		const struct check *check = &doctor->checks[i];

		if (check->missing && check->capability && check->grant == grant &&
		    !strstr(strbuf_text(&names), check->capability))
			strbuf_printf(&names, "%s%s", names.length ? " " : "", check->capability);
	}
	return strbuf_steal(&names);
}

static void add_platforms(struct strbuf *out, enum capability_hint grant, const char *names)
{
	for (size_t i = 0; capability_hint_platform(i); i++) {
		AUTO_FREE char *text = capability_hint_text(i, grant, names);

		strbuf_printf(out, "  %-16s%s\n", capability_hint_platform(i), text);
	}
}

/* Says how to get the missing capabilities, once for all of them. */
static void add_capability_remedies(struct strbuf *out, const struct doctor *doctor)
{
	AUTO_FREE char *of_container = capabilities_to_get(doctor, CAPABILITY_HINT_CONTAINER);
	AUTO_FREE char *of_user = capabilities_to_get(doctor, CAPABILITY_HINT_USER);

	if (*of_user) {
		strbuf_printf(out, "\nRoot would hold %s; to be root in a container:\n", of_user);
		add_platforms(out, CAPABILITY_HINT_USER, of_user);
		strbuf_puts(out, "  else            " CAPABILITY_HINT_USER_ELSE "\n");
	}
	if (*of_container) {
		strbuf_printf(out, "\nTo give a container %s%s:\n", of_container,
			      strchr(of_container, ' ') ? " (leave out what you can do without)"
							: "");
		add_platforms(out, CAPABILITY_HINT_CONTAINER, of_container);
	}
}

void doctor_format_text(const struct doctor *doctor, struct strbuf *out)
{
	struct utsname system;

	uname(&system);
	strbuf_printf(out, "synfault %s, Linux %s, uid %u\n\n", SYNFAULT_VERSION, system.release,
		      geteuid());
	for (size_t i = 0; i < doctor->n_checks; i++)
		add_check(out, &doctor->checks[i]);
	add_capability_remedies(out, doctor);
	strbuf_printf(out, "\n%s\n", conclusion(doctor->isolation));
}

/* ---- JSON ---- */

enum check_state { CHECK_OK, CHECK_MISSING, CHECK_N_STATES };

static const char *check_state_name(enum check_state state)
{
	return state == CHECK_OK ? "ok" : "missing";
}

static const char *doctor_isolation_name(enum doctor_isolation isolation)
{
	static const char *const names[] = {
		[DOCTOR_NONE] = "none",
		[DOCTOR_SHARED] = "shared",
		[DOCTOR_PRIVATE] = "private",
	};

	return names[isolation];
}

struct json_remedy {
	const char *platform;
	char *text;
};

struct json_check {
	struct check check;
	enum check_state state;
	struct json_remedy *remedies;
	size_t n_remedies, capacity;
};

struct json_doctor {
	const char *version;
	char *kernel;
	bool can_run;
	enum doctor_isolation isolation;
	struct syn_schedule schedule;
	struct json_check *checks;
	size_t n_checks;
};

static const struct json_field time_fields[] = {{.kind = JSON_KIND_I64}};
static const struct json_type time_type = JSON_ELEMENT(int64_t, time_fields);

static const struct json_field schedule_fields[] = {
	{"retransmissions_ns", JSON_ARRAY(struct syn_schedule, retransmissions_ns,
					  n_retransmissions, int64_t, &time_type)},
	{"timeout_ns", JSON_DURATION(struct syn_schedule, timeout_ns),
	 .about = "When connect() fails with ETIMEDOUT."},
};
static const struct json_type schedule_type = {
	JSON_TYPE(struct syn_schedule, schedule_fields),
	.about = "When the kernel retransmits an unanswered SYN: times after the first one.",
};

static const struct json_field remedy_fields[] = {
	{"platform", JSON_TEXT(struct json_remedy, platform), .about = "docker, podman, …"},
	{"remedy", JSON_TEXT(struct json_remedy, text), .about = "What to configure there."},
};
static const struct json_type remedy_type = {JSON_TYPE(struct json_remedy, remedy_fields)};

#define IF_MISSING(member) JSON_TEXT(struct json_check, check.member), .optional = true
static const struct json_field check_fields[] = {
	{"name", JSON_TEXT(struct json_check, check.name)},
	{"state",
	 JSON_WORD(struct json_check, state, enum check_state, check_state_name, CHECK_N_STATES)},
	{"found", JSON_TEXT(struct json_check, check.found)},
	{"without", IF_MISSING(consequence), .about = "What does not work."},
	{"remedy", IF_MISSING(remedy), .about = "What to do."},
	{"capability", IF_MISSING(capability), .about = "NET_ADMIN, if that would help."},
	{"remedies",
	 JSON_LIST(struct json_check, remedies, n_remedies, struct json_remedy, &remedy_type),
	 .optional = true, .about = "How to get the capability."},
};
static const struct json_type check_type = {JSON_TYPE(struct json_check, check_fields)};

static const struct json_field doctor_fields[] = {
	{"version", JSON_TEXT(struct json_doctor, version), .about = "The version of synfault."},
	{"kernel", JSON_TEXT(struct json_doctor, kernel), .about = "uname -r"},
	{"can_run", JSON_BOOL(struct json_doctor, can_run)},
	{"isolation",
	 JSON_WORD(struct json_doctor, isolation, enum doctor_isolation, doctor_isolation_name,
		   DOCTOR_PRIVATE + 1),
	 .about = "The best that `synfault run` gets here."},
	{"syn_schedule",
	 JSON_OBJECT(struct json_doctor, schedule, struct syn_schedule, &schedule_type)},
	{"checks", JSON_LIST(struct json_doctor, checks, n_checks, struct json_check, &check_type)},
};
const struct json_type doctor_type = {
	JSON_TYPE(struct json_doctor, doctor_fields),
	.about = "What `synfault doctor --json` prints (docs/running.md).",
};

static void list_remedies(struct json_check *json)
{
	const struct check *check = &json->check;

	for (size_t i = 0; capability_hint_platform(i); i++)
		array_append(json->remedies, json->n_remedies, json->capacity,
			     (struct json_remedy){
				     capability_hint_platform(i),
				     capability_hint_text(i, check->grant, check->capability),
			     });
}

void doctor_format_json(const struct doctor *doctor, struct strbuf *out)
{
	AUTO_FREE struct json_check *checks = xzalloc((doctor->n_checks + 1) * sizeof(*checks));
	struct utsname system;
	struct json_doctor json = {
		.version = SYNFAULT_VERSION,
		.kernel = system.release,
		.can_run = doctor->isolation != DOCTOR_NONE,
		.isolation = doctor->isolation,
		.schedule = doctor->schedule,
		.checks = checks,
		.n_checks = doctor->n_checks,
	};

	uname(&system);
	for (size_t i = 0; i < doctor->n_checks; i++) {
		const struct check *check = &doctor->checks[i];

		checks[i].check = (struct check){.name = check->name, .found = check->found};
		if (!check->missing)
			continue;
		checks[i].check = *check;
		checks[i].state = CHECK_MISSING;
		if (check->capability)
			list_remedies(&checks[i]);
	}
	json_fields_print(&doctor_type, &json, out);
	for (size_t i = 0; i < doctor->n_checks; i++) {
		for (size_t k = 0; k < checks[i].n_remedies; k++)
			free(checks[i].remedies[k].text);
		free(checks[i].remedies);
	}
}
