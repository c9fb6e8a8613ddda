/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Signatures of bundles, public keys as text, secret keys as text. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <sodium.h>

#include "bundle_object.h"
#include "cmd/secret_key.h"

/* Of minisign's own documentation. */
#define MINISIGN_PUB "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"

static struct polb_bundle sample(void)
{
	static const char strings[] = "\0x";
	static const struct polb_bundle_trace_hook hooks[] = {{1, 0, 1, 0}};
	static const struct polb_bundle_trace_alternative alternatives[] = {{0, 1, 0}};
	static const struct polb_bundle_trace_program programs[] = {
		{.name = 1, .mechanism = POLB_MECHANISM_KPROBE, .target = 1}};

	return (struct polb_bundle){.manifest = {.magic = POLB_BUNDLE_MAGIC,
					    .version = POLB_BUNDLE_VERSION,
					    .abi_version = POLB_ABI_VERSION,
					    .hooks = POLB_HOOK_TRACE},
		.strings = strings,
		.strings_size = sizeof(strings),
		.trace_hooks = hooks,
		.n_trace_hooks = 1,
		.trace_alternatives = alternatives,
		.n_trace_alternatives = 1,
		.trace_programs = programs,
		.n_trace_programs = 1};
}

static void *write_sample(size_t *size, char tag)
{
	struct polb_bundle bundle = sample();
	struct object object;
	char error[POLB_ERROR_TEXT] = "";
	void *out = NULL;

	object_make(&object);
	((char *)object.text)[1] = tag;
	if (polb_bundle_write(&object, sizeof(object), &bundle, &out, size, error))
		fail_msg("%s", error);
	return out;
}

static struct polc_secret_key make_key(__u8 id)
{
	struct polc_secret_key key;

	polc_secret_key_make(&key);
	memset(key.id, 0, sizeof(key.id));
	key.id[7] = id;
	return key;
}

static bool signed_by(const void *file, size_t size, const struct polc_secret_key *key)
{
	struct polb_public_key public_key = polc_secret_key_public(key);
	char error[POLB_ERROR_TEXT];
	struct polb_bundle bundle;

	assert_int_equal(polb_bundle_read(file, size, &bundle, error), 0);
	return polb_bundle_signed_by(&bundle, &public_key);
}

static void several_keys_in_any_order(void **state)
{
	struct polc_secret_key a = make_key(1), b = make_key(2), c = make_key(3);
	size_t size, again_size;
	void *file = write_sample(&size, 0), *again = write_sample(&again_size, 0);

	(void)state;
	assert_false(signed_by(file, size, &a));
	assert_int_equal(polc_sign_bundle(&a, "x", file, size), 0);
	assert_true(signed_by(file, size, &a));
	assert_int_equal(polc_sign_bundle(&b, "x", file, size), 0);
	assert_true(signed_by(file, size, &a) && signed_by(file, size, &b));
	assert_false(signed_by(file, size, &c));
	assert_int_equal(polc_sign_bundle(&b, "x", again, size), 0);
	assert_int_equal(polc_sign_bundle(&a, "x", again, size), 0);
	assert_int_equal(polc_sign_bundle(&a, "x", again, size), 0);
	assert_memory_equal(file, again, size);
	free(file);
	free(again);
}

static void no_more_than_there_is_room(void **state)
{
	size_t size;
	void *file = write_sample(&size, 0), *before = malloc(size);

	(void)state;
	for (__u8 i = 0; i < POLB_SIGNATURES; i++) {
		struct polc_secret_key key = make_key((__u8)(9 - i));

		assert_int_equal(polc_sign_bundle(&key, "x", file, size), 0);
	}
	memcpy(before, file, size);
	struct polc_secret_key last = make_key(100), same = make_key(9);

	assert_int_equal(polc_sign_bundle(&last, "x", file, size), POLC_EXIT_BAD);
	assert_memory_equal(before, file, size);
	assert_int_equal(polc_sign_bundle(&same, "x", file, size), 0);
	assert_true(signed_by(file, size, &same));
	free(before);
	free(file);
}

/* The same key id, another key; a signature of another bundle; any bit of a signature. */
static void forgeries(void **state)
{
	struct polc_secret_key key = make_key(1), other = make_key(1);
	size_t size, other_size;
	char *file = write_sample(&size, 0), *other_file = write_sample(&other_size, 1);
	char error[POLB_ERROR_TEXT];
	struct polb_bundle bundle;
	struct polb_signature *slot, *other_slot;

	(void)state;
	assert_int_equal(polc_sign_bundle(&key, "x", file, size), 0);
	assert_false(signed_by(file, size, &other));
	assert_int_equal(polc_sign_bundle(&key, "x", other_file, other_size), 0);
	assert_int_equal(size, other_size);
	assert_int_equal(polb_bundle_read(file, size, &bundle, error), 0);
	slot = (struct polb_signature *)(uintptr_t)bundle.signatures;
	other_slot = (struct polb_signature *)(other_file + ((char *)slot - file));
	assert_memory_not_equal(slot, other_slot, sizeof(*slot));
	for (size_t bit = 0; bit < 8 * sizeof(slot->signature); bit++) {
		slot->signature[bit / 8] ^= (__u8)(1 << bit % 8);
		assert_false(signed_by(file, size, &key));
		slot->signature[bit / 8] ^= (__u8)(1 << bit % 8);
	}
	assert_true(signed_by(file, size, &key));
	*slot = *other_slot;
	assert_false(signed_by(file, size, &key));
	free(file);
	free(other_file);
}

