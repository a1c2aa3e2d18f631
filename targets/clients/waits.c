/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waits in every way that the kernel offers, and checks by its own clocks that each wait took as
 * long as asked, and returned what it has to: for tests of virtual time (docs/time.md).
 *
 * Usage: synfault-waits SECONDS SLACK-MS HOST:PORT
 *
 * Prints a line for each wait. Exit status: 0 all were right, 1 one was not, 2 an error.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

struct waits {
	int seconds;
	double slack_s;
	struct sockaddr_in server;
	int n_wrong;
	int pipe[2]; /* without a writer */
};

static volatile sig_atomic_t n_alarms;

static void on_alarm(int number)
{
	(void)number;
	n_alarms++;
}

static double now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static struct timespec in(const struct waits *waits, clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	time.tv_sec += waits->seconds;
	return time;
}

/* ---- the waits; each returns whether the result was right ---- */

static bool sleeps(struct waits *waits)
{
	struct timespec length = {.tv_sec = waits->seconds};

	return nanosleep(&length, NULL) == 0;
}

static bool sleeps_until(struct waits *waits, clockid_t clock)
{
	struct timespec time = in(waits, clock);

	return clock_nanosleep(clock, TIMER_ABSTIME, &time, NULL) == 0;
}

static bool sleeps_until_realtime(struct waits *waits)
{
	return sleeps_until(waits, CLOCK_REALTIME);
}

static bool sleeps_until_monotonic(struct waits *waits)
{
	return sleeps_until(waits, CLOCK_MONOTONIC);
}

static bool sleeps_until_boottime(struct waits *waits)
{
	return sleeps_until(waits, CLOCK_BOOTTIME);
}

static bool polls(struct waits *waits)
{
	struct pollfd fd = {.fd = waits->pipe[0], .events = POLLIN};

	return poll(&fd, 1, waits->seconds * 1000) == 0;
}

static bool ppolls(struct waits *waits)
{
	struct pollfd fd = {.fd = waits->pipe[0], .events = POLLIN};
	struct timespec length = {.tv_sec = waits->seconds};

	return ppoll(&fd, 1, &length, NULL) == 0;
}

static bool selects(struct waits *waits)
{
	struct timeval length = {.tv_sec = waits->seconds};
	fd_set set;

	FD_ZERO(&set);
	FD_SET(waits->pipe[0], &set);
	return select(waits->pipe[0] + 1, &set, NULL, NULL, &length) == 0 &&
	       !FD_ISSET(waits->pipe[0], &set) && length.tv_sec == 0;
}

static bool pselects(struct waits *waits)
{
	struct timespec length = {.tv_sec = waits->seconds};
	fd_set set;

	FD_ZERO(&set);
	FD_SET(waits->pipe[0], &set);
	return pselect(waits->pipe[0] + 1, &set, NULL, NULL, &length, NULL) == 0 &&
	       !FD_ISSET(waits->pipe[0], &set);
}

static bool selects_nothing(struct waits *waits)
{
	struct timeval length = {.tv_sec = waits->seconds};

	return select(0, NULL, NULL, NULL, &length) == 0 && length.tv_sec == 0 &&
	       length.tv_usec == 0;
}

/* Waits for more descriptors than an fd_set has. */
static bool selects_many(struct waits *waits)
{
	struct timeval length = {.tv_sec = waits->seconds};
	struct rlimit limit;
	unsigned char *set;
	size_t size;
	int fd;
	bool right;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max < 40001 ? limit.rlim_max : 40001;
	setrlimit(RLIMIT_NOFILE, &limit);
	fd = dup2(waits->pipe[0], (int)limit.rlim_cur - 1);
	size = (size_t)fd / 64 * 8 + 8;
	set = calloc(1, size);
	if (fd < 0 || !set)
		return false;
	set[fd / 8] |= (unsigned char)(1 << fd % 8);
	right = select(fd + 1, (fd_set *)set, NULL, NULL, &length) == 0 && set[fd / 8] == 0;
	free(set);
	close(fd);
	return right;
}

