/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* How the tables of fields are written; private to the files that hold them. */
#ifndef POLC_LSP_SCHEMA_H
#define POLC_LSP_SCHEMA_H

#include "lsp.h"

#define SHAPE(list)                                                                                \
	{                                                                                          \
		.fields = (list), .n = POLC_ARRAY_SIZE(list)                                       \
	}
#define TEXT(text, what)                                                                           \
	{                                                                                          \
		.name = (text), .doc = (what)                                                      \
	}
#define TEXT_LIST(text, what)                                                                      \
	{                                                                                          \
		.name = (text), .list = true, .doc = (what)                                        \
	}
#define FREE(text, what)                                                                           \
	{                                                                                          \
		.name = (text), .values = LSP_VALUES_FREE_MAP, .doc = (what)                       \
	}
#define WORDS(text, list_of_words, what)                                                           \
	{                                                                                          \
		.name = (text), .words = (list_of_words), .doc = (what)                            \
	}
#define WORD_LIST(text, list_of_words, what)                                                       \
	{                                                                                          \
		.name = (text), .words = (list_of_words), .list = true, .doc = (what)              \
	}
#define VALUES(text, of, what)                                                                     \
	{                                                                                          \
		.name = (text), .values = (of), .doc = (what)                                      \
	}
#define VALUE_LIST(text, of, what)                                                                 \
	{                                                                                          \
		.name = (text), .values = (of), .list = true, .doc = (what)                        \
	}
#define BELOW(text, shape, what)                                                                   \
	{                                                                                          \
		.name = (text), .below = &(shape), .doc = (what)                                   \
	}
#define LIST(text, shape, what)                                                                    \
	{                                                                                          \
		.name = (text), .below = &(shape), .list = true, .doc = (what)                     \
	}

#endif
