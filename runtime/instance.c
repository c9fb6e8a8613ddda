/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A bundle in this kernel: libbpf's object, opened from memory, adapted, loaded and filled. */
#include "instance_private.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "cleanup.h"

#define LOG_BYTES ((size_t)16 << 20) /* untouched pages cost nothing */

static const struct {
	const char *name;
	uint32_t hook;
} programs[POLB_N_PROGRAMS] = {
	[POLB_CGROUP_IN] = {"polt_cgroup_in", POLB_HOOK_CGROUP},
	[POLB_CGROUP_OUT] = {"polt_cgroup_out", POLB_HOOK_CGROUP},
	[POLB_TC_FROM] = {"polt_tc_from", POLB_HOOK_TC},
	[POLB_TC_TO] = {"polt_tc_to", POLB_HOOK_TC},
};

__attribute__((format(printf, 3, 4))) static int fail(
	char error[POLB_ERROR_TEXT], int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, POLB_ERROR_TEXT, format, args);
	va_end(args);
	return err;
}

/* libbpf's first complaint of a load, kept for the case that it explains a failure. */
static __thread char complaint[256];

/* "prog 'NAME': ..." of a complaint. */
void polb_complaint_program(char out[POLB_PROGRAM_NAME])
{
	const char *name = strncmp(complaint, "prog '", 6) == 0 ? complaint + 6 : "";
	size_t n = strcspn(name, "'");

	snprintf(out, POLB_PROGRAM_NAME, "%.*s", (int)n, name);
}

static int keep_complaint(enum libbpf_print_level level, const char *format, va_list args)
{
	if (level == LIBBPF_WARN && !complaint[0]) {
		vsnprintf(complaint, sizeof(complaint), format, args);
		if (strncmp(complaint, "libbpf: ", 8) == 0)
			memmove(complaint, complaint + 8, strlen(complaint + 8) + 1);
		complaint[strcspn(complaint, "\n")] = '\0';
	}
	return 0;
}

libbpf_print_fn_t polb_complaint_begin(void)
{
	complaint[0] = '\0';
	return libbpf_set_print(keep_complaint);
}

const char *polb_complaint(void)
{
	return complaint;
}

/* The verifier's reason is its last line but for statistics; the source line it was at comes
 * before. */
static void explain_log(const char *log, char *out, size_t size)
{
	const char *reason = "", *source = "";
	size_t reason_n = 0, source_n = 0;

	for (const char *line = log; *line;) {
		size_t n = strcspn(line, "\n");

		if (strncmp(line, "Verification failed:", 20) == 0)
			break; /* from 7.x on the same follows at length */
		if (n > 2 && strncmp(line, "; ", 2) == 0) {
			source = line + 2;
			source_n = n - 2;
		} else if (n > 0 && strncmp(line, "processed ", 10) != 0 &&
			   strncmp(line, "verification time", 17) != 0 &&
			   strncmp(line, "stack depth", 11) != 0) {
			reason = line;
			reason_n = n;
		}
		line += n + (line[n] == '\n');
	}
	snprintf(out, size, "%.*s%s%.*s%s", (int)(reason_n < 110 ? reason_n : 110), reason,
		source_n ? " (at: " : "", (int)(source_n < 80 ? source_n : 80), source,
		source_n ? ")" : "");
}

static int load_failure(int err, const char *log, char error[POLB_ERROR_TEXT])
{
	char reason[220];

	explain_log(log, reason, sizeof(reason));
	if (reason[0])
		return fail(error, err, "the kernel refuses the program: %s", reason);
	if (err == -EPERM)
		return fail(error, err,
			"not permitted: needs CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN, and a kernel "
			"without lockdown");
	return fail(error, err, "cannot load: %s%s%s", complaint, complaint[0] ? ": " : "",
		strerror(-err));
}

bool polb_network_program(const char *name, uint32_t hooks)
{
	for (size_t i = 0; i < POLB_N_PROGRAMS; i++)
		if ((programs[i].hook & hooks) && strcmp(name, programs[i].name) == 0)
			return true;
	return false;
}

