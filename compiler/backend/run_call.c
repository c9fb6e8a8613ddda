/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Described calls on compiled programs: compile, load, lay each call out, run, look what happened.
 */
#include "run_call.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../runtime/cleanup.h"
#include "../../runtime/instance_private.h"
#include "../../runtime/trace_tables.h"
#include "backend.h"
#include "described.h"

enum { GENERATION = 1, USER_BYTES = 1 << 20, CHAIN_PIDS = 0x40000000 };

struct runner {
	struct polc *polc;
	const struct polc_tracing_plan *plan;
	struct polc_bundle_builder builder; /* of the tables alone */
	struct bpf_object *object;
	struct btf *btf;
	struct polc_layout layout;
	size_t map_size;
	int n_cpus;
	POLC_VEC(uint32_t) processes; /* keys of records of the current call */
};

static int complain(const char *what, int error)
{
	polc_environment_error("cannot run calls in this kernel: %s: %s", what, strerror(-error));
	return error;
}

static int map_fd(const struct runner *r, const char *name)
{
	return bpf_object__find_map_fd_by_name(r->object, name);
}

/* ---- programs and maps ---- */

static int compile(struct runner *r, void **object, size_t *size)
{
	struct polc_buf config = {.arena = &r->polc->arena}, programs = {.arena = &r->polc->arena};
	const struct polc_build_options options = {.only_tracing = true};

	polc_emit_described_config(r->plan, &config);
	polc_emit_described_programs(r->plan, &programs);
	const struct polc_generated generated = {.config = config.p, .tracing = programs.p};

	return polc_clang_compile_generated(r->polc, &generated, &options, object, size);
}

/* The tables of a bundle, without its object. */
static void fill_tables(struct runner *r, const struct polc_build_options *options)
{
	struct polc_bundle_builder *b = &r->builder;

	b->polc = r->polc;
	b->options = options;

	polc_bundle_strings_init(&b->strings, &r->polc->arena);
	polc_bundle_strings_init(&b->source_strings, &r->polc->arena);
	polc_bundle_fill_tracing(b);
	b->bundle.manifest.hooks = POLB_HOOK_TRACE;
}

static bool is_described(const struct bpf_program *program)
{
	const char *name = bpf_program__name(program), *end = strrchr(name, '_');

	return end && (!strcmp(end, "_described") || !strcmp(end, "_returned") ||
			      !strcmp(name, "polt_described_where"));
}

static int load_programs(struct runner *r)
{
	const struct polb_instance_options options = {
		.generation = GENERATION, .control_fd = -1, .flows_fd = -1, .processes = 1024};
	struct polb_map_plan plans[POLB_N_TRACE_MAP_PLANS];
	char error[POLB_ERROR_TEXT] = "";
	struct bpf_program *program;
	int err;

	bpf_object__for_each_program(program, r->object)
		bpf_program__set_autoload(program, is_described(program));
	err = polb_object_adapt(r->object, &r->builder.bundle, &options, error);
	if (err) {
		polc_environment_error("cannot run calls in this kernel: %s", error);
		return err;
	}
	libbpf_print_fn_t previous = polb_complaint_begin();

	err = bpf_object__load(r->object);
	libbpf_set_print(previous);
	if (err)
		return complain(*polb_complaint() ? polb_complaint() : "the programs", err);
	polb_trace_map_plans(&r->builder.bundle, &options, plans);
	for (size_t i = 0; i < POLB_N_TRACE_MAP_PLANS && !err; i++) {
		int fd = map_fd(r, plans[i].name);

		if (fd >= 0 && plans[i].fill)
			err = plans[i].fill(fd, &r->builder.bundle, &options);
	}
	return err ? complain("maps", err) : 0;
}

static int run_program(struct runner *r, const char *name, const uint64_t *words, int32_t *result)
{
	const struct bpf_program *program = bpf_object__find_program_by_name(r->object, name);
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = words,
		.ctx_size_in = POLB_DESCRIBED_WORDS * sizeof(*words));

	if (!program)
		POLC_BUG("no program %s", name);
	int err = bpf_prog_test_run_opts(bpf_program__fd(program), &opts);

	if (err)
		return complain("BPF_PROG_TEST_RUN", err);
	*result = (int32_t)opts.retval;
	return 0;
}

