/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Addresses of stacks as symbols: the kernel's from /proc/kallsyms, a program's from its mappings
 * and the symbol tables of the mapped files, found through /proc/PID/map_files, which knows deleted
 * files and other mount namespaces too. Files are not trusted.
 */
#include "events.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elf_file.h"
#include "runtime/cleanup.h"

#define FILES 32u
#define MAX_FILE_BYTES (256 << 20)
#define NT_BUILD_ID 3

struct symbol {
	uint64_t address;
	uint32_t name, module; /* offsets in the table's text; 0: "" */
};
struct table {
	struct symbol *symbols;
	size_t n, room;
	struct polb_text text;
};
struct file {
	uint64_t device, inode; /* inode 0: unused */
	uint64_t used;
	char *path;
	struct table table; /* by file offset */
};
struct pold_symbols {
	bool kernel_read;
	struct table kernel;
	struct file files[FILES];
	uint64_t clock;
};

struct pold_symbols *pold_symbols_new(void)
{
	return calloc(1, sizeof(struct pold_symbols));
}

static void table_free(struct table *table)
{
	free(table->symbols);
	polb_text_free(&table->text);
	*table = (struct table){0};
}

static void file_free(struct file *file)
{
	table_free(&file->table);
	free(file->path);
	*file = (struct file){0};
}

void pold_symbols_free(struct pold_symbols *symbols)
{
	if (!symbols)
		return;
	table_free(&symbols->kernel);
	for (size_t i = 0; i < FILES; i++)
		file_free(&symbols->files[i]);
	free(symbols);
}

static uint32_t add_text(struct table *table, const char *text)
{
	size_t at;

	if (!table->text.size)
		polb_text_add(&table->text, "", 1);
	at = table->text.size;
	if (!*text || at > UINT32_MAX / 2)
		return 0;
	polb_text_add(&table->text, text, strlen(text) + 1);
	return table->text.failed ? 0 : (uint32_t)at;
}

static void table_add(struct table *table, uint64_t address, const char *name, const char *module)
{
	struct symbol *larger;

	if (table->n == table->room) {
		size_t room = table->room ? 2 * table->room : 1024;

		larger = reallocarray(table->symbols, room, sizeof(*larger));
		if (!larger)
			return;
		table->symbols = larger;
		table->room = room;
	}
	table->symbols[table->n++] =
		(struct symbol){address, add_text(table, name), add_text(table, module)};
}

static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return (x->address > y->address) - (x->address < y->address);
}

static void table_sort(struct table *table)
{
	if (table->n)
		qsort(table->symbols, table->n, sizeof(*table->symbols), by_address);
}

/* The last symbol at or below an address. */
static const struct symbol *table_find(const struct table *table, uint64_t address)
{
	size_t low = 0, high = table->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (table->symbols[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &table->symbols[low - 1] : NULL;
}

static const char *table_text(const struct table *table, uint32_t offset)
{
	return offset ? table->text.data + offset : "";
}

static void read_kernel(struct pold_symbols *symbols)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	char line[1024], name[512], module[128], type;
	uint64_t address;

	symbols->kernel_read = true;
	while (file && fgets(line, sizeof(line), file)) {
		int n = sscanf(
			line, "%" SCNx64 " %c %511s [%127[^]]", &address, &type, name, module);

		if (n >= 3 && address && strchr("tTwW", type))
			table_add(&symbols->kernel, address, name, n == 4 ? module : "");
	}
	if (file)
		fclose(file);
	table_sort(&symbols->kernel);
}

void pold_symbols_kernel(
	struct pold_symbols *symbols, const uint64_t *addresses, size_t n, struct polb_frame *out)
{
	if (n && !symbols->kernel_read)
		read_kernel(symbols);
	for (size_t i = 0; i < n; i++) {
		const struct symbol *symbol = table_find(&symbols->kernel, addresses[i]);

		out[i] = (struct polb_frame){.address = addresses[i], .symbol = "", .module = ""};
		if (!symbol)
			continue;
		out[i].offset = addresses[i] - symbol->address;
		out[i].symbol = table_text(&symbols->kernel, symbol->name);
		out[i].module = table_text(&symbols->kernel, symbol->module);
	}
}

/* --- programs ----------------------------------------------------------------------------------
 */

/*
 * A copy, not a mapping of the file: who truncates a mapped file ends its readers with SIGBUS, and
 * the one who does so may be the one that is watched.
 */
static int open_elf(const char *path, struct pold_elf *out)
{
	POLB_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct pold_elf file = {0};
	struct stat st;
	void *data;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(Elf32_Ehdr) ||
		st.st_size > MAX_FILE_BYTES)
		return -ENOEXEC;
	file.size = (size_t)st.st_size;
	data = mmap(NULL, file.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (data == MAP_FAILED)
		return -errno;
	file.data = data;
	elf_version(EV_CURRENT);
	if (pread(fd, data, file.size, 0) == (ssize_t)file.size)
		file.elf = elf_memory(data, file.size);
	if (!file.elf || elf_kind(file.elf) != ELF_K_ELF) {
		pold_elf_close(&file);
		return -ENOEXEC;
	}
	*out = file;
	return 0;
}

/* Functions of one symbol table, by their place in the file. */
static void read_functions(struct table *table, const struct pold_elf *elf, const char *section)
{
	GElf_Shdr header;
	Elf_Data *data;
	GElf_Sym symbol;

	if (!pold_elf_section(elf, section, &header, &data))
		return;
	for (int i = 0; gelf_getsym(data, i, &symbol); i++) {
		const char *name = elf_strptr(elf->elf, header.sh_link, symbol.st_name);
		uint64_t offset;

		if (GELF_ST_TYPE(symbol.st_info) == STT_FUNC && symbol.st_value && name &&
			pold_elf_offset(elf, symbol.st_value, &offset))
			table_add(table, offset, name, "");
	}
}

static void read_file_symbols(struct table *table, const char *path)
{
	POLD_ELF elf = {0};

	if (open_elf(path, &elf))
		return;
	read_functions(table, &elf, ".symtab");
	if (!table->n)
		read_functions(table, &elf, ".dynsym");
	table_sort(table);
}

/* One line of /proc/PID/maps. */
struct mapping {
	uint64_t start, end, offset, device, inode;
	char path[PATH_MAX];
};

static bool parse_mapping(const char *line, struct mapping *out)
{
	unsigned int major, minor;
	int at = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %x:%x %" SCNu64 " %n",
		    &out->start, &out->end, &out->offset, &major, &minor, &out->inode, &at) < 6)
		return false;
	out->device = (uint64_t)major << 32 | minor;
	snprintf(out->path, sizeof(out->path), "%s", at ? line + at : "");
	out->path[strcspn(out->path, "\n")] = '\0';
	return true;
}

