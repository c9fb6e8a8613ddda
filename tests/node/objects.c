/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* See objects.h. */
#include "objects.h"

#include <ftw.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PINS "/sys/fs/bpf/polc"
#define MAX_PINS 400

static const char *const kind_names[N_OBJECT_KINDS] = {"maps", "programs", "links", "BTFs"};

static int bpf_id(int command, uint32_t id)
{
	union bpf_attr attr = {0};

	attr.map_id = id; /* start_id of GET_NEXT_ID too */
	return (int)syscall(SYS_bpf, command, &attr, sizeof(attr));
}

static bool is_alive(const struct object *object)
{
	static const int commands[N_OBJECT_KINDS] = {BPF_MAP_GET_FD_BY_ID, BPF_PROG_GET_FD_BY_ID,
		BPF_LINK_GET_FD_BY_ID, BPF_BTF_GET_FD_BY_ID};
	int fd = bpf_id(commands[object->kind], object->id);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

void objects_alive(struct objects *made, uint32_t alive[N_OBJECT_KINDS])
{
	size_t left = 0;

	memset(alive, 0, N_OBJECT_KINDS * sizeof(*alive));
	for (size_t i = 0; i < made->n; i++) {
		if (!is_alive(&made->items[i]))
			continue;
		alive[made->items[i].kind]++;
		made->items[left++] = made->items[i];
	}
	made->n = left;
}

void objects_count_all(uint32_t counts[N_OBJECT_KINDS])
{
	static const int commands[N_OBJECT_KINDS] = {BPF_MAP_GET_NEXT_ID, BPF_PROG_GET_NEXT_ID,
		BPF_LINK_GET_NEXT_ID, BPF_BTF_GET_NEXT_ID};

	for (size_t kind = 0; kind < N_OBJECT_KINDS; kind++) {
		union bpf_attr attr = {0};

		counts[kind] = 0;
		while (syscall(SYS_bpf, commands[kind], &attr, sizeof(attr)) == 0) {
			counts[kind]++;
			attr.start_id = attr.next_id;
		}
	}
}

static char *pin_paths[MAX_PINS];
static size_t n_pin_paths;

/* "/default/g17/bundle" -> "/default/g*\/bundle": which generation it is does not matter. */
static int add_pin(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
	char text[512], *to = text;

	(void)stat, (void)type, (void)ftw;
	for (const char *at = path + strlen(PINS); *at && to < text + sizeof(text) - 2;) {
		bool generation = at[0] == '/' && at[1] == 'g' && at[2] >= '1' && at[2] <= '9';

		*to++ = *at++;
		if (!generation)
			continue;
		*to++ = *at++;
		*to++ = '*';
		at += strspn(at, "0123456789");
	}
	*to = '\0';
	if (n_pin_paths < MAX_PINS)
		pin_paths[n_pin_paths++] = strdup(text);
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list_pins(struct inventory *out)
{
	size_t used = 0;

	n_pin_paths = 0;
	nftw(PINS, add_pin, 8, FTW_PHYS);
	qsort(pin_paths, n_pin_paths, sizeof(*pin_paths), compare);
	out->pins = (uint32_t)n_pin_paths;
	out->listing[0] = '\0';
	for (size_t i = 0; i < n_pin_paths; i++) {
		if (pin_paths[i][0] && used + strlen(pin_paths[i]) + 2 < sizeof(out->listing))
			used += (size_t)sprintf(out->listing + used, "%s\n", pin_paths[i]);
		free(pin_paths[i]);
	}
}

void inventory_take(struct objects *made, struct inventory *out)
{
	objects_alive(made, out->alive);
	list_pins(out);
}

/* The first line of `a` that `b` lacks. */
static const char *extra_line(const char *a, const char *b, char *out, size_t size)
{
	while (*a) {
		size_t n = strcspn(a, "\n");

		snprintf(out, size, "%.*s\n", (int)n, a);
		if (!strstr(b, out)) {
			out[n < size ? n : size - 1] = '\0';
			return out;
		}
		a += n + 1;
	}
	return NULL;
}

static int compare_inventories(
	const struct inventory *is, const struct inventory *wanted, char *why, size_t size)
{
	char line[600];
	int n = 0;

	if (extra_line(is->listing, wanted->listing, line, sizeof(line)))
		return snprintf(why, size, "pin too many: %s", line);
	if (extra_line(wanted->listing, is->listing, line, sizeof(line)))
		return snprintf(why, size, "pin missing: %s", line);
	for (size_t i = 0; i < N_OBJECT_KINDS; i++)
		if (is->alive[i] > wanted->alive[i])
			n += snprintf(why + n, size - (size_t)n, "%u %s are alive, not %u; ",
				is->alive[i], kind_names[i], wanted->alive[i]);
	return n;
}

int inventory_differs(
	struct objects *made, const struct inventory *wanted, char *why, size_t why_size)
{
	static struct inventory is;
	int different = 1;

	for (int try = 0; different && try < 400; try++) {
		if (try)
			usleep(try < 20 ? 20000 : 100000);
		inventory_take(made, &is);
		different = compare_inventories(&is, wanted, why, why_size);
	}
	return different;
}