int polb_program_target(struct bpf_program *program, const struct polb_bundle *bundle,
	const struct polb_bundle_trace_program *p)
{
	bool targeted = false;

	switch ((enum polb_mechanism)p->mechanism) {
	case POLB_MECHANISM_FENTRY:
	case POLB_MECHANISM_FEXIT:
	case POLB_MECHANISM_FMOD_RET:
	case POLB_MECHANISM_LSM:
	case POLB_MECHANISM_LSM_SLEEPABLE:
	case POLB_MECHANISM_TP_BTF:
		targeted = true;
		break;
	case POLB_MECHANISM_KPROBE:
	case POLB_MECHANISM_KRETPROBE:
	case POLB_MECHANISM_TRACEPOINT:
	case POLB_MECHANISM_RAW_TRACEPOINT:
	case POLB_MECHANISM_UPROBE:
	case POLB_MECHANISM_URETPROBE:
	case POLB_MECHANISM_USDT:
	case POLB_N_MECHANISMS:
		break;
	}
	return targeted ? bpf_program__set_attach_target(
				  program, 0, polb_bundle_string(bundle, p->target))
			: 0;
}

/* The programs of one hook's chosen alternative. */
static int select_alternative(struct bpf_object *object, const struct polb_bundle *bundle,
	const struct polb_bundle_trace_alternative *alternative,
	const struct polb_instance_options *options, char error[POLB_ERROR_TEXT])
{
	for (__u32 i = 0; i < alternative->n_programs; i++) {
		const struct polb_bundle_trace_program *p =
			&bundle->trace_programs[alternative->first_program + i];
		const char *name = polb_bundle_string(bundle, p->name);
		struct bpf_program *program = bpf_object__find_program_by_name(object, name);
		int err;

		if (!program)
			return fail(error, -EINVAL, "the bundle has no program %s", name);
		bpf_program__set_autoload(program, true);
		err = polb_program_target(program, bundle, p);
		if (err && options->failed)
			snprintf(options->failed, POLB_PROGRAM_NAME, "%s", name);
		if (err)
			return fail(error, err, "this kernel has nothing named %s to attach to",
				polb_bundle_string(bundle, p->target));
	}
	return 0;
}

static int select_tracing(struct bpf_object *object, const struct polb_bundle *bundle,
	const struct polb_instance_options *options, char error[POLB_ERROR_TEXT])
{
	int err = 0;

	for (size_t i = 0; !err && i < bundle->n_trace_hooks; i++) {
		const struct polb_bundle_trace_hook *hook = &bundle->trace_hooks[i];
		uint32_t chosen = options->alternatives ? options->alternatives[i] : 0;

		if (chosen < hook->n_alternatives)
			err = select_alternative(object, bundle,
				&bundle->trace_alternatives[hook->first_alternative + chosen],
				options, error);
	}
	return err;
}

static int select_programs(struct bpf_object *object, const struct polb_bundle *bundle,
	uint32_t hooks, const struct polb_instance_options *options, char error[POLB_ERROR_TEXT])
{
	struct bpf_program *program;
	size_t found = 0;

	bpf_object__for_each_program(program, object)
	{
		bool wanted = polb_network_program(bpf_program__name(program), hooks);

		bpf_program__set_autoload(program, wanted);
		found += wanted;
	}
	if (hooks & POLB_HOOK_TRACE)
		return select_tracing(object, bundle, options, error);
	return found ? 0 : fail(error, -EINVAL, "the bundle has no program for the hooks");
}

/* Maps that only programs of a hook use which is not loaded. */
static int drop_unused_maps(struct bpf_object *object, uint32_t hooks)
{
	static const struct {
		const char *name;
		uint32_t hook;
	} owned[] = {{"polt_sockets", POLB_HOOK_CGROUP}, {"polt_cgroup", POLB_HOOK_CGROUP},
		{"polt_interfaces", POLB_HOOK_TC}};

	for (size_t i = 0; i < sizeof(owned) / sizeof(owned[0]); i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(object, owned[i].name);

		if (map && !(owned[i].hook & hooks) && bpf_map__set_autocreate(map, false))
			return -errno;
	}
	return 0;
}