static int activate(struct runner *r)
{
	const struct polb_control control = {(uint64_t)GENERATION << 32 | 1};
	struct polb_trace_config config = {0};
	uint32_t zero = 0;

	for (unsigned i = 0; i < POLB_N_NAMESPACES; i++)
		config.host_namespaces[i] = polc_described_host_namespace(i);
	if (bpf_map_update_elem(map_fd(r, "polt_control"), &zero, &control, 0) ||
		bpf_map_update_elem(map_fd(r, "polt_trace_config"), &zero, &config, 0))
		return complain("maps", -errno);
	return 0;
}

static int map_memory(struct runner *r)
{
	const uint64_t words[POLB_DESCRIBED_WORDS] = {0};
	long page = sysconf(_SC_PAGESIZE);
	int32_t result;

	r->map_size = (sizeof(struct polb_described) + POLB_DESCRIBED_BYTES + (size_t)page - 1) &
		      ~((size_t)page - 1);
	void *memory = mmap(NULL, r->map_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		map_fd(r, "polt_described"), 0);

	if (memory == MAP_FAILED)
		return complain("memory", -errno);
	r->layout.head = memory;
	return run_program(r, "polt_described_where", words, &result);
}

static int open_runner(struct runner *r, const struct polc_build_options *options)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "polc");
	POLB_FREE void *object = NULL;
	size_t size;
	int err = compile(r, &object, &size);

	if (err)
		return err;
	fill_tables(r, options);
	r->btf = btf__load_vmlinux_btf();
	if (!r->btf)
		return complain("BTF", -errno);
	r->object = bpf_object__open_mem(object, size, &opts);
	if (!r->object)
		return complain("the object", -errno);
	r->n_cpus = libbpf_num_possible_cpus();
	r->layout = (struct polc_layout){
		.arena = &r->polc->arena,
		.plan = r->plan,
		.btf = r->btf,
		.user = malloc(USER_BYTES),
		.user_size = USER_BYTES,
	};
	if (!r->layout.user)
		return -ENOMEM;
	err = load_programs(r);
	if (!err)
		err = activate(r);
	return err ? err : map_memory(r);
}

static void close_runner(struct runner *r)
{
	if (r->layout.head)
		munmap(r->layout.head, r->map_size);
	free(r->layout.user);
	bpf_object__close(r->object);
	btf__free(r->btf);
}

/* ---- the process's record ---- */

static uint64_t classify(const struct runner *r, uint32_t word, const struct polc_call_string *path)
{
	if (path->said != POLC_SAID)
		return 0;
	return polb_trace_classify(&r->builder.bundle, word, path->text.bytes, path->text.n);
}

static void set_bits(
	const struct runner *r, const struct polc_call_process *process, uint64_t *bits)
{
	uint32_t n = r->plan->binary_words;

	for (uint32_t w = 0; w < n; w++) {
		uint64_t parent = classify(r, w, &process->parent), above = 0;

		for (size_t i = 0; i < process->ancestors.texts.n; i++) {
			const struct polc_string *text = &process->ancestors.texts.items[i];

			if (process->ancestors.said == POLC_SAID)
				above |= polb_trace_classify(
					&r->builder.bundle, w, text->bytes, text->n);
		}
		bits[w] = classify(r, w, &process->binary);
		bits[n + w] = parent | above;
		bits[2 * n + w] = parent;
		bits[3 * n + w] = above;
	}
}

/* What changed-ns names was another one at exec. */
static void set_old_namespaces(const struct polc_call_process *process, struct polb_process *record)
{
	for (unsigned i = 0; i < POLB_N_NAMESPACES; i++) {
		uint32_t now = polc_described_namespace(&process->ns[i], i);

		record->namespaces[i] = now;
		if (process->changes_said)
			record->namespaces[i] = process->changed_ns >> i & 1 ? now + 1000 : now;
		else if (process->old_ns[i].said != POLC_NOT_SAID)
			record->namespaces[i] = polc_described_namespace(&process->old_ns[i], i);
	}
}