/* Names more descriptors than it can have: the kernel leaves what is behind the set alone. */
static bool selects_beyond_its_table(struct waits *waits)
{
	struct timeval length = {.tv_sec = waits->seconds};
	struct {
		fd_set set;
		unsigned char guard[65536];
	} room;

	memset(&room, 0xff, sizeof(room));
	FD_ZERO(&room.set);
	FD_SET(waits->pipe[0], &room.set);
	if (select(INT_MAX, &room.set, NULL, NULL, &length) != 0 ||
	    FD_ISSET(waits->pipe[0], &room.set))
		return false;
	for (size_t i = 0; i < sizeof(room.guard); i++)
		if (room.guard[i] != 0xff)
			return false;
	return true;
}

static int epoll_of_pipe(const struct waits *waits)
{
	struct epoll_event event = {.events = EPOLLIN};
	int fd = epoll_create1(EPOLL_CLOEXEC);

	epoll_ctl(fd, EPOLL_CTL_ADD, waits->pipe[0], &event);
	return fd;
}

static bool epolls(struct waits *waits)
{
	struct epoll_event event;
	int fd = epoll_of_pipe(waits);
	bool right = epoll_wait(fd, &event, 1, waits->seconds * 1000) == 0;

	close(fd);
	return right;
}

static bool epolls_in_nanoseconds(struct waits *waits)
{
	struct timespec length = {.tv_sec = waits->seconds};
	struct epoll_event event;
	int fd = epoll_of_pipe(waits);
	long result = syscall(SYS_epoll_pwait2, fd, &event, 1, &length, NULL, (size_t)8);

	/* Before Linux 5.11 there is none. */
	if (result < 0 && errno == ENOSYS)
		return sleeps(waits);
	close(fd);
	return result == 0;
}

static bool waits_for_a_semaphore(struct waits *waits)
{
	struct timespec time = in(waits, CLOCK_REALTIME);
	sem_t semaphore;

	sem_init(&semaphore, 0, 0);
	return sem_timedwait(&semaphore, &time) < 0 && errno == ETIMEDOUT;
}

static bool waits_for_a_condition(struct waits *waits)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	struct timespec time = in(waits, CLOCK_MONOTONIC);
	pthread_condattr_t attributes;
	pthread_cond_t condition;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&condition, &attributes);
	pthread_mutex_lock(&mutex);
	return pthread_cond_timedwait(&condition, &mutex, &time) == ETIMEDOUT;
}

static bool waits_for_a_futex(struct waits *waits)
{
	struct timespec length = {.tv_sec = waits->seconds};
	uint32_t word = 0;

	return syscall(SYS_futex, &word, FUTEX_WAIT, 0, &length, NULL, 0) < 0 && errno == ETIMEDOUT;
}

static bool waits_for_a_signal(struct waits *waits)
{
	struct timespec length = {.tv_sec = waits->seconds};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	return sigtimedwait(&set, NULL, &length) < 0 && errno == EAGAIN;
}

static bool waits_for_a_semaphore_of_system_v(struct waits *waits)
{
	struct timespec length = {.tv_sec = waits->seconds};
	struct sembuf take = {.sem_op = -1};
	int set = semget(IPC_PRIVATE, 1, 0600);
	bool right = semtimedop(set, &take, 1, &length) < 0 && errno == EAGAIN;

	semctl(set, 0, IPC_RMID);
	return right;
}

static bool pauses_until_an_alarm(struct waits *waits)
{
	n_alarms = 0;
	alarm((unsigned)waits->seconds);
	pause();
	return n_alarms == 1;
}

static bool pauses_for_an_interval_timer(struct waits *waits)
{
	struct itimerval timer = {.it_interval = {.tv_sec = waits->seconds / 2},
				  .it_value = {.tv_sec = waits->seconds / 2}};
	struct itimerval left;

	n_alarms = 0;
	setitimer(ITIMER_REAL, &timer, NULL);
	getitimer(ITIMER_REAL, &left);
	while (n_alarms < 2)
		pause();
	timer = (struct itimerval){0};
	setitimer(ITIMER_REAL, &timer, NULL);
	return left.it_value.tv_sec > 0 || left.it_value.tv_usec > 0;
}