static bool section_is_map(const char *section, const char *map)
{
	size_t n = strlen(map), plain = strlen(".rodata");

	if (strcmp(section, map) == 0)
		return true;
	return strcmp(section, ".rodata") == 0 && n > plain &&
	       strcmp(map + n - plain, ".rodata") == 0;
}

static struct bpf_map *map_of_section(struct bpf_object *object, const char *section)
{
	struct bpf_map *map;

	bpf_object__for_each_map(
		map, object) if (section_is_map(section, bpf_map__name(map))) return map;
	return NULL;
}

/* Sets a __u32 constant in the map of a read-only data section; -ENOENT when it is not in this one.
 */
static int set_in_section(struct bpf_object *object, const struct btf *btf,
	const struct btf_type *section, const char *name, uint32_t value)
{
	const struct btf_var_secinfo *var = btf_var_secinfos(section);
	struct bpf_map *map = map_of_section(object, btf__name_by_offset(btf, section->name_off));
	size_t size = 0;
	char *content = map ? (char *)bpf_map__initial_value(map, &size) : NULL;

	for (int i = 0; content && i < btf_vlen(section); i++, var++) {
		const struct btf_type *type = btf__type_by_id(btf, var->type);

		if (!type || strcmp(btf__name_by_offset(btf, type->name_off), name) != 0)
			continue;
		if (var->size != sizeof(value) || var->offset > size ||
			size - var->offset < sizeof(value))
			return -EINVAL;
		memcpy(content + var->offset, &value, sizeof(value));
		return 0;
	}
	return -ENOENT;
}

static int set_constant(struct bpf_object *object, const char *name, uint32_t value)
{
	const struct btf *btf = bpf_object__btf(object);
	__u32 n = btf ? btf__type_cnt(btf) : 0;

	for (__u32 id = 1; id < n; id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);
		int err;

		if (!btf_is_datasec(type) ||
			strncmp(btf__name_by_offset(btf, type->name_off), ".rodata", 7) != 0)
			continue;
		err = set_in_section(object, btf, type, name, value);
		if (err != -ENOENT)
			return err;
	}
	return -ENOENT;
}

static int share_fd(const struct polb_instance_options *options, const char *name)
{
	if (strcmp(name, "polt_control") == 0)
		return options->control_fd;
	return strcmp(name, "polt_flows") == 0 ? options->flows_fd : -1;
}

static int adapt_map(struct bpf_object *object, const struct polb_map_plan *plan,
	const struct polb_instance_options *options, char error[POLB_ERROR_TEXT])
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, plan->name);
	int shared = share_fd(options, plan->name), err = 0;

	if (!map)
		return plan->needed ? fail(error, -EINVAL, "the bundle has no map %s", plan->name)
				    : 0;
	if (plan->entries > UINT32_MAX)
		return fail(error, -E2BIG, "map %s is too large", plan->name);
	if (shared >= 0)
		err = bpf_map__reuse_fd(map, shared);
	else if (plan->entries)
		err = bpf_map__set_max_entries(map, (__u32)plan->entries);
	if (err)
		return fail(error, err, "map %s: %s", plan->name, strerror(-err));
	if ((plan->key_size && bpf_map__key_size(map) != plan->key_size) ||
		(plan->value_size && bpf_map__value_size(map) != plan->value_size))
		return fail(error, -EINVAL, "map %s has another layout than its data", plan->name);
	return 0;
}

static int fill_map(struct bpf_object *object, const struct polb_map_plan *plan,
	const struct polb_bundle *bundle, const struct polb_instance_options *options,
	char error[POLB_ERROR_TEXT])
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, plan->name);
	int fd = map ? bpf_map__fd(map) : -1, err = 0;

	if (fd < 0)
		return 0;
	if (plan->fill)
		err = plan->fill(fd, bundle, options);
	if (!err && plan->freeze && bpf_map_freeze(fd))
		err = -errno;
	return err ? fail(error, err, "cannot fill map %s: %s", plan->name, strerror(-err)) : 0;
}

