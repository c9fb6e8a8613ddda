/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The server's life: messages in, answers and diagnostics out. A message that makes no sense is
 * answered with an error and changes nothing. After a change the diagnostics follow as soon as the
 * client is quiet for a moment, and at the latest a little later.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lsp.h"

#define QUIET_MS 20
#define LONG_QUIET_MS 150
#define LATEST_MS 300

/* Places in requests */

struct lsp_file *lsp_document_read(struct lsp *lsp, const json_t *params)
{
	const char *uri =
		json_string_value(json_object_get(json_object_get(params, "textDocument"), "uri"));
	struct lsp_file *file = uri ? lsp_file_find(lsp, uri) : NULL;

	if (!file) {
		lsp->error = LSP_INVALID_PARAMS;
		lsp->error_text = uri ? "the document is not open" : "textDocument.uri is missing";
		return NULL;
	}
	lsp_analyse(lsp);
	return file;
}

bool lsp_place_read(struct lsp *lsp, const json_t *params, struct lsp_place *place)
{
	const json_t *position = json_object_get(params, "position");

	*place = (struct lsp_place){.file = lsp_document_read(lsp, params)};
	if (!place->file)
		return false;
	if (!json_is_integer(json_object_get(position, "line")) ||
		!json_is_integer(json_object_get(position, "character"))) {
		lsp->error = LSP_INVALID_PARAMS;
		lsp->error_text = "position is missing";
		return false;
	}
	place->offset = lsp_offset(lsp, place->file->text, place->file->n, position);
	return true;
}

/* Begin and end */

static bool offers(const json_t *list, const char *word)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));

		if (text && !strcmp(text, word))
			return true;
	}
	return false;
}

static void add_folders(struct lsp *lsp, const json_t *folders)
{
	for (size_t i = 0; i < json_array_size(folders); i++) {
		const char *uri =
			json_string_value(json_object_get(json_array_get(folders, i), "uri"));
		const char *path = uri ? lsp_path_of_uri(&lsp->scratch, uri) : NULL;

		if (path)
			lsp_folder_add(lsp, path);
	}
}

static void read_root(struct lsp *lsp, const json_t *params)
{
	const json_t *folders = json_object_get(params, "workspaceFolders");
	const char *uri = json_string_value(json_object_get(params, "rootUri"));
	const char *path = json_string_value(json_object_get(params, "rootPath"));

	if (json_array_size(folders)) {
		add_folders(lsp, folders);
		return;
	}
	if (uri)
		path = lsp_path_of_uri(&lsp->scratch, uri);
	if (path)
		lsp_folder_add(lsp, path);
}

static json_t *capabilities(const struct lsp *lsp)
{
	return json_pack("{s:s,s:{s:b,s:i,s:{s:b}},s:b,s:{s:[s,s,s,s,s,s],s:b},s:b,s:b,s:b,"
			 "s:{s:[s]},s:{s:{s:b,s:b}}}",
		"positionEncoding", lsp->utf8 ? "utf-8" : "utf-16", "textDocumentSync", "openClose",
		1, "change", 2, "save", "includeText", 0, "hoverProvider", 1, "completionProvider",
		"triggerCharacters", ":", " ", "-", "/", "=", "(", "resolveProvider", 0,
		"definitionProvider", 1, "documentSymbolProvider", 1, "documentFormattingProvider",
		1, "codeActionProvider", "codeActionKinds", "quickfix", "workspace",
		"workspaceFolders", "supported", 1, "changeNotifications", 1);
}

static int open_targets(struct lsp *lsp)
{
	const struct polc_lsp_options *options = lsp->options;
	struct polc_target **targets =
		POLC_NEW_ARRAY(&lsp->polc.arena, options->n_targets + 1, struct polc_target *);

	lsp->targets.targets = targets;
	for (size_t i = 0; i < options->n_targets; i++) {
		if (polc_target_open(&lsp->polc, options->targets[i], &targets[i]) < 0)
			return -1;
		lsp->targets.n_targets++;
	}
	/* without --target, the kernel that runs here lends its types where it can */
	if (!options->n_targets && !access("/sys/kernel/btf/vmlinux", R_OK))
		return polc_target_open(&lsp->polc, "running", &lsp->targets.fallback);
	return 0;
}

