#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The recipes in ci/ hold what they say, as far as it can be seen without the systems that they are
for: recipes.py SYNFAULT

They are well-formed; their shell passes shellcheck; each option of synfault in them exists, and each
variable SYNFAULT_*, which the manual names too; each gives the capability that is needed; images are
named without the host of a registry; and the packages of the container image are those of ci/install
and of the Debian package.
"""

import re
import subprocess
import sys

import tree

RECIPES = "ci/recipes"
BASE_IMAGE = "debian:${RELEASE}-slim"
INSTRUCTIONS = {"FROM", "RUN", "COPY", "ENTRYPOINT", "CMD", "ENV", "WORKDIR", "USER", "LABEL", "ARG"}
# What debhelper brings along, and an image has to name.
COMPILER = {"gcc", "libc6-dev", "ninja-build"}
# A command of synfault's in a line of shell, up to what ends it.
COMMAND = re.compile(r"\bsynfault (run|check|list|merge|doctor|inject|exec|ctl)\b([^;&|\n]*)")
OPTION = re.compile(r"(?<!\S)--([a-z][a-z-]*)")
VARIABLE = re.compile(r"\bSYNFAULT_[A-Z0-9_]+")
# GitHub's expressions are replaced before a shell sees them.
EXPRESSION = re.compile(r"\$\{\{.*?\}\}")


def load_yaml(name):
    return yaml.safe_load(tree.read(f"{RECIPES}/{name}"))


def values(node, key):
    """Yields every value of this key, at any depth."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name == key:
                yield value
            yield from values(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from values(value, key)


# ---- what each recipe has to have: complaints, and its shell ----

def github_workflow():
    document = load_yaml("github-workflow.yml")
    # YAML 1.1 takes the key "on" for true.
    if not {"name", True, "jobs"} <= set(document):
        yield "complaint", "a workflow needs name, on and jobs"
    for name, job in document["jobs"].items():
        if "runs-on" not in job or not job.get("steps"):
            yield "complaint", f"the job {name} needs runs-on and steps"
        if "container" in job and "--cap-add NET_ADMIN" not in job["container"].get("options", ""):
            yield "complaint", f"the container of {name} gets no NET_ADMIN"
    for script in values(document, "run"):
        yield "shell", script


def action():
    document = load_yaml("action.yml")
    if document["runs"]["using"] != "composite":
        yield "complaint", "not a composite action"
    declared = set(document["inputs"])
    text = tree.read(f"{RECIPES}/action.yml")
    used = set(re.findall(r"inputs\.([\w-]+)", text))
    if used != declared:
        yield "complaint", f"inputs declared or used only: {sorted(used ^ declared)}"
    for step in document["runs"]["steps"]:
        if "run" in step:
            if "shell" not in step:
                yield "complaint", f'the step "{step["name"]}" of an action needs a shell'
            if EXPRESSION.search(step["run"]):
                yield "complaint", f'the step "{step["name"]}" lets an input be run as shell'
            yield "shell", step["run"]


def gitlab():
    document = load_yaml("gitlab-ci.yml")
    for name, job in document.items():
        if not {"stage", "image", "script"} <= set(job):
            yield "complaint", f"the job {name} needs stage, image and script"
        reports = list(values(job, "junit"))
        for script in job["script"]:
            if reports and reports[0] not in script:
                yield "complaint", f"{reports[0]} is collected and never written"
            yield "shell", script
    if 'cap_add = ["NET_ADMIN"]' not in tree.read(f"{RECIPES}/gitlab-ci.yml"):
        yield "complaint", "it does not say how a runner gives NET_ADMIN"


def kubernetes():
    document = load_yaml("kubernetes-indexed-job.yaml")
    job, pod = document["spec"], document["spec"]["template"]["spec"]
    if (document["apiVersion"], document["kind"]) != ("batch/v1", "Job") \
            or job["completionMode"] != "Indexed":
        yield "complaint", "not an Indexed Job of batch/v1"
    volumes = {volume["name"] for volume in pod["volumes"]}
    for container in pod["containers"]:
        if container["securityContext"]["capabilities"]["add"] != ["NET_ADMIN"]:
            yield "complaint", "it has to add NET_ADMIN and nothing else"
        if {mount["name"] for mount in container["volumeMounts"]} != volumes:
            yield "complaint", "volumes and their mounts differ"
        shards = [entry["value"] for entry in container["env"] if entry["name"] == "SYNFAULT_SHARDS"]
        if shards != [str(job["completions"])]:
            yield "complaint", f"{job['completions']} completions, but the shards are {shards}"
        yield "shell", container["command"][2]


def dependencies(service):
    """Whom a service depends on, and in which condition."""
    after = service.get("depends_on", {})
    if isinstance(after, list):
        return [(name, "service_started") for name in after]
    return [(name, entry["condition"]) for name, entry in after.items()]


def compose():
    services = load_yaml("docker-compose.yml")["services"]
    for name, service in services.items():
        if "image" not in service:
            yield "complaint", f"the service {name} needs an image"
        check = service.get("healthcheck", {}).get("test")
        if check:
            if check[0] != "CMD":
                yield "complaint", f"the health check of {name} is not a command"
            yield "shell", " ".join(check[1:])
        mode = service.get("network_mode", "")
        if mode.startswith("service:") and mode.removeprefix("service:") not in services:
            yield "complaint", f"the service {name} shares the network of nobody"
        for other, how in dependencies(service):
            if other not in services:
                yield "complaint", f"the service {name} depends on nobody"
            elif how == "service_healthy" and "healthcheck" not in services[other]:
                yield "complaint", f"{name} waits for a health check that {other} does not have"
        if service.get("command", [""])[0] == "synfault":
            if "NET_ADMIN" not in service.get("cap_add", []):
                yield "complaint", f"the service {name} gets no NET_ADMIN"
            yield "shell", " ".join(service["command"])


def jenkins():
    text = tree.read(f"{RECIPES}/Jenkinsfile")
    code = re.sub(r"//.*", "", text)
    outside = re.sub(r"'[^'\n]*'", "''", code)
    if not outside.strip().startswith("pipeline {") or "'" in outside.replace("''", ""):
        yield "complaint", "not a declarative pipeline with closed quotes"
    depth = 0
    for character in outside:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth < 0:
            break
    if depth:
        yield "complaint", "its braces do not match"
    for word in ("agent", "stages", "post"):
        if not re.search(rf"^    {word} \{{", code, re.M):
            yield "complaint", f"no {word}"
    if "--cap-add NET_ADMIN" not in code:
        yield "complaint", "its container gets no NET_ADMIN"
    for script in re.findall(r"\bsh '([^']*)'", code):
        yield "shell", script


CHECKS = {
    "github-workflow.yml": github_workflow,
    "action.yml": action,
    "gitlab-ci.yml": gitlab,
    "kubernetes-indexed-job.yaml": kubernetes,
    "docker-compose.yml": compose,
    "Jenkinsfile": jenkins,
}


# ---- what all have in common ----

def shell_complaints(script):
    text = "#!/bin/bash\n" + EXPRESSION.sub("1", script)
    result = subprocess.run(["shellcheck", "--format=gcc", "-"], input=text, text=True,
                            capture_output=True, check=False)
    yield from result.stdout.splitlines()


def option_complaints(synfault, script):
    for command, rest in COMMAND.findall(EXPRESSION.sub("1", script)):
        result = subprocess.run([synfault, command, "--help"], capture_output=True, text=True,
                                check=False)
        if result.returncode:
            yield f"there is no command synfault {command}"
            continue
        known = set(re.findall(r"--([a-z][a-z-]*)", result.stdout))
        for option in sorted(set(OPTION.findall(rest)) - known):
            yield f"synfault {command} has no option --{option}"


def known_variables(synfault):
    """Those of the options of run that the program has, by the rule in its help."""
    text = subprocess.run([synfault, "run", "--help"], capture_output=True, text=True,
                          check=True).stdout
    options = set(re.findall(r"^  (?:-\w, |    )--([a-z-]+)", text, re.M)) - {"help"}
    # Of a pod's number without the number of pods it complains, and names what it reads.
    pod = subprocess.run([synfault, "run", tree.ROOT / "scenarios"], capture_output=True, text=True,
                         env={"JOB_COMPLETION_INDEX": "0"}, check=False).stderr
    return {"SYNFAULT_" + option.upper().replace("-", "_") for option in options} \
        | set(VARIABLE.findall(pod))


def check_variables(synfault):
    """Those in the recipes are the program's, and so are those in docs/running.md, which has all."""
    known = known_variables(synfault)
    documented = set(VARIABLE.findall(tree.read("docs/running.md"))) - {"SYNFAULT_NAME"}
    for name in sorted(known ^ documented):
        yield f"docs/running.md: {name} is there, or the program's, only"
    # The bindings read these, and exec and ctl the second one.
    known |= {"SYNFAULT_CONTROL", "SYNFAULT_TOKEN"}
    for path in tree.files(below=(RECIPES,)):
        for name in sorted(set(VARIABLE.findall(tree.read(path))) - known):
            yield f"{path}: synfault does not read {name}"


def check_image(image):
    if "/" in image or ("." in image and image != BASE_IMAGE):
        yield f"the image {image} names more than itself"


def check_recipe(name, check, synfault):
    n_commands = 0
    for kind, text in check():
        if kind == "complaint":
            yield text
            continue
        n_commands += len(COMMAND.findall(text))
        yield from shell_complaints(text)
        yield from option_complaints(synfault, text)
    if not n_commands:
        yield "synfault is never started"
    if name != "Jenkinsfile":
        for image in values(load_yaml(name), "image"):
            yield from check_image(image)


# ---- the container image ----

def instructions():
    """Pairs of word and arguments, comments left out, continued lines joined."""
    lines = [line for line in tree.read("ci/Containerfile").splitlines()
             if not line.startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            word, _, arguments = line.partition(" ")
            yield word, arguments.strip()


def installed(script):
    """The packages of all apt-get install in a line of shell."""
    for command in re.split(r"&&|;", script):
        words = command.split()
        if words[:2] == ["apt-get", "install"]:
            yield from (word for word in words[2:] if not word.startswith("-"))


def packages_of(kind):
    result = subprocess.run([tree.ROOT / "ci/install", "--print", kind], capture_output=True,
                            text=True, check=True)
    # Libraries that got a new name with their 64-bit times provide the old one.
    return {name.removesuffix("t64") for name in result.stdout.split()}


def build_dependencies():
    field = re.search(r"^Build-Depends:\n((?: .*\n)+)", tree.read("debian/control"), re.M)[1]
    names = {line.split()[0].rstrip(",").removesuffix(":any") for line in field.splitlines()
             if "<!nocheck>" not in line}
    return names - {"debhelper-compat"}


def compare(what, actual, expected):
    for name in sorted(actual - expected):
        yield f"{what}: {name} is too much"
    for name in sorted(expected - actual):
        yield f"{what}: {name} is missing"


def check_containerfile():
    stages = []
    for word, arguments in instructions():
        if word not in INSTRUCTIONS:
            yield f"{word} is not an instruction"
        elif word == "FROM":
            stages.append(set())
            if arguments.split()[0] != BASE_IMAGE:
                yield f"built from {arguments.split()[0]}"
        elif word == "RUN":
            stages[-1].update(installed(arguments))
            yield from shell_complaints(arguments)
    if len(stages) != 2:
        yield f"{len(stages)} stages instead of 2"
        return
    yield from compare("build stage", stages[0], build_dependencies() | COMPILER)
    yield from compare("run-time stage", stages[1], packages_of("runtime"))
    for name in sorted(stages[0] - packages_of("build")):
        yield f"build stage: ci/install does not install {name}"


def main():
    tree.need("shellcheck")
    complaints = [f"ci/Containerfile: {text}" for text in check_containerfile()]
    names = {path.name for path in tree.files(below=(RECIPES,))}
    complaints += [f"{RECIPES}/{name}: there, or looked at, only"
                   for name in sorted(names ^ set(CHECKS))]
    for name in sorted(names & set(CHECKS)):
        complaints += [f"{RECIPES}/{name}: {text}"
                       for text in check_recipe(name, CHECKS[name], sys.argv[1])]
    complaints += check_variables(sys.argv[1])
    tree.finish(complaints)


try:
    import yaml
except ImportError:
    print("python3-yaml is not installed")
    sys.exit(tree.TOOLS_MISSING)
main()
