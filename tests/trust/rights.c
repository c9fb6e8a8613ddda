/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* rights CAPABILITY,... COMMAND...: runs it as root with these capabilities, by number, and no
 * other. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	unsigned long long keeps = 0;

	if (argc < 3)
		return 2;
	for (char *at = argv[1]; *at; at += strspn(at, ","))
		keeps |= 1ull << strtoul(at, &at, 10);
	for (int i = 0; i < 64; i++)
		if (!(keeps >> i & 1) && prctl(PR_CAPBSET_READ, i) == 1 &&
			prctl(PR_CAPBSET_DROP, i))
			return 3;
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 3;
}
