/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The picture between topology and SVG. Columns from left to right follow the direction of
 * connections; clusters ("units") stand in bands from top to bottom, so that their frames never
 * overlap. Nodes live in columns, vertical lines in the channels between columns, long horizontal
 * lines in the gutters between bands: no line can run through a node, and labels stand in a zone of
 * the channel, right before the arrow, that vertical lines do not enter.
 *
 * Outside nodes stand left of everything as sources and right of everything as destinations (twice
 * when they are both). Edges of one source that look alike share their line up to the branch.
 */
#ifndef POLC_GRAPH_LAYOUT_H
#define POLC_GRAPH_LAYOUT_H

#include "graph.h"

/*
 * Heights are whole rows. Within a row incoming lines, outgoing lines and lines in gutters have
 * different heights, so that no two lie on each other.
 */
enum {
	POLC_ROW = 15,
	POLC_ENTRY_Y = 10,
	POLC_EXIT_Y = 17, /* of the row after the slot's */
	POLC_TRACK = 9,   /* distance of vertical lines */
	POLC_FRAME_PAD = 14,
	POLC_CHANNEL_PAD = 20, /* more than a frame's, on both sides of a channel */
	POLC_MARGIN = 24,
	POLC_HEAD = 70, /* title and summary */
};

#define POLC_NO_UNIT UINT32_MAX

/* What the members of a node or cluster have among each other: a line of text. */
struct polc_picture_loop {
	const struct polc_topology_edge *edge;
	const char *text;
};
typedef POLC_VEC(struct polc_picture_loop) polc_picture_loops;

struct polc_picture_box {
	uint32_t node; /* of the topology */
	uint32_t unit; /* POLC_NO_UNIT: left or right of all */
	int column;
	int row, rows;
	unsigned n_in, n_out; /* lines */
	double order;         /* while sorting */
	const char *label;
	polc_picture_loops loops;
	int x, y, w, h;
};

struct polc_picture_unit {
	uint32_t cluster; /* or POLC_TOPOLOGY_NO_CLUSTER: one node, no frame */
	int first_column, last_column;
	uint32_t band;
	int row, rows, header_rows;
	unsigned n_in, n_out;
	const char *label;
	polc_picture_loops loops;
	int x, y, w, h;
};

struct polc_picture_end {
	bool is_unit;
	uint32_t index; /* of units or boxes */
};

/* Lines of one source that look alike. */
struct polc_picture_net {
	struct polc_picture_end from;
	const char *class_name;
	bool both;
	unsigned colour;
	int channel;   /* right of the source */
	unsigned slot; /* among the source's nets */
	double order;
	/* lines in gutters to channels right and left of its own; gutter -1: none */
	struct {
		int gutter, last_channel, track;
	} feeders[2];
};

struct polc_picture_wire {
	const struct polc_topology_edge *edge;
	struct polc_picture_end from, to;
	uint32_t net;
	int channel; /* left of the destination */
	unsigned slot;
	double order;
	const char *label;
	int x[6], y[6]; /* corners */
	unsigned n_corners;
};

/* A vertical line of a net in one channel. */
struct polc_picture_trunk {
	uint32_t net;
	int channel, track;
	int top, bottom;
	POLC_VEC(int) left, right; /* heights at which lines join from either side */
};

struct polc_picture {
	struct polc_arena *arena;
	const struct polc_graph *graph;
	POLC_VEC(struct polc_picture_box) boxes;
	POLC_VEC(struct polc_picture_unit) units;
	POLC_VEC(struct polc_picture_net) nets;
	POLC_VEC(struct polc_picture_wire) wires;
	POLC_VEC(struct polc_picture_trunk) trunks;
	int n_columns; /* with the outermost two; channel i lies right of column i */
	int *column_x, *column_w;
	int *channel_x, *channel_tracks, *channel_labels; /* labels: width of their zone */
	uint32_t n_bands;
	uint32_t *unit_order;
	int *band_row, *band_rows;     /* by band */
	int *gutter_row, *gutter_rows; /* gutter i lies above band i, one more below the last */
	int *gutter_tracks;
	int width, height;
};

/* Characters are as wide as in common fixed fonts. In tenths of a pixel. */
enum { POLC_NAME_CHAR = 73, POLC_LABEL_CHAR = 61 };
int polc_text_width(const char *text, int tenths);

struct polc_picture *polc_picture_lay_out(struct polc_arena *arena, const struct polc_graph *graph);

/* The steps, in order. */
void polc_picture_make(struct polc_picture *p);  /* boxes, units, wires, nets */
void polc_picture_rank(struct polc_picture *p);  /* columns */
void polc_picture_order(struct polc_picture *p); /* bands, and boxes within columns */
void polc_picture_place(struct polc_picture *p); /* rows */
void polc_picture_route(
	struct polc_picture *p); /* slots, gutters, tracks; then everything's x, y */

/* Rows again, after gutter_rows changed. */
void polc_picture_place_rows(struct polc_picture *p);
/* The row in which an end's lines begin or arrive, for ordering. */
double polc_picture_end_row(const struct polc_picture *p, struct polc_picture_end end);
int polc_picture_first_column(const struct polc_picture *p, struct polc_picture_end end);
int polc_picture_last_column(const struct polc_picture *p, struct polc_picture_end end);

#endif
