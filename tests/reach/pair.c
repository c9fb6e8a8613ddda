// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// Pairs of policy sets, from the generator of the packet oracle and small edits of its text.
#include "pair.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The document at `text`, up to the next; NULL at the end. */
static const char *next_document(const char *text, size_t *len)
{
	const char *next;

	if (!*text)
		return NULL;
	next = strstr(text + 1, "\n---\n");
	*len = next ? (size_t)(next + 1 - text) : strlen(text);
	return text + *len;
}

static bool is_policy(const char *document, size_t len)
{
	return memmem(document, len, "Policy\n", 7) != NULL;
}

/* Words that somebody may write instead. */
static const char *const edits[][2] = {{"TCP", "UDP"}, {"web", "api"}, {"front", "back"},
	{"Deny\n", "Pass\n"}, {"Pass\n", "Deny\n"}, {"Allow\n", "Pass\n"}, {"Accept\n", "Pass\n"},
	{"80", "81"}, {"In,", "NotIn,"}, {"red", "blue"}, {"10.1.2.", "10.1.3."}, {"8080", "53"},
	{"namespace: a", "namespace: b"}, {"priority: 1", "priority: "},
	{"ingress: false", "ingress: true"}, {"http", "metrics"}, {"egress:\n", "egressDeny:\n"},
	{"host", "remote-node"}};

static void add_edited(struct rng *rng, const char *document, size_t len, struct polc_buf *out)
{
	const char *const *edit = edits[rng_below(rng, POLC_ARRAY_SIZE(edits))];
	const char *at = memmem(document, len, edit[0], strlen(edit[0]));

	if (!at) {
		polc_buf_add(out, document, len);
		return;
	}
	polc_buf_add(out, document, (size_t)(at - document));
	polc_buf_puts(out, edit[1]);
	at += strlen(edit[0]);
	polc_buf_add(out, at, len - (size_t)(at - document));
}

/* One item of a list gone, if there is one; the generator writes one per line. */
static void add_shortened(struct rng *rng, const char *document, size_t len, struct polc_buf *out)
{
	const char *items[64], *end = document + len;
	unsigned n = 0;

	for (const char *line = document; line < end;
		line = memchr(line, '\n', (size_t)(end - line)) + 1)
		if (!strncmp(line, "    - ", 6) || !strncmp(line, "      - ", 8))
			if (n < POLC_ARRAY_SIZE(items))
				items[n++] = line;
	if (!n) {
		polc_buf_add(out, document, len);
		return;
	}
	const char *item = items[rng_below(rng, n)], *rest = strchr(item, '\n') + 1;

	polc_buf_add(out, document, (size_t)(item - document));
	polc_buf_add(out, rest, (size_t)(end - rest));
}

static void add_changed(struct rng *rng, const char *document, size_t len, struct polc_buf *out)
{
	unsigned what = rng_below(rng, 100);

	if (what < 50)
		polc_buf_add(out, document, len);
	else if (what < 75)
		add_edited(rng, document, len, out);
	else if (what < 88)
		add_shortened(rng, document, len, out);
}

/* Another set's policy, under another name. */
static void add_foreign(const char *document, size_t len, struct polc_buf *out)
{
	const char *name = memmem(document, len, "{name: p", 8);

	if (!name)
		return;
	polc_buf_add(out, document, (size_t)(name - document));
	polc_buf_puts(out, "{name: q");
	polc_buf_add(out, name + 8, len - (size_t)(name + 8 - document));
}

void pair_generate(struct rng *rng, struct polc_buf *old, struct polc_buf *new)
{
	struct polc_buf other = {.arena = old->arena};
	size_t len;

	generate_set(rng, old);
	generate_set(rng, &other);
	for (const char *at = old->p, *next; (next = next_document(at, &len)); at = next)
		if (is_policy(at, len))
			add_changed(rng, at, len, new);
		else
			polc_buf_add(new, at, len);
	for (const char *at = other.p, *next; (next = next_document(at, &len)); at = next)
		if (is_policy(at, len) && rng_chance(rng, 25))
			add_foreign(at, len, new);
}

static bool read_text(struct subject *subject, const char *text)
{
	char path[] = "/tmp/reach-XXXXXX.yaml";
	int fd = mkstemps(path, 5);
	bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	bool ok = written && polc_read_policies(&subject->polc, &subject->input, path) == 0;

	unlink(path);
	polc_read_finish(&subject->polc, &subject->input);
	return ok;
}

bool pair_open(struct subject *subject, const char *text, enum polc_dialect dialect,
	enum polc_posture posture)
{
	const struct polc_lower_options options = {.dialect = dialect, .posture = posture};
	struct polc *polc = &subject->polc;

	*subject = (struct subject){0};
	polc_init(polc);
	subject->input.inventory.given = true;
	if (!read_text(subject, text) || polc->n_errors)
		return false;
	subject->network = polc_network_view(&polc->arena,
		polc_lower_network(polc, &subject->input, &options), POLC_VIEW_ENFORCED);
	subject->identities = polc_identities_build(polc, &subject->input.inventory, NULL);
	return !polc->n_errors;
}

void pair_close(struct subject *subject)
{
	polc_free(&subject->polc);
}
