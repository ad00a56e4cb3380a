/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Columns for people. Cells are escaped as in text_put(). On a narrow screen names are cut in their middle,
 * since they differ at both ends, and the last column at its end.
 */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

#include <stddef.h>

#include "ctl/text.h"

#define TABLE_COLUMNS 8

struct table {
	const char *heads[TABLE_COLUMNS];
	size_t columns;
	size_t room; /* the column that is cut first; next is the last one */
	struct table_cell {
		char *text;
		enum paint paint;
	} * cells;
	size_t n, space;
};

/* Adds the next cell of a row. */
__attribute__((format(printf, 3, 4))) void table_put(struct table *table, enum paint paint,
						     const char *format, ...);

/* Prints the table, and frees its cells. Prints nothing if it has no row. */
void table_print(struct table *table);

#endif
