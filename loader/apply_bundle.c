/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* apply and rollback: the bundle and what is said about it, from a file or from a generation kept.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "apply.h"
#include "runtime/cleanup.h"

static int find_node(struct pold_apply *a)
{
	const char *node = a->options->node;
	size_t size = sizeof(a->told.node);

	if (!node && gethostname(a->told.node, size - 1))
		return pold_fail(POLD_ENVIRONMENT, "no host name: %s", strerror(errno));
	if (node && strlen(node) >= size)
		return pold_fail(POLD_USAGE, "--node: too long");
	if (node)
		snprintf(a->told.node, size, "%s", node);
	return POLD_OK;
}

/* The bytes that were read are those that are loaded. */
static int check_signature(struct pold_apply *a, const char *what)
{
	struct pold_signer signer = {.is_signed = false};
	int code = pold_trust_check(a->options, what, &a->bundle, &signer);

	a->told.is_signed = signer.is_signed;
	memcpy(a->told.signed_by, signer.key_id, sizeof(a->told.signed_by));
	return code;
}

static void tell_time(struct pold_archive_header *told)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	told->applied_ns = (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
	told->applied_boot_ns = pold_boot_ns();
}

static enum pold_absent absent_of(const char *word)
{
	if (word && strcmp(word, "wait") == 0)
		return POLD_ABSENT_WAIT;
	return word && strcmp(word, "create") == 0 ? POLD_ABSENT_CREATE : POLD_ABSENT_REFUSE;
}

static void tell_options(struct pold_archive_header *told, const struct pold_options *o)
{
	told->adopt_s = o->adopt_s;
	told->room = o->room;
	told->processes = o->processes;
	told->ring_bytes = o->ring_bytes;
	told->avoid = o->avoid;
	told->audit = o->audit;
	told->absent = (uint8_t)absent_of(o->absent);
	snprintf(told->file, sizeof(told->file), "%s", o->arguments[0]);
}

int pold_apply_read_file(struct pold_apply *a)
{
	const char *path = a->options->arguments[0];
	char error[POLB_ERROR_TEXT];
	size_t size = 0;
	int code, err = polb_file_read(path, &a->file, &size);

	if (err)
		return pold_fail(POLD_ENVIRONMENT, "%s: %s", path, strerror(-err));
	a->told.size = size;
	if (polb_bundle_read(a->file, size, &a->bundle, error))
		return pold_fail(POLD_BAD, "%s: not a usable bundle: %s", path, error);
	code = check_signature(a, path);
	if (code)
		return code;
	tell_options(&a->told, a->options);
	tell_time(&a->told);
	/* packet filtering needs no CAP_SYS_ADMIN; what is returned to may trace */
	if (!(a->bundle.manifest.hooks & POLB_HOOK_TRACE) && a->options->confirm_s < 0 &&
		!a->options->health)
		pold_privileges_no_numbers();
	return find_node(a);
}

static void options_told(struct pold_options *o, const struct pold_archive_header *told)
{
	static const char *const words[] = {"refuse", "wait", "create"};

	o->adopt_s = told->adopt_s;
	o->room = told->room;
	o->processes = told->processes;
	o->ring_bytes = told->ring_bytes;
	o->avoid = told->avoid;
	o->audit = told->audit;
	o->absent = words[told->absent <= POLD_ABSENT_CREATE ? told->absent : 0];
}

int pold_apply_read_kept(struct pold_apply *a, struct pold_options *options)
{
	POLD_STATE kept = POLD_STATE_INIT;
	char error[POLB_ERROR_TEXT], what[64];
	int err = pold_state_generation(&kept, a->name, a->from);

	if (err)
		return pold_fail(POLD_ENVIRONMENT, "cannot read generation %u of %s: %s", a->from,
			a->name, strerror(-err));
	a->told = *kept.archive;
	a->told.node[sizeof(a->told.node) - 1] = '\0';
	a->file = malloc(a->told.size);
	if (!a->file)
		return pold_fail(POLD_ENVIRONMENT, "out of memory");
	memcpy(a->file, pold_state_file(&kept), a->told.size);
	if (polb_bundle_read(a->file, a->told.size, &a->bundle, error))
		return pold_fail(
			POLD_BAD, "generation %u: not a usable bundle: %s", a->from, error);
	options_told(options, &a->told);
	tell_time(&a->told);
	snprintf(what, sizeof(what), "generation %u of %.40s", a->from, a->name);
	return check_signature(a, what);
}
