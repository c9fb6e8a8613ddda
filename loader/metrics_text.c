/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Prometheus' text format, "exposition formats" in its documentation. */
#include "metrics.h"

#include <string.h>

static const struct {
	const char *name, *type, *help;
} families[POLD_N_METRICS] = {
#define X(name, text, type, help) [POLD_METRIC_##name] = {text, type, help},
	POLD_METRICS(X)
#undef X
};

/* A label's value: backslash, quote and line feed are escaped; it must be UTF-8. */
static void add_value(struct polb_text *out, const char *value)
{
	struct polb_text clean = {0};

	polb_text_utf8(&clean, value, strlen(value));
	for (const char *at = polb_text_string(&clean); *at; at++) {
		if (*at == '\n')
			polb_text_puts(out, "\\n");
		else if (*at == '\\' || *at == '"')
			polb_text_printf(out, "\\%c", *at);
		else
			polb_text_add(out, at, 1);
	}
	out->failed |= clean.failed;
	polb_text_free(&clean);
}

static struct polb_text *add_name(
	struct pold_metrics *metrics, enum pold_metric metric, const char *const *labels)
{
	struct polb_text *out = &metrics->samples[metric];

	polb_text_puts(out, families[metric].name);
	for (size_t i = 0; labels && labels[i]; i += 2) {
		polb_text_printf(out, "%s%s=\"", i ? "," : "{", labels[i]);
		add_value(out, labels[i + 1]);
		polb_text_puts(out, "\"");
	}
	polb_text_puts(out, labels && labels[0] ? "} " : " ");
	return out;
}

void pold_metrics_add(struct pold_metrics *metrics, enum pold_metric metric,
	const char *const *labels, uint64_t value)
{
	polb_text_printf(add_name(metrics, metric, labels), "%llu\n", (unsigned long long)value);
}

void pold_metrics_add_ratio(struct pold_metrics *metrics, enum pold_metric metric,
	const char *const *labels, double value)
{
	polb_text_printf(add_name(metrics, metric, labels), "%.15g\n", value);
}

bool pold_metrics_text(const struct pold_metrics *metrics, struct polb_text *out)
{
	for (size_t i = 0; i < POLD_N_METRICS; i++) {
		const struct polb_text *samples = &metrics->samples[i];

		if (samples->failed)
			return false;
		if (!samples->size)
			continue;
		polb_text_printf(out, "# HELP %s %s\n# TYPE %s %s\n", families[i].name,
			families[i].help, families[i].name, families[i].type);
		polb_text_add(out, samples->data, samples->size);
	}
	return !out->failed;
}

void pold_metrics_free(struct pold_metrics *metrics)
{
	for (size_t i = 0; i < POLD_N_METRICS; i++)
		polb_text_free(&metrics->samples[i]);
}
