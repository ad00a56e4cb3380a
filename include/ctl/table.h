/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Columns for people. Cells are cleaned as text_put() does it, and cut where the screen is narrow: names in
 * their middle, since they differ at both ends; the last column at its end.
 */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

#include <stddef.h>

#include "ctl/text.h"

#define TABLE_COLUMNS 8

struct table {
	const char *heads[TABLE_COLUMNS];
	size_t columns;
	size_t room; /* the column that is cut first; then the last one */
	struct table_cell {
		char *text;
		enum paint paint;
	} * cells;
	size_t n, space;
};

/* The cells of a row, one after the other. */
__attribute__((format(printf, 3, 4))) void table_put(struct table *table, enum paint paint,
						     const char *format, ...);

/* Prints it, and frees what is in it. No row: nothing. */
void table_print(struct table *table);

#endif