static json_t *initialize(struct lsp *lsp, const json_t *params)
{
	const json_t *client = json_object_get(params, "capabilities");
	const json_t *general = json_object_get(client, "general");
	const json_t *watching =
		json_object_get(json_object_get(client, "workspace"), "didChangeWatchedFiles");

	if (lsp->initialized) {
		lsp->error = LSP_INVALID_REQUEST;
		lsp->error_text = "initialize was sent already";
		return NULL;
	}
	lsp->utf8 = offers(json_object_get(general, "positionEncodings"), "utf-8");
	lsp->watches = json_is_true(json_object_get(watching, "dynamicRegistration"));
	read_root(lsp, params);
	if (lsp->options->configure)
		lsp->options->configure(lsp->options->data, lsp->root);
	if (open_targets(lsp) < 0) {
		lsp->error = LSP_REQUEST_FAILED;
		lsp->error_text = "a target cannot be opened";
		return NULL;
	}
	lsp_files_scan(lsp);
	lsp->initialized = lsp->stale = true;
	return json_pack("{s:o,s:{s:s,s:s}}", "capabilities", capabilities(lsp), "serverInfo",
		"name", "polc", "version", POLC_VERSION);
}

static json_t *initialized(struct lsp *lsp, const json_t *params)
{
	(void)params;
	if (lsp->watches)
		lsp_send(json_pack("{s:s,s:s,s:s,s:{s:[{s:s,s:s,s:{s:[{s:s}]}}]}}", "jsonrpc",
			"2.0", "id", "watch", "method", "client/registerCapability", "params",
			"registrations", "id", "watch", "method", "workspace/didChangeWatchedFiles",
			"registerOptions", "watchers", "globPattern", "**/*.{yaml,yml,json,pol}"));
	return NULL;
}

static json_t *shut_down(struct lsp *lsp, const json_t *params)
{
	(void)params;
	lsp->shut_down = true;
	return NULL;
}

/* Documents */

static json_t *did_open(struct lsp *lsp, const json_t *params)
{
	const json_t *document = json_object_get(params, "textDocument");
	const json_t *text = json_object_get(document, "text");
	const char *uri = json_string_value(json_object_get(document, "uri"));
	struct lsp_file *file;

	if (!uri || !json_is_string(text))
		return NULL;
	file = lsp_file_of_uri(lsp, uri);
	file->open = true;
	file->version = json_integer_value(json_object_get(document, "version"));
	lsp_file_set_text(file, json_string_value(text), json_string_length(text));
	lsp->stale = true;
	return NULL;
}

static struct lsp_file *open_file(struct lsp *lsp, const json_t *document)
{
	const char *uri = json_string_value(json_object_get(document, "uri"));
	struct lsp_file *file = uri ? lsp_file_find(lsp, uri) : NULL;

	return file && file->open ? file : NULL;
}

static json_t *did_change(struct lsp *lsp, const json_t *params)
{
	const json_t *document = json_object_get(params, "textDocument");
	const json_t *changes = json_object_get(params, "contentChanges");
	struct lsp_file *file = open_file(lsp, document);

	if (!file)
		return NULL;
	/* what comes behind a change that makes no sense speaks about another text */
	for (size_t i = 0; i < json_array_size(changes); i++)
		if (!lsp_file_change(lsp, file, json_array_get(changes, i)))
			break;
	file->version = json_integer_value(json_object_get(document, "version"));
	lsp->stale = true;
	return NULL;
}

static json_t *did_close(struct lsp *lsp, const json_t *params)
{
	struct lsp_file *file = open_file(lsp, json_object_get(params, "textDocument"));

	if (!file)
		return NULL;
	file->open = false;
	if (file->path && (file->found || file->inventory || lsp_path_is_ours(lsp, file->path)))
		lsp_file_read(lsp, file);
	else
		lsp_file_set_text(file, "", 0);
	lsp->stale = true;
	return NULL;
}