/* One file has one spelling: nothing is hidden in slots. */
static void slots_are_canonical(void **state)
{
	struct polb_signature s[POLB_SIGNATURES] = {{.algorithm = "Ed"}, {.algorithm = "Ed"}};
	size_t n;

	(void)state;
	s[1].key_id[0] = 1;
	assert_int_equal(polb_signatures_count(s, &n), 0);
	assert_int_equal(n, 2);
	s[1].key_id[0] = 0; /* not ascending */
	assert_int_equal(polb_signatures_count(s, &n), -EINVAL);
	s[1].key_id[0] = 1;
	s[1].reserved[5] = 1;
	assert_int_equal(polb_signatures_count(s, &n), -EINVAL);
	s[1].reserved[5] = 0;
	s[1].algorithm[1] = 'D';
	assert_int_equal(polb_signatures_count(s, &n), -EINVAL);
	s[1].algorithm[1] = 'd';
	s[3].signature[63] = 1; /* behind a free one */
	assert_int_equal(polb_signatures_count(s, &n), -EINVAL);
}

static bool parses(const char *text)
{
	struct polb_public_key key;

	return polb_public_key_parse(text, strlen(text), &key) == 0;
}

static void public_keys(void **state)
{
	struct polc_secret_key secret = make_key(1);
	struct polb_public_key key = polc_secret_key_public(&secret), again;
	char text[POLB_PUBLIC_KEY_TEXT], id[POLB_KEY_ID_TEXT];

	(void)state;
	polb_public_key_text(&key, text);
	assert_int_equal(polb_public_key_parse(text, strlen(text), &again), 0);
	assert_memory_equal(&key, &again, sizeof(key));
	assert_int_equal(polb_public_key_parse(MINISIGN_PUB, strlen(MINISIGN_PUB), &key), 0);
	polb_key_id_text(key.id, id);
	assert_string_equal(id, "E7620F1842B4E81F");
	assert_true(parses("untrusted comment: x\r\n" MINISIGN_PUB "\r\n"));
	assert_false(parses(""));
	assert_false(parses("untrusted comment: x"));
	assert_false(parses("untrusted comment: x\n"));
	assert_false(parses("comment\n" MINISIGN_PUB));
	assert_false(parses(MINISIGN_PUB "A"));
	assert_false(parses(MINISIGN_PUB "\n" MINISIGN_PUB));
	assert_false(parses("X" MINISIGN_PUB));
	assert_false(parses("RWX" MINISIGN_PUB));
	assert_false(parses("RXQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"));
	assert_false(parses("RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GF=="));
	assert_int_equal(polb_public_key_parse(MINISIGN_PUB "\0", 57, &key), -EINVAL);
	assert_int_equal(polb_public_key_parse(NULL, 0, &key), -EINVAL);
}

static int read_variable(const char *text, struct polc_secret_key *out)
{
	setenv("TEST_KEY", text, 1);
	return polc_secret_key_read("env:TEST_KEY", "/dev/null", out);
}

static void secret_keys(void **state)
{
	struct polc_secret_key key = make_key(7), again;
	char text[POLC_SECRET_KEY_TEXT], *base64;

	(void)state;
	assert_int_equal(polc_secret_key_text(&key, NULL, text), 0);
	assert_int_equal(read_variable(text, &again), 0);
	assert_memory_equal(&key, &again, sizeof(key));
	base64 = strchr(text, '\n') + 1;
	assert_int_equal(read_variable(base64, &again), 0);
	assert_int_equal(read_variable("", &again), POLC_EXIT_BAD);
	base64[100] ^= 1; /* in the key */
	assert_int_equal(read_variable(text, &again), POLC_EXIT_BAD);
	base64[100] ^= 1;
	base64[190] ^= 1; /* in the checksum */
	assert_int_equal(read_variable(text, &again), POLC_EXIT_BAD);
	unsetenv("TEST_KEY");
	assert_int_equal(polc_secret_key_read("env:TEST_KEY", NULL, &again), POLC_EXIT_ENVIRONMENT);
}

static void passphrases(void **state)
{
	struct polc_secret_key key = make_key(7), again;
	char text[POLC_SECRET_KEY_TEXT], path[] = "/tmp/polc-test-sign.XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(polc_secret_key_text(&key, "right", text), 0);
	assert_null(memmem(text, sizeof(text), key.key, 8));
	dprintf(fd, "right\nrest\n");
	setenv("TEST_KEY", text, 1);
	assert_int_equal(polc_secret_key_read("env:TEST_KEY", path, &again), 0);
	assert_memory_equal(&key, &again, sizeof(key));
	assert_int_equal(pwrite(fd, "wrong", 5, 0), 5);
	assert_int_equal(polc_secret_key_read("env:TEST_KEY", path, &again), POLC_EXIT_BAD);
	assert_int_equal(polc_secret_key_read("env:TEST_KEY", "/dev/null", &again), POLC_EXIT_BAD);
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(several_keys_in_any_order),
		cmocka_unit_test(no_more_than_there_is_room),
		cmocka_unit_test(forgeries),
		cmocka_unit_test(slots_are_canonical),
		cmocka_unit_test(public_keys),
		cmocka_unit_test(secret_keys),
		cmocka_unit_test(passphrases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