static int set_constants(struct bpf_object *object, const struct polb_bundle *bundle,
	const struct polb_instance_options *options, char error[POLB_ERROR_TEXT])
{
	const struct {
		const char *name;
		uint32_t value;
		bool needed;
	} constants[] = {
		{"polt_generation", options->generation, true},
		{"polt_port_classes", bundle->manifest.n_port_classes,
			bundle->manifest.hooks & ~(uint32_t)POLB_HOOK_TRACE},
		/* a kernel before 6.18 refuses the program, and with it the hook */
		{"polt_registers_writable", 1, false},
		{"polt_string_seed", bundle->manifest.string_seed, false},
	};

	for (size_t i = 0; i < sizeof(constants) / sizeof(constants[0]); i++)
		if (set_constant(object, constants[i].name, constants[i].value) &&
			constants[i].needed)
			return fail(
				error, -EINVAL, "the bundle has no constant %s", constants[i].name);
	return 0;
}

/* What each map of the bundle holds: those of packets, then those of tracing. */
struct plans {
	struct polb_map_plan all[POLB_N_MAP_PLANS + POLB_N_TRACE_MAP_PLANS];
	size_t n;
};

static void plan_maps(const struct polb_bundle *bundle, uint32_t hooks,
	const struct polb_instance_options *options, struct plans *out)
{
	static const char *const shared[] = {"polt_control", "polt_events"};
	struct polb_map_plan network[POLB_N_MAP_PLANS];

	polb_map_plans(bundle, options, network);
	out->n = 0;
	for (size_t i = 0; i < POLB_N_MAP_PLANS; i++)
		if ((bundle->manifest.hooks & ~(uint32_t)POLB_HOOK_TRACE) ||
			strcmp(network[i].name, shared[0]) == 0 ||
			strcmp(network[i].name, shared[1]) == 0)
			out->all[out->n++] = network[i];
	if (!(hooks & POLB_HOOK_TRACE))
		return;
	polb_trace_map_plans(bundle, options, out->all + out->n);
	out->n += POLB_N_TRACE_MAP_PLANS;
}

/* Maps and constants as the bundle and the options want them. */
static int adapt_object(struct bpf_object *object, const struct polb_bundle *bundle, uint32_t hooks,
	const struct polb_instance_options *options, struct plans *plans,
	char error[POLB_ERROR_TEXT])
{
	int err = drop_unused_maps(object, hooks);

	if (err)
		return fail(error, err, "cannot leave maps out: %s", strerror(-err));
	err = set_constants(object, bundle, options, error);
	if (err)
		return err;
	plan_maps(bundle, hooks, options, plans);
	for (size_t i = 0; !err && i < plans->n; i++)
		err = adapt_map(object, &plans->all[i], options, error);
	return err;
}

int polb_object_adapt(struct bpf_object *object, const struct polb_bundle *bundle,
	const struct polb_instance_options *options, char error[POLB_ERROR_TEXT])
{
	struct plans plans;

	return adapt_object(object, bundle, bundle->manifest.hooks, options, &plans, error);
}

static int load_object(struct bpf_object *object, const struct polb_bundle *bundle,
	const struct polb_instance_options *options, const char *log, char error[POLB_ERROR_TEXT])
{
	uint32_t hooks = options->hooks ? options->hooks : bundle->manifest.hooks;
	struct plans plans;
	int err = select_programs(object, bundle, hooks, options, error);

	if (!err)
		err = adapt_object(object, bundle, hooks, options, &plans, error);
	if (!err)
		err = polb_object_is_ours(object, bundle, error);
	if (err)
		return err;
	err = bpf_object__load(object);
	if (err && options->failed)
		polb_complaint_program(options->failed);
	if (err)
		return load_failure(err, log, error);
	for (size_t i = 0; !err && i < plans.n; i++)
		err = fill_map(object, &plans.all[i], bundle, options, error);
	return err;
}

static int open_and_load(const struct polb_bundle *bundle,
	const struct polb_instance_options *options, struct polb_instance *instance,
	char error[POLB_ERROR_TEXT])
{
	POLB_FREE char *log = malloc(LOG_BYTES);
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "polc", .kernel_log_buf = log,
		.kernel_log_size = LOG_BYTES);

	if (!log)
		return fail(error, -ENOMEM, "out of memory");
	log[0] = '\0';
	instance->object = bpf_object__open_mem(bundle->data, bundle->size, &opts);
	if (!instance->object)
		return fail(error, -EINVAL, "libbpf cannot read the object: %s",
			complaint[0] ? complaint : strerror(errno));
	return load_object(instance->object, bundle, options, log, error);
}