static struct file *file_of(
	struct pold_symbols *symbols, uint32_t pid, const struct mapping *mapping)
{
	struct file *oldest = &symbols->files[0];
	char path[96];

	symbols->clock++;
	for (size_t i = 0; i < FILES; i++) {
		struct file *file = &symbols->files[i];

		if (file->inode == mapping->inode && file->device == mapping->device) {
			file->used = symbols->clock;
			return file;
		}
		if (file->used < oldest->used)
			oldest = file;
	}
	file_free(oldest);
	*oldest = (struct file){.device = mapping->device,
		.inode = mapping->inode,
		.used = symbols->clock,
		.path = strdup(mapping->path)};
	snprintf(path, sizeof(path), "/proc/%u/map_files/%" PRIx64 "-%" PRIx64, pid, mapping->start,
		mapping->end);
	read_file_symbols(&oldest->table, path);
	return oldest;
}

static void frame_in(struct pold_symbols *symbols, uint32_t pid, const struct mapping *mapping,
	struct polb_frame *out)
{
	const struct file *file;
	const struct symbol *symbol;

	out->offset = out->address - mapping->start + mapping->offset;
	if (!mapping->inode) {
		out->module = strcmp(mapping->path, "[vdso]") == 0 ? "[vdso]" : "";
		return;
	}
	file = file_of(symbols, pid, mapping);
	symbol = table_find(&file->table, out->offset);
	if (symbol)
		out->symbol = table_text(&file->table, symbol->name);
	if (file->path)
		out->module = file->path;
}

/*
 * More files than FILES in one stack would let go of names that earlier frames borrow: frames
 * beyond that many mappings stay without a name.
 */
void pold_symbols_user(struct pold_symbols *symbols, uint32_t pid, const uint64_t *addresses,
	size_t n, struct polb_frame *out)
{
	char path[32], line[PATH_MAX + 128];
	struct mapping mapping;
	unsigned int files = 0;
	FILE *maps;

	for (size_t i = 0; i < n; i++)
		out[i] = (struct polb_frame){.address = addresses[i], .symbol = "", .module = ""};
	snprintf(path, sizeof(path), "/proc/%u/maps", pid);
	maps = n ? fopen(path, "re") : NULL;
	while (maps && files < FILES && fgets(line, sizeof(line), maps)) {
		bool used = false;

		if (!parse_mapping(line, &mapping))
			continue;
		for (size_t i = 0; i < n; i++)
			if (addresses[i] >= mapping.start && addresses[i] < mapping.end) {
				frame_in(symbols, pid, &mapping, &out[i]);
				used = true;
			}
		files += used;
	}
	if (maps)
		fclose(maps);
}

/* --- build ids ---------------------------------------------------------------------------------
 */

struct build_id {
	unsigned char *bytes;
	size_t size, max;
};

static bool take_build_id(void *context, const unsigned char *desc, size_t size)
{
	struct build_id *id = context;

	if (size > id->max)
		return true;
	memcpy(id->bytes, desc, size);
	id->size = size;
	return false;
}

size_t pold_build_id(uint32_t pid, struct polb_slice path, unsigned char *out, size_t max)
{
	struct build_id id = {.bytes = out, .max = max};
	struct polb_text full = {0};
	POLD_ELF elf = {0};

	if (!path.size || memchr(path.data, '\0', path.size))
		return 0;
	polb_text_printf(&full, "/proc/%u/root", pid);
	polb_text_add(&full, path.data, path.size);
	if (open_elf(polb_text_string(&full), &elf) == 0)
		pold_elf_notes(&elf, ".note.gnu.build-id", "GNU", NT_BUILD_ID, take_build_id, &id);
	polb_text_free(&full);
	return id.size;
}