static int put_record(struct runner *r, uint32_t pid, const void *record)
{
	*polc_vec_push(&r->polc->arena, &r->processes) = pid;
	return bpf_map_update_elem(map_fd(r, "polt_processes"), &pid, record, 0) ? -errno : 0;
}

/* Ancestors have records as well: they are asked for their numbers alone. */
static int put_ancestors(struct runner *r, const struct polc_call_process *process,
	struct polb_process *record, size_t size)
{
	const struct polc_call_list *pids = &process->ancestor_pids,
				    *ns_pids = &process->ancestor_ns_pids;
	size_t n = pids->numbers.n > ns_pids->numbers.n ? pids->numbers.n : ns_pids->numbers.n;
	int err = 0;

	for (size_t i = n; i-- && !err;) {
		struct polb_process *own = polc_arena_alloc(&r->polc->arena, size);

		own->pid = i < pids->numbers.n ? (uint32_t)pids->numbers.items[i]
					       : CHAIN_PIDS + (uint32_t)i;
		own->ns_pid = i < ns_pids->numbers.n ? (uint32_t)ns_pids->numbers.items[i] : 0;
		if (own->pid == record->pid)
			polc_layout_fail(&r->layout, "a process is its own ancestor");
		own->parent_pid = record->parent_pid;
		record->parent_pid = own->pid;
		err = put_record(r, own->pid, own);
	}
	return err;
}

static int put_process(struct runner *r, const struct polc_call_process *process)
{
	size_t size = sizeof(struct polb_process) + 4 * sizeof(uint64_t) * r->plan->binary_words;
	struct polb_process *record = polc_arena_alloc(&r->polc->arena, size);

	if (process->unknown)
		return 0;
	record->exec_id = 1;
	record->pid = (uint32_t)(r->layout.head->thread >> 32);
	record->ns_pid = (uint32_t)process->ns_pid.value;
	record->flags =
		process->binary.said == POLC_UNREADABLE ? POLB_PROCESS_NO_PATH : POLB_PROCESS_EXEC;
	for (unsigned i = 0; i < POLB_N_CAPS; i++)
		record->caps[i] = process->old_caps[i].value;
	set_old_namespaces(process, record);
	set_bits(r, process, (uint64_t *)(record + 1));
	int err = put_ancestors(r, process, record, size);

	return err ? err : put_record(r, record->pid, record);
}

static int put_workload(struct runner *r, const struct polc_call_process *process)
{
	const struct polc_tracing *tracing = r->plan->tracing;
	uint64_t *words = POLC_NEW_ARRAY(&r->polc->arena, r->plan->workload_words + 1, uint64_t);
	uint64_t cgroup = r->layout.head->cgroup;
	int fd = map_fd(r, "polt_workloads");

	if (fd < 0)
		return 0;
	bpf_map_delete_elem(fd, &cgroup);
	if (process->workload.host || !process->workload_said)
		return 0;
	for (size_t i = 0; i < tracing->n_workloads; i++)
		if (polb_workload_holds(&tracing->workloads[i].match, &process->workload) > 0)
			words[i / 64] |= UINT64_C(1) << i % 64;
	return bpf_map_update_elem(fd, &cgroup, words, 0) ? -errno : 0;
}

/* ---- one call ---- */

static void forget_call(struct runner *r)
{
	uint32_t thread = (uint32_t)r->layout.head->thread;
	int enforcer = map_fd(r, "polt_enforcer"), processes = map_fd(r, "polt_processes");

	if (enforcer >= 0)
		bpf_map_delete_elem(enforcer, &thread);
	for (size_t i = 0; i < r->processes.n; i++)
		bpf_map_delete_elem(processes, &r->processes.items[i]);
	r->processes.n = 0;
	r->layout.used = r->layout.user_used = 0;
	r->layout.files = 0;
	r->layout.n_files = 0;
	r->layout.why = NULL;
}

/* Sum over all processors. */
static struct polb_trace_counter counter(const struct runner *r, uint32_t selector)
{
	struct polb_trace_counter *values =
		POLC_NEW_ARRAY(&r->polc->arena, (size_t)r->n_cpus, struct polb_trace_counter);
	struct polb_trace_counter sum = {0};