static bool pauses_for_a_timer(struct waits *waits)
{
	struct sigevent how = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
	struct itimerspec timer = {.it_value = {.tv_sec = waits->seconds}};
	timer_t id;

	n_alarms = 0;
	if (timer_create(CLOCK_REALTIME, &how, &id) < 0)
		return false;
	timer_settime(id, 0, &timer, NULL);
	pause();
	timer_delete(id);
	return n_alarms == 1;
}

/* Half of the time is left, and the kernel says so. */
static bool is_cut_short_by_an_alarm(struct waits *waits)
{
	struct timespec length = {.tv_sec = 2 * (time_t)waits->seconds}, left = {0};

	alarm((unsigned)waits->seconds);
	if (nanosleep(&length, &left) == 0 || errno != EINTR)
		return false;
	return (double)left.tv_sec + (double)left.tv_nsec / 1e9 - waits->seconds < waits->slack_s &&
	       (double)left.tv_sec + (double)left.tv_nsec / 1e9 - waits->seconds > -waits->slack_s;
}

static bool reads_a_timer(struct waits *waits, int flags, struct itimerspec timer, int n_times)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	uint64_t n_expirations = 0, sum = 0;

	timerfd_settime(fd, flags, &timer, NULL);
	for (int i = 0; i < n_times; i++) {
		struct pollfd readable = {.fd = fd, .events = POLLIN};

		if (poll(&readable, 1, -1) != 1 ||
		    read(fd, &n_expirations, sizeof(n_expirations)) < 0)
			return false;
		sum += n_expirations;
	}
	close(fd);
	(void)waits;
	return sum == (uint64_t)n_times;
}

static bool reads_a_timer_of_a_length(struct waits *waits)
{
	struct itimerspec timer = {.it_value = {.tv_sec = waits->seconds}};

	return reads_a_timer(waits, 0, timer, 1);
}

static bool reads_a_timer_of_a_time(struct waits *waits)
{
	struct itimerspec timer = {.it_value = in(waits, CLOCK_MONOTONIC)};

	return reads_a_timer(waits, TFD_TIMER_ABSTIME, timer, 1);
}

static bool reads_a_timer_twice(struct waits *waits)
{
	struct itimerspec timer = {.it_value = {.tv_sec = waits->seconds / 2},
				   .it_interval = {.tv_sec = waits->seconds / 2}};

	return reads_a_timer(waits, 0, timer, 2);
}

static bool receives(struct waits *waits)
{
	struct timeval length = {.tv_sec = waits->seconds};
	int pair[2];
	char byte;
	bool right;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		return false;
	setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &length, sizeof(length));
	right = recv(pair[0], &byte, 1, 0) < 0 && errno == EAGAIN;
	close(pair[0]);
	close(pair[1]);
	return right;
}

static bool connects(struct waits *waits)
{
	struct timeval length = {.tv_sec = waits->seconds};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	bool right;

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &length, sizeof(length));
	right = connect(fd, (struct sockaddr *)&waits->server, sizeof(waits->server)) < 0 &&
		errno == EINPROGRESS;
	close(fd);
	return right;
}

static bool waits_for_a_child(struct waits *waits)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		sleep((unsigned)waits->seconds);
		_exit(7);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 7;
}

static bool runs_a_command(struct waits *waits)
{
	char command[64];

	snprintf(command, sizeof(command), "sleep %d", waits->seconds);
	return system(command) == 0; /* NOLINT(cert-env33-c): it is the test's own */
}

static void *sleep_in_a_thread(void *userdata)
{
	sleeps(userdata);
	return NULL;
}

static bool joins_a_thread(struct waits *waits)
{
	pthread_t thread;

	return pthread_create(&thread, NULL, sleep_in_a_thread, waits) == 0 &&
	       pthread_join(thread, NULL) == 0;
}

/* Sleeps 100 ms at a time, until the time has passed. */
static bool ticks(struct waits *waits)
{
	double until = now(CLOCK_MONOTONIC) + waits->seconds;

	while (now(CLOCK_MONOTONIC) < until)
		usleep(100000);
	return true;
}

