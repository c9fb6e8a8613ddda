/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sync --watch DIR: every file of a directory is a source, all together are the inventory. Sleeps
 * until a file, a place of an endpoint or the time of an expiry calls; what cannot be read leaves
 * the last good version of its file in force.
 */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "notify.h"
#include "places.h"
#include "runtime/cleanup.h"
#include "sync.h"

#define QUIET_MS 50   /* files come in groups: wait until nothing more comes */
#define GATHER_MS 500 /* but not for ever */
#define RETRY_MS 5000

struct file { /* of the directory; sources[i] is what it last said well */
	char name[256];
	struct stat stat; /* of the version that was last looked at */
	bool seen;
};

struct watch {
	const struct pold_options *options;
	int inotify_fd, signal_fd;
	struct pold_places_watch places;
	struct file *files;
	struct pold_sync_source *sources; /* text NULL: no good version yet */
	size_t n;
	uint32_t speaks;
	uint32_t next_expiry_s;
	bool retry, stop;
};

static void watch_close(struct watch *w)
{
	polb_cleanup_fd(&w->inotify_fd);
	polb_cleanup_fd(&w->signal_fd);
	pold_places_watch_close(&w->places);
	for (size_t i = 0; i < w->n; i++) {
		free(w->sources[i].path);
		free(w->sources[i].text);
	}
	free(w->sources);
	free(w->files);
}

/* ---- files ---- */

static void drop_file(struct watch *w, size_t i)
{
	free(w->sources[i].path);
	free(w->sources[i].text);
	w->n--;
	memmove(&w->sources[i], &w->sources[i + 1], (w->n - i) * sizeof(*w->sources));
	memmove(&w->files[i], &w->files[i + 1], (w->n - i) * sizeof(*w->files));
}

/* Its index, made when it is new, in the order of names. -1: no memory. */
static long find_file(struct watch *w, const char *name)
{
	struct pold_sync_source *sources;
	struct file *files;
	char *path = NULL;
	size_t i = 0;

	while (i < w->n && strcmp(w->files[i].name, name) < 0)
		i++;
	if (i < w->n && strcmp(w->files[i].name, name) == 0)
		return (long)i;
	files = realloc(w->files, (w->n + 1) * sizeof(*files));
	w->files = files ? files : w->files;
	sources = realloc(w->sources, (w->n + 1) * sizeof(*sources));
	w->sources = sources ? sources : w->sources;
	if (!files || !sources || asprintf(&path, "%s/%s", w->options->watch, name) < 0)
		return -1;
	memmove(&sources[i + 1], &sources[i], (w->n - i) * sizeof(*sources));
	memmove(&files[i + 1], &files[i], (w->n - i) * sizeof(*files));
	sources[i] = (struct pold_sync_source){.path = path};
	files[i] = (struct file){0};
	snprintf(files[i].name, sizeof(files[i].name), "%s", name);
	w->n++;
	return (long)i;
}

/* What a file says was true when it was written. */
static uint32_t written_s(const struct stat *stat)
{
	int64_t age = (int64_t)time(NULL) - stat->st_mtime, now = pold_boot_s();

	age = age < 0 ? 0 : age;
	return age < now ? (uint32_t)(now - age) : 1;
}

