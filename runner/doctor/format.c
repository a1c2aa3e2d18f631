/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shows what `synfault doctor` found, to people and to programs: see check.h. */
#include <jansson.h>
#include <sys/utsname.h>

#include "common/duration.h"
#include "common/text.h"
#include "runner/doctor/check.h"

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

static json_t *remedies_json(const struct check *check)
{
	json_t *object = json_object();

	for (size_t i = 0; capability_hint_platform(i); i++) {
		AUTO_FREE char *text = capability_hint_text(i, check->grant, check->capability);

		json_object_set_new(object, capability_hint_platform(i), json_string(text));
	}
	return object;
}

static json_t *check_json(const struct check *check)
{
	json_t *object = json_pack("{s:s, s:s, s:s}", "name", check->name, "state",
				   check->missing ? "missing" : "ok", "found", check->found);

	if (!check->missing)
		return object;
	json_object_set_new(object, "without", json_string(check->consequence));
	if (check->remedy)
		json_object_set_new(object, "remedy", json_string(check->remedy));
	if (check->capability) {
		json_object_set_new(object, "capability", json_string(check->capability));
		json_object_set_new(object, "remedies", remedies_json(check));
	}
	return object;
}

static json_t *schedule_json(const struct syn_schedule *schedule)
{
	json_t *times = json_array();

	for (size_t i = 0; i < schedule->n_retransmissions; i++)
		json_array_append_new(times,
				      json_integer(schedule->retransmissions_ns[i] / NS_PER_MS));
	return json_pack("{s:o, s:I}", "retransmissions_ms", times, "timeout_ms",
			 (json_int_t)(schedule->timeout_ns / NS_PER_MS));
}

void doctor_format_json(const struct doctor *doctor, struct strbuf *out)
{
	static const char *const isolations[] = {
		[DOCTOR_NONE] = NULL,
		[DOCTOR_SHARED] = "shared",
		[DOCTOR_PRIVATE] = "private",
	};
	json_t *checks = json_array(), *object;
	struct utsname system;
	char *text;

	uname(&system);
	for (size_t i = 0; i < doctor->n_checks; i++)
		json_array_append_new(checks, check_json(&doctor->checks[i]));
	object = json_pack("{s:s, s:s, s:b, s:s?, s:o, s:o}", "version", SYNFAULT_VERSION, "kernel",
			   system.release, "can_run", doctor->isolation != DOCTOR_NONE, "isolation",
			   isolations[doctor->isolation], "syn_schedule",
			   schedule_json(&doctor->schedule), "checks", checks);
	text = json_dumps(object, JSON_INDENT(2));
	json_decref(object);
	if (!text)
		out_of_memory();
	strbuf_printf(out, "%s\n", text);
	free(text);
}