static json_t *did_save(struct lsp *lsp, const json_t *params)
{
	(void)lsp;
	(void)params; /* the open text is known already */
	return NULL;
}

static void reread(struct lsp *lsp, const char *uri)
{
	const char *path = lsp_path_of_uri(&lsp->scratch, uri);
	struct lsp_file *file = lsp_file_find(lsp, uri);

	if (file)
		lsp_file_read(lsp, file);
	else if (path && lsp_path_is_ours(lsp, path) && !lsp->options->n_policies)
		lsp_path_scan(lsp, path);
}

static json_t *did_change_files(struct lsp *lsp, const json_t *params)
{
	const json_t *changes = json_object_get(params, "changes");

	for (size_t i = 0; i < json_array_size(changes); i++) {
		const char *uri =
			json_string_value(json_object_get(json_array_get(changes, i), "uri"));

		if (uri)
			reread(lsp, uri);
	}
	return NULL;
}

static json_t *did_change_folders(struct lsp *lsp, const json_t *params)
{
	const json_t *event = json_object_get(params, "event");
	const json_t *removed = json_object_get(event, "removed");

	for (size_t i = 0; i < json_array_size(removed); i++) {
		const char *uri =
			json_string_value(json_object_get(json_array_get(removed, i), "uri"));
		const char *path = uri ? lsp_path_of_uri(&lsp->scratch, uri) : NULL;

		if (path)
			lsp_folder_remove(lsp, path);
	}
	add_folders(lsp, json_object_get(event, "added"));
	lsp_files_scan(lsp);
	return NULL;
}

/* Dispatch */

static const struct method {
	const char *name;
	lsp_request *run;
	bool request;
} methods[] = {
	{"initialize", initialize, true},
	{"initialized", initialized, false},
	{"shutdown", shut_down, true},
	{"textDocument/didOpen", did_open, false},
	{"textDocument/didChange", did_change, false},
	{"textDocument/didClose", did_close, false},
	{"textDocument/didSave", did_save, false},
	{"workspace/didChangeWatchedFiles", did_change_files, false},
	{"workspace/didChangeWorkspaceFolders", did_change_folders, false},
	{"textDocument/hover", lsp_hover, true},
	{"textDocument/completion", lsp_complete, true},
	{"textDocument/definition", lsp_definition, true},
	{"textDocument/documentSymbol", lsp_symbols, true},
	{"textDocument/formatting", lsp_format, true},
	{"textDocument/codeAction", lsp_code_actions, true},
};

static const struct method *find_method(const char *name)
{
	for (size_t i = 0; i < POLC_ARRAY_SIZE(methods); i++)
		if (!strcmp(methods[i].name, name))
			return &methods[i];
	return NULL;
}

static void answer_error(json_t *id, int code, const char *message)
{
	lsp_send(json_pack("{s:s,s:O,s:{s:i,s:o}}", "jsonrpc", "2.0", "id", id, "error", "code",
		code, "message", lsp_string(message)));
}

static void refuse(struct lsp *lsp, int code, const char *message)
{
	lsp->error = code;
	lsp->error_text = message;
}

/* May a request be answered now? */
static const struct method *admit(struct lsp *lsp, const char *name)
{
	const struct method *method = find_method(name);

	if (lsp->shut_down)
		refuse(lsp, LSP_INVALID_REQUEST, "the server is shut down");
	else if (!lsp->initialized && strcmp(name, "initialize"))
		refuse(lsp, LSP_NOT_INITIALIZED, "initialize comes first");
	else if (!method)
		refuse(lsp, LSP_METHOD_NOT_FOUND, "there is no such method");
	return lsp->error ? NULL : method;
}

static void handle_request(struct lsp *lsp, json_t *id, const char *name, const json_t *params)
{
	const struct method *method = admit(lsp, name);
	json_t *result = method ? method->run(lsp, params) : NULL;

	if (lsp->error) {
		json_decref(result);
		answer_error(id, lsp->error, lsp->error_text);
		return;
	}
	lsp_send(json_pack("{s:s,s:O,s:o}", "jsonrpc", "2.0", "id", id, "result",
		result ? result : json_null()));
}