	if (bpf_map_lookup_elem(map_fd(r, "polt_trace_counters"), &selector, values))
		return sum;
	for (int i = 0; i < r->n_cpus; i++) {
		sum.matched += values[i].matched;
		sum.posted += values[i].posted + values[i].lost;
	}
	return sum;
}

struct counters {
	struct polb_trace_counter *items; /* by selector; the last: specs without */
};

static struct counters count(const struct runner *r, const struct polc_call *call)
{
	uint32_t n = r->plan->tracing->n_selectors;
	struct counters out = {
		POLC_NEW_ARRAY(&r->polc->arena, (size_t)n + 1, struct polb_trace_counter)};

	out.items[n] = counter(r, n);
	for (size_t i = 0; i < call->members.n; i++) {
		const struct polc_trace_spec *spec =
			&r->plan->tracing->specs[call->members.items[i].spec];

		for (size_t k = 0; k < spec->selectors.n; k++) {
			uint32_t number = spec->selectors.items[k].number;

			out.items[number] = counter(r, number);
		}
	}
	return out;
}

static void find_match(const struct runner *r, const struct polc_trace_spec *spec,
	const struct counters *before, const struct counters *after,
	struct polc_call_run_match *out)
{
	uint32_t n = r->plan->tracing->n_selectors;

	out->selector = POLC_NO_SELECTOR;
	if (!spec->selectors.n) {
		out->matched = after->items[n].matched != before->items[n].matched;
		out->posts = after->items[n].posted != before->items[n].posted;
	}
	for (size_t i = 0; i < spec->selectors.n; i++) {
		uint32_t number = spec->selectors.items[i].number;

		if (after->items[number].matched == before->items[number].matched)
			continue;
		out->matched = true;
		out->selector = number;
		out->posts = after->items[number].posted != before->items[number].posted;
	}
}

static bool has_member(const struct polc_trace_hook *hook, const struct polc_call *call)
{
	for (uint32_t i = 0; i < hook->n_members; i++)
		for (size_t k = 0; k < call->members.n; k++)
			if (polc_described_is_member(&hook->members[i], &call->members.items[k]))
				return true;
	return false;
}

static const char *program_name(
	struct runner *r, const struct polc_trace_hook *hook, const char *part)
{
	return polc_arena_printf(&r->polc->arena, "polt_h%u_%s", hook->number, part);
}

/* Calls that specs of the hook took for theirs although they are on another hook of the described
 * call: those of a list of system calls at sys_enter. */
static uint64_t count_others(
	const struct runner *r, const struct polc_trace_hook *hook, const struct polc_call *call)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < hook->n_members; i++) {
		const struct polc_trace_spec *spec =
			&r->plan->tracing->specs[hook->members[i].spec];
		bool own = false;

		for (size_t k = 0; k < call->members.n; k++)
			own |= call->members.items[k].spec == hook->members[i].spec;
		for (size_t k = 0; k < spec->selectors.n && !own; k++)
			n += counter(r, spec->selectors.items[k].number).matched;
	}
	return n;
}

/* A call whose entry was replaced returns what was put in its place. */
static int run_hook(struct runner *r, const struct polc_trace_hook *hook,
	const struct polc_call *call, struct polc_call_run *out)
{
	const char *returned = program_name(r, hook, "returned");
	int32_t error = 0, ignored;

	polc_layout_values(&r->layout, call, hook);
	if (r->layout.why)
		return 0;
	uint64_t others = count_others(r, hook, call);
	int err = run_program(r, program_name(r, hook, "described"), r->layout.words, &error);

	if (err)
		return err;
	if (count_others(r, hook, call) != others)
		polc_layout_fail(&r->layout, "policies on the system call act at the same place");
	if (error && !out->has_error) {
		out->has_error = true;
		out->error = error;
	}
	if (!bpf_object__find_program_by_name(r->object, returned))
		return 0;
	if (error && !r->layout.word_widths[POLB_DESCRIBED_RESULT])
		r->layout.words[POLB_DESCRIBED_RESULT] = (uint64_t)(int64_t)error;
	return run_program(r, returned, r->layout.words, &ignored);
}

