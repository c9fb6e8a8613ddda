/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * GetUrl and DnsLookup, on demand only (--callbacks): a plain HTTP GET, a DNS question. Answers are
 * of no interest. A thread of this process does them, so that reading never waits and that what
 * it calls makes no events of its own (self_tgid). No NSS: polload is static.
 */
#include "events.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#include "runtime/cleanup.h"

#define QUEUE 64u
#define TEXT_BYTES 1024u
#define TIMEOUT_S 3
#define ENDING_S 5 /* so long is still worked when the reader ends */
#define DNS_PORT 53
#define DNS_BYTES 1232u /* no fragments */
#define DNS_HEADER 12u
enum { TYPE_A = 1, TYPE_AAAA = 28 };

struct task {
	bool is_url;
	char text[TEXT_BYTES];
};
struct pold_callbacks {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct task queue[QUEUE];
	unsigned int first, n;
	bool ending;
	time_t ended_s;   /* monotonic */
	uint64_t skipped; /* the queue was full, or the text too long */
};

static int open_socket(int family, int type)
{
	const struct timeval timeout = {.tv_sec = TIMEOUT_S};
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	return fd;
}

static socklen_t address_from(
	const struct polb_addr *addr, uint16_t port, struct sockaddr_storage *out)
{
	struct sockaddr_in *four = (struct sockaddr_in *)out;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	if (addr->family == 4) {
		four->sin_family = AF_INET;
		four->sin_port = htons(port);
		memcpy(&four->sin_addr, addr->bytes, 4);
		return sizeof(*four);
	}
	six->sin6_family = AF_INET6;
	six->sin6_port = htons(port);
	memcpy(&six->sin6_addr, addr->bytes, 16);
	return sizeof(*six);
}

static int connect_to(const struct polb_addr *addr, uint16_t port, int type)
{
	struct sockaddr_storage to;
	socklen_t size = address_from(addr, port, &to);
	POLB_FD fd = open_socket(to.ss_family, type);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, size))
		return -1;
	return polb_take_fd(&fd);
}

/* The first name server of /etc/resolv.conf; without one, the local one. */
static struct polb_addr name_server(void)
{
	FILE *file = fopen("/etc/resolv.conf", "re");
	struct polb_addr addr;
	char line[256], text[128];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		found = sscanf(line, " nameserver %127s", text) == 1 &&
			polb_addr_parse(text, &addr) == 0;
	if (file)
		fclose(file);
	if (!found)
		polb_addr_parse("127.0.0.1", &addr);
	return addr;
}

/* A question for one name; its size, 0 when the name is none. */
static size_t make_question(const char *name, uint16_t type, unsigned char out[DNS_BYTES])
{
	static const unsigned char header[DNS_HEADER] = {0, 0, 1, 0, 0, 1};
	size_t at = DNS_HEADER;

	memcpy(out, header, sizeof(header));
	if (getrandom(out, 2, 0) != 2)
		return 0;
	while (*name) {
		size_t n = strcspn(name, ".");

		if (n < 1 || n > 63 || at + n > DNS_HEADER + 253)
			return 0;
		out[at++] = (unsigned char)n;
		memcpy(out + at, name, n);
		at += n;
		name += n + (name[n] == '.');
	}
	out[at++] = 0;
	out[at++] = 0;
	out[at++] = (unsigned char)type;
	out[at++] = 0;
	out[at++] = 1;
	return at;
}

/* Behind a name in an answer; 0 when it leaves the message. */
static size_t skip_name(const unsigned char *message, size_t size, size_t at)
{
	while (at < size && message[at] && message[at] < 0xc0)
		at += 1u + message[at];
	if (at >= size)
		return 0;
	return at + (message[at] ? 2 : 1);
}

/* The first address of the wanted type in an answer to our question. */
static bool read_answer(const unsigned char *message, size_t size, size_t question, uint16_t type,
	struct polb_addr *out)
{
	unsigned int answers = size > DNS_HEADER ? (unsigned int)message[6] << 8 | message[7] : 0;
	size_t at = question, bytes = type == TYPE_A ? 4 : 16;

	while (answers-- > 0) {
		size_t data;

		at = skip_name(message, size, at);
		if (!at || at + 10 > size)
			return false;
		data = (size_t)message[at + 8] << 8 | message[at + 9];
		if (at + 10 + data > size)
			return false;
		if (message[at] == 0 && message[at + 1] == type && data == bytes) {
			*out = (struct polb_addr){.family = type == TYPE_A ? 4 : 6};
			memcpy(out->bytes, message + at + 10, bytes);
			return true;
		}
		at += 10 + data;
	}
	return false;
}

static bool ask(const char *name, uint16_t type, struct polb_addr *out)
{
	unsigned char question[DNS_BYTES], answer[DNS_BYTES];
	size_t size = make_question(name, type, question);
	struct polb_addr server = name_server();
	POLB_FD fd = size ? connect_to(&server, DNS_PORT, SOCK_DGRAM) : -1;
	ssize_t n;

	if (fd < 0 || send(fd, question, size, MSG_NOSIGNAL) != (ssize_t)size)
		return false;
	n = recv(fd, answer, sizeof(answer), 0);
	/* the question comes back: what is not ours is not read */
	if (n < (ssize_t)size || memcmp(answer, question, 2) != 0 ||
		memcmp(answer + DNS_HEADER, question + DNS_HEADER, size - DNS_HEADER) != 0)
		return false;
	return read_answer(answer, (size_t)n, size, type, out);
}

