/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Long arguments come in pieces. Memory is bounded twice: one argument has at most ARGUMENT_BYTES
 * (Tetragon's maxData), all pieces and waiting records together at most TOTAL_BYTES.
 */
#include "events.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/cleanup.h"

#define ARGUMENT_BYTES 327360u
#define TOTAL_BYTES (16u << 20)
#define PATIENCE_NS 500000000ll

struct piece { /* all bytes of one id so far */
	struct piece *next;
	uint64_t id;
	size_t size, room;
	bool last;
	char *data;
};
struct waiting {
	struct waiting *next;
	int64_t since_ns;
	size_t size;
	void *record;
};
struct pold_pieces {
	struct piece *pieces; /* youngest first */
	struct waiting *first, **end;
	size_t bytes;
};

struct pold_pieces *pold_pieces_new(void)
{
	struct pold_pieces *pieces = calloc(1, sizeof(*pieces));

	if (pieces)
		pieces->end = &pieces->first;
	return pieces;
}

static void free_piece(struct pold_pieces *pieces, struct piece **at)
{
	struct piece *piece = *at;

	*at = piece->next;
	pieces->bytes -= piece->room;
	free(piece->data);
	free(piece);
}

static struct waiting *take_first(struct pold_pieces *pieces)
{
	struct waiting *first = pieces->first;

	pieces->first = first->next;
	if (!pieces->first)
		pieces->end = &pieces->first;
	pieces->bytes -= first->size;
	return first;
}

void pold_pieces_free(struct pold_pieces *pieces)
{
	if (!pieces)
		return;
	while (pieces->pieces)
		free_piece(pieces, &pieces->pieces);
	while (pieces->first) {
		struct waiting *first = take_first(pieces);

		free(first->record);
		free(first);
	}
	free(pieces);
}

static struct piece *find(const struct pold_pieces *pieces, uint64_t id)
{
	struct piece *piece = pieces->pieces;

	while (piece && piece->id != id)
		piece = piece->next;
	return piece;
}

/* Room is made by forgetting the oldest pieces: theirs were events that never came. */
static void make_room(struct pold_pieces *pieces, const struct piece *keep, size_t more)
{
	while (pieces->bytes + more > TOTAL_BYTES && pieces->pieces) {
		struct piece **at = &pieces->pieces;

		while ((*at)->next)
			at = &(*at)->next;
		if (*at == keep)
			return;
		free_piece(pieces, at);
	}
}

static struct piece *start(struct pold_pieces *pieces, uint64_t id)
{
	struct piece *piece = calloc(1, sizeof(*piece));

	if (!piece)
		return NULL;
	piece->id = id;
	piece->next = pieces->pieces;
	pieces->pieces = piece;
	return piece;
}

static bool grow(struct pold_pieces *pieces, struct piece *piece, size_t size)
{
	size_t room = piece->room ? piece->room : 4096;
	char *larger;

	while (room < size)
		room *= 2;
	if (room == piece->room)
		return true;
	make_room(pieces, piece, room - piece->room);
	if (pieces->bytes + room - piece->room > TOTAL_BYTES)
		return false;
	larger = realloc(piece->data, room);
	if (!larger)
		return false;
	pieces->bytes += room - piece->room;
	piece->data = larger;
	piece->room = room;
	return true;
}

void pold_pieces_add(
	struct pold_pieces *pieces, const struct polb_event_data *data, struct polb_slice bytes)
{
	struct piece *piece = find(pieces, data->id);

	if (!piece || piece->last)
		piece = start(
			pieces, data->id); /* an id that is used again hides the earlier one */
	if (!piece)
		return;
	piece->last = data->last;
	if (bytes.size > ARGUMENT_BYTES - piece->size)
		bytes.size = ARGUMENT_BYTES - piece->size;
	if (bytes.size == 0 || !grow(pieces, piece, piece->size + bytes.size))
		return;
	memcpy(piece->data + piece->size, bytes.data, bytes.size);
	piece->size += bytes.size;
}

/* The id of a long argument; 0: it is not one. */
static uint64_t id_of(const struct polb_argument *argument)
{
	struct polb_payload_bytes head;

	if (argument->head.error != POLB_ARGUMENT_OK ||
		polb_trace_class(argument->head.type) != POLB_CLASS_BYTES)
		return 0;
	memcpy(&head, argument->payload, sizeof(head));
	return head.id;
}

bool pold_pieces_missing(const struct pold_pieces *pieces, const struct polb_call *call)
{
	struct polb_argument argument;
	size_t at = 0;

	while (polb_call_next(call, &at, &argument)) {
		uint64_t id = id_of(&argument);
		const struct piece *piece = id ? find(pieces, id) : NULL;

		if (id && (!piece || !piece->last))
			return true;
	}
	return false;
}

bool pold_pieces_wait(struct pold_pieces *pieces, const void *record, size_t size, int64_t now_ns)
{
	POLB_FREE struct waiting *waiting = calloc(1, sizeof(*waiting));
	void *copy = malloc(size);

	if (!waiting || !copy || pieces->bytes + size > TOTAL_BYTES) {
		free(copy);
		return false;
	}
	memcpy(copy, record, size);
	waiting->record = copy;
	waiting->size = size;
	waiting->since_ns = now_ns;
	pieces->bytes += size;
	*pieces->end = waiting;
	pieces->end = &waiting->next;
	waiting = NULL;
	return true;
}

/* In order of arrival: one that waits holds up those behind it, for PATIENCE_NS at most. */
void *pold_pieces_ready(struct pold_pieces *pieces, int64_t now_ns, bool all, size_t *size)
{
	struct waiting *first = pieces->first;
	struct polb_call call;
	void *record;

	if (!first)
		return NULL;
	if (!all && now_ns - first->since_ns < PATIENCE_NS &&
		polb_event_call_read(first->record, first->size, &call) == 0 &&
		pold_pieces_missing(pieces, &call))
		return NULL;
	first = take_first(pieces);
	record = first->record;
	*size = first->size;
	free(first);
	return record;
}

size_t pold_pieces_rests(const struct pold_pieces *pieces, const struct polb_call *call,
	struct polb_event_rest *rests, size_t max)
{
	struct polb_argument argument;
	size_t at = 0, n = 0;

	while (n < max && polb_call_next(call, &at, &argument)) {
		uint64_t id = id_of(&argument);
		const struct piece *piece = id ? find(pieces, id) : NULL;

		if (piece)
			rests[n++] = (struct polb_event_rest){id, {piece->data, piece->size}};
	}
	return n;
}

void pold_pieces_drop(struct pold_pieces *pieces, const struct polb_call *call)
{
	struct polb_argument argument;
	size_t at = 0;

	while (polb_call_next(call, &at, &argument)) {
		uint64_t id = id_of(&argument);
		struct piece **piece = &pieces->pieces;

		while (id && *piece && (*piece)->id != id)
			piece = &(*piece)->next;
		if (id && *piece)
			free_piece(pieces, piece);
	}
}
