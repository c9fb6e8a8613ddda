/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A program or library on disk: addresses to file offsets, symbols, notes. */
#include "elf_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "runtime/cleanup.h"

int pold_elf_open(const char *path, struct pold_elf *out)
{
	POLB_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct pold_elf file = {0};
	struct stat status;
	void *data;

	if (fd < 0 || fstat(fd, &status))
		return -errno;
	if (!S_ISREG(status.st_mode) || status.st_size < (off_t)sizeof(Elf64_Ehdr))
		return -ENOEXEC;
	file.size = (size_t)status.st_size;
	data = mmap(NULL, file.size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return -errno;
	file.data = data;
	elf_version(EV_CURRENT);
	file.elf = elf_memory(data, file.size);
	if (!file.elf || elf_kind(file.elf) != ELF_K_ELF) {
		pold_elf_close(&file);
		return -ENOEXEC;
	}
	*out = file;
	return 0;
}

void pold_elf_close(struct pold_elf *file)
{
	if (file->elf)
		elf_end(file->elf);
	if (file->data)
		munmap((void *)(uintptr_t)file->data, file->size);
	*file = (struct pold_elf){0};
}

bool pold_elf_offset(const struct pold_elf *file, uint64_t address, uint64_t *out)
{
	size_t n = 0;

	if (elf_getphdrnum(file->elf, &n))
		return false;
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr segment;

		if (!gelf_getphdr(file->elf, (int)i, &segment) || segment.p_type != PT_LOAD ||
			address < segment.p_vaddr || address - segment.p_vaddr >= segment.p_filesz)
			continue;
		*out = address - segment.p_vaddr + segment.p_offset;
		return *out < file->size;
	}
	return false;
}

bool pold_elf_section(
	const struct pold_elf *file, const char *name, GElf_Shdr *header, Elf_Data **data)
{
	size_t names = 0;

	if (elf_getshdrstrndx(file->elf, &names))
		return false;
	for (Elf_Scn *s = NULL; (s = elf_nextscn(file->elf, s));) {
		const char *found = gelf_getshdr(s, header)
					    ? elf_strptr(file->elf, names, header->sh_name)
					    : NULL;

		if (!found || strcmp(found, name) != 0)
			continue;
		*data = elf_getdata(s, NULL);
		return true;
	}
	return false;
}

/* Adds an offset unless it is there already; the count may exceed `max`. */
static size_t add_offset(uint64_t *offsets, size_t n, size_t max, uint64_t offset)
{
	for (size_t i = 0; i < n && i < max; i++)
		if (offsets[i] == offset)
			return n;
	if (n < max)
		offsets[n] = offset;
	return n + 1;
}

static size_t in_table(const struct pold_elf *file, Elf_Scn *section, const GElf_Shdr *header,
	const char *name, uint64_t *offsets, size_t n, size_t max)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t count = header->sh_entsize ? header->sh_size / header->sh_entsize : 0;

	for (size_t i = 0; data && i < count && i < INT32_MAX; i++) {
		const char *found;
		uint64_t offset;
		GElf_Sym symbol;

		if (!gelf_getsym(data, (int)i, &symbol) ||
			GELF_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_shndx == SHN_UNDEF)
			continue;
		found = elf_strptr(file->elf, header->sh_link, symbol.st_name);
		if (found && strcmp(found, name) == 0 &&
			pold_elf_offset(file, symbol.st_value, &offset))
			n = add_offset(offsets, n, max, offset);
	}
	return n;
}

size_t pold_elf_functions(
	const struct pold_elf *file, const char *name, uint64_t *offsets, size_t max)
{
	size_t n = 0;

	for (Elf_Scn *s = NULL; (s = elf_nextscn(file->elf, s));) {
		GElf_Shdr header;

		if (gelf_getshdr(s, &header) &&
			(header.sh_type == SHT_SYMTAB || header.sh_type == SHT_DYNSYM))
			n = in_table(file, s, &header, name, offsets, n, max);
	}
	return n;
}

void pold_elf_notes(const struct pold_elf *file, const char *section, const char *owner,
	uint32_t type, bool (*call)(void *context, const unsigned char *desc, size_t size),
	void *context)
{
	Elf_Data *data = NULL;
	GElf_Shdr header;

	if (!pold_elf_section(file, section, &header, &data) || !data || !data->d_buf)
		return;
	for (size_t at = 0, name, desc; at < data->d_size;) {
		const char *base = data->d_buf;
		GElf_Nhdr note;

		at = gelf_getnote(data, at, &note, &name, &desc);
		if (at == 0)
			return;
		if (note.n_type == type && note.n_namesz == strlen(owner) + 1 &&
			memcmp(base + name, owner, note.n_namesz) == 0 &&
			!call(context, (const unsigned char *)base + desc, note.n_descsz))
			return;
	}
}