static bool same_version(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static bool is_good(const struct pold_sync_source *source)
{
	POLD_INVENTORY inventory = {0};

	return pold_inventory_read(&inventory, source->path, source->text, source->size, 0) ==
	       POLD_OK;
}

/* True when the file says something new. */
static bool read_version(struct pold_sync_source *old, const struct stat *stat)
{
	struct pold_sync_source new = {.path = old->path, .read_s = written_s(stat)};
	void *data = NULL;
	int err = polb_file_read(old->path, &data, &new.size);

	new.text = data;
	if (err || !is_good(&new)) {
		pold_note("%s: %s%s", old->path, err ? strerror(-err) : "not taken",
			old->text ? ": what it said before stays" : "");
		free(data);
		return false;
	}
	free(old->text);
	*old = new;
	return true;
}

static bool is_source(const char *name)
{
	size_t n = strlen(name);

	return n && n < sizeof(((struct file *)0)->name) && name[0] != '.' && name[n - 1] != '~';
}

static bool look_at(struct watch *w, const char *name)
{
	char path[POLD_PATH * 2];
	struct stat now;
	long i;

	snprintf(path, sizeof(path), "%s/%s", w->options->watch, name);
	if (!is_source(name) || stat(path, &now) || !S_ISREG(now.st_mode))
		return false;
	i = find_file(w, name);
	if (i < 0)
		return false;
	w->files[i].seen = true;
	if (same_version(&w->files[i].stat, &now))
		return false;
	w->files[i].stat = now;
	return read_version(&w->sources[i], &now);
}

static void close_directory(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

/* *changed: something is to be synced. Exit code. */
static int look_at_all(struct watch *w, bool *changed)
{
	__attribute__((cleanup(close_directory))) DIR *directory = opendir(w->options->watch);

	if (!directory)
		return pold_fail(POLD_ENVIRONMENT, "%s: %s", w->options->watch, strerror(errno));
	for (size_t i = 0; i < w->n; i++)
		w->files[i].seen = false;
	for (struct dirent *entry; (entry = readdir(directory));)
		*changed |= look_at(w, entry->d_name);
	for (size_t i = w->n; i-- > 0;)
		if (!w->files[i].seen) {
			*changed |= w->sources[i].text != NULL;
			drop_file(w, i);
		}
	return POLD_OK;
}

/* ---- syncing ---- */

static void sync_now(struct watch *w)
{
	struct pold_sync_sources good = {.items = calloc(w->n + 1, sizeof(*good.items))};
	struct pold_sync_result result = {0};

	for (size_t i = 0; good.items && i < w->n; i++)
		if (w->sources[i].text)
			good.items[good.n++] = w->sources[i];
	w->retry = !good.items;
	if (good.n || w->speaks)
		w->retry =
			pold_sync_all(w->options, &good, &w->speaks, &result) == POLD_ENVIRONMENT;
	fflush(stdout);
	w->next_expiry_s = result.next_expiry_s;
	free(good.items);
	pold_places_watch_update(&w->places);
}

static int wait_ms(const struct watch *w)
{
	uint32_t now = pold_boot_s();

	if (w->retry)
		return RETRY_MS;
	if (!w->next_expiry_s)
		return -1;
	/* a second later than the entry's, so that it has expired whatever was rounded */
	return w->next_expiry_s < now ? 1000 : (int)(w->next_expiry_s - now + 1) * 1000;
}

/* What happened is found by looking: the events themselves only wake. */
static void drain(int fd)
{
	char buffer[8192];

	while (read(fd, buffer, sizeof(buffer)) > 0)
		;
}

static bool take_signal(struct watch *w)
{
	struct signalfd_siginfo info;

	if (read(w->signal_fd, &info, sizeof(info)) != sizeof(info))
		return false;
	w->stop |= info.ssi_signo != SIGHUP;
	return info.ssi_signo == SIGHUP;
}

/* Until files have been quiet for a moment. */
static void gather(struct watch *w)
{
	struct pollfd fd = {.fd = w->inotify_fd, .events = POLLIN};

	for (int waited = 0; waited < GATHER_MS && poll(&fd, 1, QUIET_MS) > 0; waited += QUIET_MS)
		drain(w->inotify_fd);
}

static void refresh_places(struct watch *w)
{
	struct pold_refreshed refreshed;

	if (!pold_places_watch_handle(&w->places))
		return;
	pold_places_watch_update(&w->places);
	if (pold_places_refresh_all(&refreshed))
		w->retry = true;
}

/* One sleep and what it was woken for. Exit code. */
static int turn(struct watch *w)
{
	struct pollfd fds[] = {{.fd = w->inotify_fd, .events = POLLIN},
		{.fd = w->signal_fd, .events = POLLIN},
		{.fd = w->places.epoll_fd, .events = POLLIN}};
	int n = poll(fds, 3, wait_ms(w)), code = POLD_OK;
	bool changed = n == 0;

	if (fds[1].revents & POLLIN)
		changed |= take_signal(w);
	if (w->stop)
		return POLD_OK;
	if (fds[2].revents & POLLIN)
		refresh_places(w);
	if (fds[0].revents & POLLIN) {
		drain(w->inotify_fd);
		gather(w);
		code = look_at_all(w, &changed);
	}
	if (!code && changed)
		sync_now(w);
	return code;
}

static int watch_open(struct watch *w)
{
	const uint32_t events = IN_CLOSE_WRITE | IN_MOVE | IN_CREATE | IN_DELETE | IN_ATTRIB |
				IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
	sigset_t signals;
	int err;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	w->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	w->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (w->signal_fd < 0 || w->inotify_fd < 0)
		return pold_fail(POLD_ENVIRONMENT, "cannot watch: %s", strerror(errno));
	if (inotify_add_watch(w->inotify_fd, w->options->watch, events) < 0)
		return pold_fail(POLD_ENVIRONMENT, "%s: %s", w->options->watch, strerror(errno));
	err = pold_places_watch_open(&w->places);
	return err ? pold_fail(POLD_ENVIRONMENT, "cannot watch for places: %s", strerror(-err))
		   : POLD_OK;
}

int pold_sync_watch(const struct pold_options *options)
{
	__attribute__((cleanup(watch_close))) struct watch w = {.options = options,
		.inotify_fd = -1,
		.signal_fd = -1,
		.places = POLD_PLACES_WATCH_INIT};
	int code = pold_privileged();
	bool changed = false;

	if (!code && options->dry_run)
		code = pold_fail(POLD_USAGE, "--dry-run is not for --watch");
	if (!code)
		code = watch_open(&w);
	if (!code)
		code = look_at_all(&w, &changed);
	if (!code)
		sync_now(&w);
	if (!code)
		pold_notify("READY=1");
	while (!code && !w.stop)
		code = turn(&w);
	pold_notify("STOPPING=1");
	return code;
}