/* Reads the clocks by system calls, past the C library and the vDSO. */
static bool sleeps_by_raw_clocks(struct waits *waits)
{
	struct timespec before, after;
	struct timeval day;

	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &before);
	sleeps(waits);
	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &after);
	syscall(SYS_gettimeofday, &day, NULL);
	return labs(after.tv_sec - before.tv_sec - waits->seconds) <= 1 &&
	       labs(day.tv_sec - time(NULL)) <= 1;
}

/* ---- all of them ---- */

static void try(struct waits *waits, const char *name, bool (*wait)(struct waits *waits))
{
	double monotonic = now(CLOCK_MONOTONIC), realtime = now(CLOCK_REALTIME);
	bool right = wait(waits);

	monotonic = now(CLOCK_MONOTONIC) - monotonic;
	realtime = now(CLOCK_REALTIME) - realtime;
	/* A timer's tick may be early by a rounding. */
	right = right && monotonic > waits->seconds - 0.001 &&
		monotonic < waits->seconds + waits->slack_s && realtime > waits->seconds - 0.001 &&
		realtime < waits->seconds + waits->slack_s;
	printf("%-36s %8.3f s %8.3f s %s\n", name, monotonic, realtime, right ? "right" : "WRONG");
	fflush(stdout);
	waits->n_wrong += !right;
}

static bool parse_server(const char *text, struct sockaddr_in *ret)
{
	char host[64];
	unsigned port;

	if (sscanf(text, "%63[^:]:%u", host, &port) != 2)
		return false;
	*ret = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	return inet_pton(AF_INET, host, &ret->sin_addr) == 1;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		bool (*wait)(struct waits *waits);
	} all[] = {
		{"nanosleep", sleeps},
		{"clock_nanosleep until realtime", sleeps_until_realtime},
		{"clock_nanosleep until monotonic", sleeps_until_monotonic},
		{"clock_nanosleep until boottime", sleeps_until_boottime},
		{"poll", polls},
		{"ppoll", ppolls},
		{"select", selects},
		{"pselect", pselects},
		{"select of nothing", selects_nothing},
		{"select beyond the table", selects_beyond_its_table},
		{"select of many", selects_many},
		{"epoll_wait", epolls},
		{"epoll_pwait2", epolls_in_nanoseconds},
		{"sem_timedwait", waits_for_a_semaphore},
		{"pthread_cond_timedwait", waits_for_a_condition},
		{"futex", waits_for_a_futex},
		{"sigtimedwait", waits_for_a_signal},
		{"semtimedop", waits_for_a_semaphore_of_system_v},
		{"alarm", pauses_until_an_alarm},
		{"setitimer", pauses_for_an_interval_timer},
		{"timer_settime", pauses_for_a_timer},
		{"nanosleep cut short", is_cut_short_by_an_alarm},
		{"timerfd, a length", reads_a_timer_of_a_length},
		{"timerfd, a time", reads_a_timer_of_a_time},
		{"timerfd, an interval", reads_a_timer_twice},
		{"SO_RCVTIMEO", receives},
		{"connect with SO_SNDTIMEO", connects},
		{"a child that sleeps", waits_for_a_child},
		{"a command that sleeps", runs_a_command},
		{"a thread that sleeps", joins_a_thread},
		{"ticks", ticks},
		{"raw readings of the clocks", sleeps_by_raw_clocks},
	};
	struct sigaction action = {.sa_handler = on_alarm};
	struct waits waits = {0};

	if (argc != 4 || !parse_server(argv[3], &waits.server) ||
	    pipe2(waits.pipe, O_CLOEXEC) < 0) {
		fprintf(stderr, "Usage: synfault-waits SECONDS SLACK-MS HOST:PORT\n");
		return 2;
	}
	waits.seconds = atoi(argv[1]);
	waits.slack_s = atof(argv[2]) / 1000;
	sigaction(SIGALRM, &action, NULL);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		try(&waits, all[i].name, all[i].wait);
	return waits.n_wrong > 0;
}
