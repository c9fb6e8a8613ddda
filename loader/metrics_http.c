/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * HTTP by libmicrohttpd: one thread, one reader at a time is enough for a scrape. The static
 * polload is built without (POLD_NO_HTTP): Debian has no static library of all that it needs.
 */
#include "metrics.h"

#ifdef POLD_NO_HTTP
int pold_metrics_serve(
	const char *listen, bool (*render)(void *context, struct polb_text *out), void *context)
{
	(void)render;
	(void)context;
	return pold_fail(POLD_USAGE,
		"--listen %s: this polload is built without HTTP; use --output-file", listen);
}
#else
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "runtime/cleanup.h"

#define TIMEOUT_S 10u /* of a reader that does not read */
#define MAX_READERS 16u

struct server {
	bool (*render)(void *context, struct polb_text *out);
	void *context;
};

static enum MHD_Result reply(struct MHD_Connection *connection, unsigned int status,
	const char *type, const struct polb_text *text)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		text->size, text->size ? text->data : (char *)"", MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *upload, size_t *upload_size,
	void **request)
{
	const struct server *server = context;
	struct polb_text text = {0};
	unsigned int status = MHD_HTTP_OK;
	enum MHD_Result result;

	(void)version;
	(void)upload;
	(void)request;
	if (*upload_size) { /* a body that nobody asked for */
		*upload_size = 0;
		return MHD_YES;
	}
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		status = MHD_HTTP_METHOD_NOT_ALLOWED;
	else if (strcmp(url, "/metrics") != 0)
		status = MHD_HTTP_NOT_FOUND;
	else if (!server->render(server->context, &text))
		status = MHD_HTTP_SERVICE_UNAVAILABLE;
	if (status != MHD_HTTP_OK) {
		polb_text_clear(&text);
		polb_text_printf(&text, "%u; metrics are at /metrics\n", status);
	}
	result = reply(connection, status,
		status == MHD_HTTP_OK ? "text/plain; version=0.0.4; charset=utf-8" : "text/plain",
		&text);
	polb_text_free(&text);
	return result;
}

/* "127.0.0.1:9410", "[::1]:9410", "localhost:9410"; ":9410" is every address. */
static int find_address(const char *listen, struct addrinfo **out)
{
	const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_ADDRCONFIG};
	const char *colon = strrchr(listen, ':');
	char host[256] = "";
	size_t n;
	int err;

	if (!colon || !colon[1])
		return pold_fail(POLD_USAGE, "--listen: \"%s\" is not ADDRESS:PORT", listen);
	n = (size_t)(colon - listen);
	if (n >= 2 && listen[0] == '[' && listen[n - 1] == ']')
		listen++, n -= 2;
	if (n >= sizeof(host))
		return pold_fail(POLD_USAGE, "--listen: the address is too long");
	memcpy(host, listen, n);
	host[n] = '\0';
	err = getaddrinfo(n ? host : NULL, colon + 1, &hints, out);
	return err ? pold_fail(POLD_USAGE, "--listen %s: %s", listen, gai_strerror(err)) : POLD_OK;
}

static int bind_address(const char *listen_to, int *out)
{
	struct addrinfo *address = NULL;
	int code = find_address(listen_to, &address), yes = 1;
	POLB_FD fd = -1;

	if (code)
		return code;
	fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) ||
		bind(fd, address->ai_addr, address->ai_addrlen) || listen(fd, 16))
		code = pold_fail(POLD_ENVIRONMENT, "--listen %s: %s", listen_to, strerror(errno));
	freeaddrinfo(address);
	if (!code)
		*out = polb_take_fd(&fd);
	return code;
}

int pold_metrics_serve(
	const char *listen, bool (*render)(void *context, struct polb_text *out), void *context)
{
	struct server server = {render, context};
	struct MHD_Daemon *daemon;
	sigset_t signals;
	int fd = -1, got, code = bind_address(listen, &fd);

	if (code)
		return code;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL); /* the server's thread inherits it */
	daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0, NULL, NULL,
		answer, &server, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_TIMEOUT,
		TIMEOUT_S, MHD_OPTION_CONNECTION_LIMIT, MAX_READERS, MHD_OPTION_END);
	if (!daemon)
		return pold_fail(POLD_ENVIRONMENT, "cannot start the HTTP server");
	sigwait(&signals, &got);
	MHD_stop_daemon(daemon); /* closes the socket */
	return POLD_OK;
}
#endif