/* A line of /etc/hosts: an address, then names. */
static bool in_hosts(const char *name, struct polb_addr *out)
{
	FILE *file = fopen("/etc/hosts", "re");
	char line[512];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file)) {
		char *rest, *word = strtok_r(line, " \t\n", &rest);
		struct polb_addr addr;

		if (!word || polb_addr_parse(word, &addr))
			continue;
		while (!found && (word = strtok_r(NULL, " \t\n", &rest)) && *word != '#')
			found = strcasecmp(word, name) == 0;
		if (found)
			*out = addr;
	}
	if (file)
		fclose(file);
	return found;
}

static bool resolve(const char *name, struct polb_addr *out)
{
	return polb_addr_parse(name, out) == 0 || in_hosts(name, out) || ask(name, TYPE_A, out) ||
	       ask(name, TYPE_AAAA, out);
}

struct url {
	char host[256];
	uint16_t port;
	const char *path; /* with its '/' or "" */
};

static bool parse_url(const char *text, struct url *out)
{
	static const char scheme[] = "http://";
	const char *host, *end;
	char *after;
	unsigned long port = 80;
	size_t n;

	if (strncmp(text, scheme, sizeof(scheme) - 1) != 0)
		return false; /* https needs a TLS library: not here */
	host = text + sizeof(scheme) - 1;
	n = *host == '[' ? strcspn(host, "]") : strcspn(host, ":/?#");
	end = host + n + (*host == '[' && host[n] == ']');
	host += *host == '[';
	n = (size_t)(end - host) - (end > host && end[-1] == ']');
	if (n == 0 || n >= sizeof(out->host))
		return false;
	if (*end == ':') {
		port = strtoul(end + 1, &after, 10);
		end = after;
	}
	if (port < 1 || port > 65535 || (*end && !strchr("/?#", *end)) || strpbrk(end, " \r\n"))
		return false;
	memcpy(out->host, host, n);
	out->host[n] = '\0';
	out->port = (uint16_t)port;
	out->path = end;
	return true;
}

static void get_url(const char *text)
{
	struct polb_text request = {0};
	struct polb_addr addr;
	struct url url;
	POLB_FD fd = -1;
	char answer[512];

	if (!parse_url(text, &url) || !resolve(url.host, &addr))
		return;
	fd = connect_to(&addr, url.port, SOCK_STREAM);
	polb_text_printf(&request,
		"GET %s%.*s HTTP/1.1\r\nHost: %s:%u\r\nUser-Agent: polload\r\nConnection: "
		"close\r\n\r\n",
		*url.path == '/' ? "" : "/", (int)strcspn(url.path, "#"), url.path, url.host,
		url.port);
	if (fd >= 0 && send(fd, request.data, request.size, MSG_NOSIGNAL) > 0)
		(void)!recv(fd, answer, sizeof(answer), 0); /* it has been received */
	polb_text_free(&request);
}

static time_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static bool next_task(struct pold_callbacks *callbacks, struct task *out)
{
	bool have;

	pthread_mutex_lock(&callbacks->lock);
	while (!callbacks->n && !callbacks->ending)
		pthread_cond_wait(&callbacks->changed, &callbacks->lock);
	if (callbacks->ending && now_s() - callbacks->ended_s >= ENDING_S) {
		callbacks->skipped += callbacks->n;
		callbacks->n = 0;
	}
	have = callbacks->n > 0;
	if (have) {
		*out = callbacks->queue[callbacks->first];
		callbacks->first = (callbacks->first + 1) % QUEUE;
		callbacks->n--;
	}
	pthread_mutex_unlock(&callbacks->lock);
	return have;
}

static void *work(void *context)
{
	struct pold_callbacks *callbacks = context;
	struct polb_addr addr;
	struct task task;

	while (next_task(callbacks, &task)) {
		if (task.is_url)
			get_url(task.text);
		else if (!ask(task.text, TYPE_A, &addr))
			ask(task.text, TYPE_AAAA, &addr);
	}
	return NULL;
}

struct pold_callbacks *pold_callbacks_new(void)
{
	struct pold_callbacks *callbacks = calloc(1, sizeof(*callbacks));

	if (!callbacks)
		return NULL;
	pthread_mutex_init(&callbacks->lock, NULL);
	pthread_cond_init(&callbacks->changed, NULL);
	if (pthread_create(&callbacks->thread, NULL, work, callbacks)) {
		free(callbacks);
		return NULL;
	}
	return callbacks;
}

void pold_callbacks_free(struct pold_callbacks *callbacks)
{
	if (!callbacks)
		return;
	pthread_mutex_lock(&callbacks->lock);
	callbacks->ending = true;
	callbacks->ended_s = now_s();
	pthread_cond_signal(&callbacks->changed);
	pthread_mutex_unlock(&callbacks->lock);
	pthread_join(callbacks->thread, NULL);
	if (callbacks->skipped)
		pold_note("note: %llu callbacks were not carried out",
			(unsigned long long)callbacks->skipped);
	pthread_cond_destroy(&callbacks->changed);
	pthread_mutex_destroy(&callbacks->lock);
	free(callbacks);
}

static void add(struct pold_callbacks *callbacks, bool is_url, const char *text)
{
	struct task *task;

	if (!callbacks || !*text)
		return;
	pthread_mutex_lock(&callbacks->lock);
	if (callbacks->n == QUEUE || strlen(text) >= TEXT_BYTES) {
		callbacks->skipped++;
	} else {
		task = &callbacks->queue[(callbacks->first + callbacks->n++) % QUEUE];
		task->is_url = is_url;
		memcpy(task->text, text, strlen(text) + 1);
		pthread_cond_signal(&callbacks->changed);
	}
	pthread_mutex_unlock(&callbacks->lock);
}

void pold_callbacks_url(struct pold_callbacks *callbacks, const char *url)
{
	add(callbacks, true, url);
}

void pold_callbacks_name(struct pold_callbacks *callbacks, const char *name)
{
	add(callbacks, false, name);
}
