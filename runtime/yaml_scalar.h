/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How YAML 1.1 as Kubernetes reads it (sigs.k8s.io/yaml) understands a scalar written without
 * quotes. Shared by the compiler and the loader, so that one inventory says the same to both.
 */
#ifndef POLB_YAML_SCALAR_H
#define POLB_YAML_SCALAR_H

#include <stdbool.h>

enum polb_yaml_scalar {
	POLB_YAML_NULL,
	POLB_YAML_BOOL, /* also yes, no, on, off, y, n */
	POLB_YAML_INT,  /* in any base */
	POLB_YAML_FLOAT,
	POLB_YAML_STRING,
};
enum polb_yaml_scalar polb_yaml_resolve(const char *plain);
bool polb_yaml_is_true(const char *plain); /* of a BOOL: which one */

#endif