int polb_instance_load(const struct polb_bundle *bundle,
	const struct polb_instance_options *options, struct polb_instance **out,
	char error[POLB_ERROR_TEXT])
{
	struct polb_instance *instance = calloc(1, sizeof(*instance));
	libbpf_print_fn_t previous;
	int err;

	if (!instance)
		return fail(error, -ENOMEM, "out of memory");
	if (options->failed)
		options->failed[0] = '\0';
	previous = polb_complaint_begin();
	err = open_and_load(bundle, options, instance, error);
	libbpf_set_print(previous);
	if (err) {
		polb_instance_free(instance);
		return err;
	}
	*out = instance;
	return 0;
}

void polb_instance_free(struct polb_instance *instance)
{
	if (!instance)
		return;
	bpf_object__close(instance->object);
	free(instance);
}

int polb_instance_program_fd(const struct polb_instance *instance, enum polb_program program)
{
	struct bpf_program *found =
		bpf_object__find_program_by_name(instance->object, programs[program].name);
	int fd = found ? bpf_program__fd(found) : -1;

	return fd < 0 ? -ENOENT : fd;
}

int polb_instance_map_fd(const struct polb_instance *instance, const char *name)
{
	struct bpf_map *map = bpf_object__find_map_by_name(instance->object, name);
	int fd = map ? bpf_map__fd(map) : -1;

	return fd < 0 ? -ENOENT : fd;
}

struct bpf_program *polb_instance_program(const struct polb_instance *instance, const char *name)
{
	struct bpf_program *found = bpf_object__find_program_by_name(instance->object, name);

	return found && bpf_program__fd(found) >= 0 ? found : NULL;
}

static int control_map(int control_fd, struct polb_control **out)
{
	void *page = mmap(NULL, sizeof(struct polb_control), PROT_READ | PROT_WRITE, MAP_SHARED,
		control_fd, 0);

	if (page == MAP_FAILED)
		return -errno;
	*out = page;
	return 0;
}

int polb_control_store(int control_fd, uint32_t generation, uint32_t epoch)
{
	struct polb_control *control = NULL;
	int err = control_map(control_fd, &control);

	if (err)
		return err;
	__atomic_store_n(
		&control->generation_epoch, (uint64_t)generation << 32 | epoch, __ATOMIC_SEQ_CST);
	munmap(control, sizeof(*control));
	return 0;
}

int polb_control_load(int control_fd, uint32_t *generation, uint32_t *epoch)
{
	struct polb_control *control = NULL;
	int err = control_map(control_fd, &control);
	uint64_t cell;

	if (err)
		return err;
	cell = __atomic_load_n(&control->generation_epoch, __ATOMIC_SEQ_CST);
	munmap(control, sizeof(*control));
	*generation = (uint32_t)(cell >> 32);
	*epoch = (uint32_t)cell;
	return 0;
}

uint32_t polb_epoch_next(uint32_t epoch)
{
	return (epoch + 1) & ~POLB_EPOCH_CHANGING;
}

int polb_instance_test_endpoint(
	struct polb_instance *instance, uint32_t endpoint_number, uint32_t ifindex)
{
	int config_fd = polb_instance_map_fd(instance, "polt_config");
	int interfaces_fd = polb_instance_map_fd(instance, "polt_interfaces");
	struct polb_config config;
	__u32 zero = 0;

	if (config_fd < 0)
		return config_fd;
	if (bpf_map_lookup_elem(config_fd, &zero, &config))
		return -errno;
	config.fallback_endpoint = endpoint_number;
	if (bpf_map_update_elem(config_fd, &zero, &config, BPF_ANY))
		return -errno;
	if (interfaces_fd >= 0 &&
		bpf_map_update_elem(interfaces_fd, &ifindex, &endpoint_number, BPF_ANY))
		return -errno;
	return 0;
}
