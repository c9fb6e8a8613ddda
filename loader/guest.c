/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * polload as /init of a machine that polc boots to ask a kernel: mounts what BPF needs, answers on
 * the second serial port, powers off. The word after "--" on the kernel's command line says what is
 * wanted: "verify" (the bundles /0, /1, ...) or "facts" (what a target is made of). Steps go to the
 * console, one line each, after "polc: ".
 */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "loader.h"
#include "verify.h"

#define ANSWER "/dev/ttyS1"

static const struct {
	const char *type, *where;
} mounts[] = {
	{"proc", "/proc"},
	{"sysfs", "/sys"},
	{"devtmpfs", "/dev"},
	{"tmpfs", "/tmp"},
	{"bpf", "/sys/fs/bpf"},
	{"cgroup2", "/sys/fs/cgroup"},
	{"debugfs", "/sys/kernel/debug"},
	{"tracefs", "/sys/kernel/tracing"},
	{"securityfs", "/sys/kernel/security"},
};

/* A kernel without one of them goes on: what is missing then is missing for apply too. */
static void mount_all(void)
{
	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		mkdir(mounts[i].where, 0755);
		if (mount(mounts[i].type, mounts[i].where, mounts[i].type, 0, NULL) &&
			errno != EBUSY)
			printf("polc: cannot mount %s: %s\n", mounts[i].where, strerror(errno));
	}
}

/* The port with no translation of line ends. */
static FILE *open_answer(void)
{
	struct termios how;
	int fd = open(ANSWER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	FILE *out;

	if (fd < 0 || tcgetattr(fd, &how)) {
		printf("polc: no second serial port: %s\n", strerror(errno));
		return NULL;
	}
	cfmakeraw(&how);
	how.c_cflag |= CLOCAL;
	cfsetspeed(&how, B115200);
	tcsetattr(fd, TCSANOW, &how);
	out = fdopen(fd, "w");
	if (out)
		setvbuf(out, NULL, _IOFBF, 1 << 16);
	return out;
}

static void verify(FILE *out)
{
	char path[32];

	pold_verify_begin(out);
	for (unsigned int i = 0; snprintf(path, sizeof(path), "/%u", i), !access(path, R_OK); i++) {
		printf("polc: verifying bundle %u\n", i + 1);
		pold_verify_bundle(out, i, path);
	}
	pold_verify_end(out);
}

static void answer(const char *what)
{
	FILE *out = open_answer();

	if (!out)
		return;
	if (strcmp(what, "verify") == 0)
		verify(out);
	else if (strcmp(what, "facts") == 0)
		pold_guest_facts(out);
	else
		printf("polc: asked for %s, which is unknown\n", what);
	fflush(out);
	tcdrain(fileno(out));
	fclose(out);
	printf("polc: done\n");
}

int pold_guest_main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("polc: booted\n");
	mount_all();
	answer(argc > 1 ? argv[argc - 1] : "");
	fflush(stdout);
	sync();
	reboot(LINUX_REBOOT_CMD_POWER_OFF);
	return POLD_ENVIRONMENT;
}