/* An error that no program on the hook has taken. */
static void find_owed(const struct runner *r, struct polc_call_run *out)
{
	uint32_t thread = (uint32_t)r->layout.head->thread;
	int fd = map_fd(r, "polt_enforcer");
	struct {
		int32_t error;
		uint32_t number;
		uint64_t rest[3];
	} owed = {0};

	if (fd < 0 || bpf_map_lookup_elem(fd, &thread, &owed) || out->has_error)
		return;
	out->has_error = out->owed = true;
	out->error = owed.error;
}

static int run_call(struct runner *r, const struct polc_call *call, struct polc_call_run *out)
{
	struct polc_call_run_match *matches =
		POLC_NEW_ARRAY(&r->polc->arena, call->members.n + 1, struct polc_call_run_match);
	int err;

	*out = (struct polc_call_run){.matches = matches, .n_matches = call->members.n};
	polc_layout_process(&r->layout, call);
	err = put_process(r, &call->process);
	if (!err)
		err = put_workload(r, &call->process);
	struct counters before = count(r, call);

	for (uint32_t i = 0; i < r->plan->n_hooks && !err && !r->layout.why; i++)
		if (has_member(&r->plan->hooks[i], call))
			err = run_hook(r, &r->plan->hooks[i], call, out);
	struct counters after = count(r, call);

	for (size_t i = 0; i < call->members.n; i++)
		find_match(r, &r->plan->tracing->specs[call->members.items[i].spec], &before,
			&after, &matches[i]);
	find_owed(r, out);
	out->signals = r->layout.head->signals;
	out->why = r->layout.why;
	forget_call(r);
	return err;
}

int polc_run_calls(struct polc *polc, const struct polc_tracing *tracing,
	const struct polc_tracing_options *options, const struct polc_call *const *calls, size_t n,
	struct polc_call_run *results)
{
	struct runner r = {.polc = polc, .plan = polc_plan_tracing(polc, tracing, options)};
	struct polc_build_options build = {.tracing = r.plan, .only_tracing = true};
	int err;

	if (!r.plan)
		return -EINVAL;
	err = open_runner(&r, &build);
	for (size_t i = 0; i < n && !err; i++)
		err = run_call(&r, calls[i], &results[i]);
	close_runner(&r);
	return err;
}

/* ---- comparison ---- */

static const char *match_difference(struct polc_arena *arena, size_t i,
	const struct polc_call_match *match, const struct polc_call_run_match *run)
{
	bool matched = match->matched == POLC_CALL_YES;

	if (matched != run->matched || match->selector != run->selector)
		return polc_arena_printf(arena,
			"spec %u (entry %zu on the hook): selector %d by the evaluator, %d by the "
			"programs",
			match->spec, i + 1, matched ? (int)match->selector : -2,
			run->matched ? (int)run->selector : -2);
	if (match->sure.posts != run->posts)
		return polc_arena_printf(arena, "spec %u (entry %zu on the hook): %s", match->spec,
			i + 1,
			run->posts ? "an event only by the programs"
				   : "an event only by the evaluator");
	return NULL;
}

const char *polc_call_run_difference(struct polc_arena *arena,
	const struct polc_call_decision *decision, const struct polc_call_run *run)
{
	const struct polc_call_effect *effect = &decision->sure;

	if (run->why || !decision->certain)
		return NULL;
	for (size_t i = 0; i < run->n_matches && i < decision->matches.n; i++) {
		const char *difference =
			match_difference(arena, i, &decision->matches.items[i], &run->matches[i]);

		if (difference)
			return difference;
	}
	if (effect->has_error != run->has_error || effect->error != run->error ||
		effect->owed != run->owed)
		return polc_arena_printf(arena, "error %d%s by the evaluator, %d%s by the programs",
			effect->error, effect->owed ? " (owed)" : "", run->error,
			run->owed ? " (owed)" : "");
	if ((effect->signal != 0) != (run->signals != 0) ||
		(effect->signal && !(run->signals >> (effect->signal & 63) & 1)))
		return polc_arena_printf(arena,
			"signal %u by the evaluator, signals 0x%llx by the programs",
			effect->signal, (unsigned long long)run->signals);
	return NULL;
}
