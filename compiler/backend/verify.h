/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Bundles before real verifiers: that of the running kernel, and those of kernel images booted for
 * it (vm.h). From what polload reports (loader/verify.h) to a judgement that an author can use:
 * which programs are accepted at what cost, why others are not and which line of which policy that
 * is about, which alternative of each hook would be taken. Prints nothing but the environment's
 * errors.
 */
#ifndef POLC_VERIFY_H
#define POLC_VERIFY_H

#include "../../runtime/bundle.h"
#include "verify_log.h"
#include "vm.h"

#define POLC_MARGIN_PERCENT 60 /* of a limit: from here on there is a warning */
#define POLC_STACK_BYTES 512   /* the kernel's limit */

/* A line of a policy that a program comes from. */
struct polc_verify_place {
	const char *file; /* NULL: the bundle was built without source, or is about packets */
	uint32_t line;
	const char *text; /* "policy files, kprobe tcp_connect, selector 2"; NULL: none is known */
};

struct polc_verified_program {
	const char *name;
	const char *hook; /* "cgroup ingress", "fentry tcp_connect" */
	bool told, accepted;
	bool over_limit; /* accepted, but beyond --max-insns */
	struct polc_verifier_log log;
	uint32_t stack_bytes; /* of the deepest chain of calls */
	struct polc_verify_place place;
	bool packets; /* of the network: always needed */
	bool needed;  /* some hook takes it; refused otherwise is no failure */
};
struct polc_verified_alternative {
	const char *mechanism; /* "fexit", "fmod_ret + fexit" */
	bool possible;         /* apply gets as far as loading it, and it loads */
	bool missing;          /* the kernel lacks what it is to be attached to */
	const char *why;       /* not possible: plain words */
	const struct polc_verified_program *refused; /* the program that is, or NULL */
};
struct polc_verified_hook {
	const char *text;
	struct polc_verified_alternative *alternatives;
	uint32_t n_alternatives;
	uint32_t taken; /* POLB_NO_ALTERNATIVE: none is possible */
	bool left_out;  /* none, and its policy says that this is fine */
	struct polc_verify_place place;
};
struct polc_verified_bundle {
	const char *path;
	const char *error; /* it could not be asked about at all */
	struct polc_verified_program *programs;
	size_t n_programs;
	struct polc_verified_hook *hooks;
	uint32_t n_hooks;
	bool refused;
};
struct polc_verified_kernel {
	const char *release;
	const char *failure; /* it could not be asked */
	struct polc_verified_bundle *bundles;
	bool refused; /* some bundle is */
};

/* A bundle that has been read. */
struct polc_verify_input {
	const char *path;
	struct polb_bundle bundle;
};
struct polc_verify_options {
	const char *const *kernels; /* images, names; "running" is this kernel */
	size_t n_kernels;           /* 0: this kernel only */
	const char *polload;
	enum polc_accelerator accelerator;
	unsigned timeout_s, jobs;
	uint64_t max_insns; /* 0: the kernel's own limit */
	void (*progress)(void *context, const char *release, const char *step, unsigned seconds);
	void *context;
};
/*
 * Asks all kernels about all bundles; *out has as many as there are kernels, in their order. 0, or
 * -errno with the environment's error printed (no qemu, no such image); a kernel that does not
 * answer is in *out.
 */
int polc_verify(struct polc *polc, const struct polc_verify_input *inputs, size_t n_inputs,
	const struct polc_verify_options *options, struct polc_verified_kernel **out, size_t *n);

/* ---- between the files behind it ---- */

/* Reads a report of one kernel into out->bundles, which are prepared. 0, or -EINVAL: cut or of
 * another version. */
int polc_verify_read_report(struct polc *polc, const char *report, size_t size, size_t n_bundles,
	struct polc_verified_kernel *out);
/* Programs and hooks of a bundle, nothing told yet. */
void polc_verify_prepare(
	struct polc *polc, const struct polc_verify_input *input, struct polc_verified_bundle *out);
/* From what was told: hooks, what is needed, whether the bundle is refused. */
void polc_verify_judge(struct polc *polc, const struct polc_verify_input *input, uint64_t max_insns,
	struct polc_verified_bundle *verified);

/* verify_running.c: what `polload verify` prints of the bundles. 0; -EIO: it has said why not; or
 * -errno. */
int polc_run_polload(struct polc *polc, const char *program, const struct polc_verify_input *inputs,
	size_t n_inputs, char **answer, size_t *size);

/* verify_place.c: the selector of a program's instruction, else the spec of the program with the
 * most selectors; by the lines of generated C in its BTF. */
struct polc_verify_place polc_verify_place_of(struct polc *polc, const struct polb_bundle *bundle,
	const char *program, int64_t instruction);

/* Why a program that is refused or beyond --max-insns is that, in plain words. */
const char *polc_verify_why(const struct polc_verified_program *program);

/* A percentage of a limit, rounded down. */
static inline unsigned polc_verify_percent(uint64_t value, uint64_t limit)
{
	return limit ? (unsigned)(value * 100 / limit) : 0;
}

#endif
