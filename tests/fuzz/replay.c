/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Feeds every file of a corpus directory to a fuzz target once. So the corpus is a regression test
 * with any compiler, without a fuzzing engine.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/strbuf.h"
#include "tests/fuzz/fuzz.h"

static bool read_file(int directory, const char *name, struct strbuf *out)
{
	AUTO_CLOSE int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
	char buffer[4096];
	ssize_t n;

	if (fd < 0)
		return false;
	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		strbuf_add(out, buffer, (size_t)n);
	return n == 0;
}

int main(int argc, char **argv)
{
	DIR *directory = argc == 2 ? opendir(argv[1]) : NULL;
	const struct dirent *entry;
	size_t n_files = 0;

	if (!directory) {
		fprintf(stderr, "usage: %s CORPUS-DIRECTORY\n", argv[0]);
		return 2;
	}
	while ((entry = readdir(directory))) {
		AUTO_STRBUF struct strbuf input = {0};
		AUTO_FREE uint8_t *exact = NULL;

		if (entry->d_name[0] == '.')
			continue;
		if (!read_file(dirfd(directory), entry->d_name, &input)) {
			perror(entry->d_name);
			closedir(directory);
			return 1;
		}
		/* Exactly as long as the input: a sanitizer then sees every byte read too many. */
		exact = xmemdup(strbuf_text(&input), input.length);
		fprintf(stderr, "%s\n", entry->d_name);
		LLVMFuzzerTestOneInput(exact, input.length);
		n_files++;
	}
	closedir(directory);
	printf("%zu inputs\n", n_files);
	return n_files > 0 ? 0 : 1;
}
