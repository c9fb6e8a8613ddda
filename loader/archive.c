/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The bundle's file kept in the kernel: an array map of pages, mapped like a file. Page 0 is the
 * header. Later commands evaluate selectors and name rules with it.
 */
#include "loader.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "runtime/cleanup.h"

#define PAGE_BYTES 4096u
#define WINDOW_BYTES (1024u * 1024u)

/* Copies data to the map's pages from `offset` on. */
static int write_pages(int fd, size_t offset, const void *data, size_t size)
{
	void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)offset);

	if (pages == MAP_FAILED)
		return -errno;
	memcpy(pages, data, size);
	munmap(pages, size);
	return 0;
}

/* A window at a time: what is mapped counts as ours, and a bundle may be large. */
static int archive_fill(int fd, const void *data, const struct pold_archive_header *header)
{
	size_t size = header->size;
	int err = write_pages(fd, 0, header, sizeof(*header));

	for (size_t at = 0; !err && at < size; at += WINDOW_BYTES)
		err = write_pages(fd, PAGE_BYTES + at, (const char *)data + at,
			size - at < WINDOW_BYTES ? size - at : WINDOW_BYTES);
	if (err)
		return err;
	return bpf_map_freeze(fd) ? -errno : 0;
}

int pold_archive_write(const char *name, uint32_t generation, const void *data,
	const struct pold_archive_header *header)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	size_t n_pages = 1 + (header->size + PAGE_BYTES - 1) / PAGE_BYTES;
	POLB_FD fd = -1;
	int err;

	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "polc_bundle", sizeof(__u32), PAGE_BYTES,
		(__u32)n_pages, &opts);
	if (fd < 0)
		return -errno;
	err = archive_fill(fd, data, header);
	return err ? err : pold_pin_put(fd, POLD_ROOT "/%s/g%u/bundle", name, generation);
}