static void handle_notification(struct lsp *lsp, const char *name, const json_t *params)
{
	const struct method *method = find_method(name);

	if (method && !method->request && lsp->initialized && !lsp->shut_down)
		json_decref(method->run(lsp, params));
}

/* False: the client said exit. */
static bool handle(struct lsp *lsp, const json_t *message)
{
	json_t *id = json_object_get(message, "id"), *null = json_null();
	const char *method = json_string_value(json_object_get(message, "method"));
	const json_t *params = json_object_get(message, "params");

	lsp->error = 0;
	if (!json_is_object(message))
		answer_error(null, LSP_INVALID_REQUEST, "a message must be an object");
	else if (!method &&
		 (json_object_get(message, "result") || json_object_get(message, "error")))
		return true; /* an answer to what was asked of the client */
	else if (!method || (id && !json_is_string(id) && !json_is_integer(id)))
		answer_error(id && method ? null
			     : id         ? id
					  : null,
			LSP_INVALID_REQUEST,
			"a message must have a method, and an id that is a string or a number");
	else if (!strcmp(method, "exit"))
		return false;
	else if (id)
		handle_request(lsp, id, method, params);
	else
		handle_notification(lsp, method, params);
	return true;
}

static bool handle_bytes(struct lsp *lsp, const char *text, size_t n)
{
	json_error_t error;
	json_t *message = json_loadb(text, n, JSON_ALLOW_NUL, &error);
	bool go_on = true;

	if (message)
		go_on = handle(lsp, message);
	else
		answer_error(json_null(), LSP_PARSE_ERROR, error.text);
	json_decref(message);
	polc_arena_free(&lsp->scratch);
	return go_on;
}

static long milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What the client waits for: errors soon after a change, all the rest when it is quiet. */
struct duty {
	enum { DUTY_NONE, DUTY_ERRORS, DUTY_ALL } what;
	long since;
};

static void publish(struct lsp *lsp, struct duty *duty)
{
	lsp_publish(lsp);
	polc_arena_free(&lsp->scratch);
	*duty = (struct duty){lsp->analysis->complete ? DUTY_NONE : DUTY_ALL, milliseconds()};
}

static int patience(const struct duty *duty)
{
	switch (duty->what) {
	case DUTY_NONE:
		return -1;
	case DUTY_ERRORS:
		return QUIET_MS;
	case DUTY_ALL:
		return LONG_QUIET_MS;
	}
	return -1;
}

/* Until exit, or until the client is gone. */
static void serve(struct lsp *lsp, struct lsp_input *input)
{
	struct duty duty = {DUTY_NONE, 0};

	for (;;) {
		enum lsp_read result;
		const char *text;
		size_t n;

		if (lsp->stale && lsp->initialized && duty.what != DUTY_ERRORS)
			duty = (struct duty){DUTY_ERRORS, milliseconds()};
		if (duty.what == DUTY_ERRORS && milliseconds() - duty.since > LATEST_MS)
			publish(lsp, &duty);
		result = lsp_input_read(input, patience(&duty), &text, &n);
		if (result == LSP_READ_END)
			return;
		if (result == LSP_READ_TIMEOUT)
			publish(lsp, &duty);
		else if (!handle_bytes(lsp, text, n))
			return;
	}
}

static void close_all(struct lsp *lsp)
{
	lsp_analysis_free(lsp->analysis);
	lsp_files_free(lsp);
	for (size_t i = 0; i < lsp->targets.n_targets; i++)
		polc_target_close(lsp->targets.targets[i]);
	polc_target_close(lsp->targets.fallback);
	polc_arena_free(&lsp->scratch);
	polc_free(&lsp->polc);
}

int polc_lsp_serve(const struct polc_lsp_options *options)
{
	struct lsp lsp = {.options = options};
	struct lsp_input input = {.fd = STDIN_FILENO};

	polc_init(&lsp.polc);
	serve(&lsp, &input);
	lsp_input_free(&input);
	close_all(&lsp);
	/* the protocol wants 1 when the client went without saying so */
	return lsp.shut_down ? POLC_EXIT_OK : POLC_EXIT_BAD;
}
