// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// YAML policies (and inventory objects among them) through reader, lowering, plan and printers.
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct polc polc;
	struct polc_input input = {0};
	char path[64];

	polc_init(&polc);
	fuzz_file(path, ".yaml", data, size);
	polc_read_policies(&polc, &input, path);
	fuzz_compile(&polc, &input);
	unlink(path);
	polc_free(&polc);
	return 0;
}
