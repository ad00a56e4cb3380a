/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cni/cleanup.h"

#define GAP 2
#define CELL_MIN 10
#define SCREEN 80
#define SCREEN_MIN 40
#define SCREEN_MAX 1000

/* COLUMNS, or the terminal's width, or 80. */
static size_t table_screen_width(void)
{
	const char *columns = getenv("COLUMNS");
	long width = columns ? strtol(columns, NULL, 10) : 0;
	struct winsize size;

	if (width <= 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		width = size.ws_col;
	if (width <= 0)
		width = SCREEN;
	return (size_t)(width < SCREEN_MIN ? SCREEN_MIN : width > SCREEN_MAX ? SCREEN_MAX : width);
}

void table_put(struct table *table, enum paint paint, const char *format, ...)
{
	autofree char *text = NULL;
	va_list args;

	if (table->n == table->space) {
		table->space = 2 * table->space + 64;
		table->cells = realloc(table->cells, table->space * sizeof(*table->cells));
	}
	va_start(args, format);
	text = text_format(format, args);
	va_end(args);
	if (!table->cells)
		abort();
	table->cells[table->n++] = (struct table_cell){ text_escape(text), paint };
}

static void table_cut_column(size_t *width, size_t total, size_t screen)
{
	const size_t over = total > screen ? total - screen : 0;

	if (*width > CELL_MIN)
		*width = *width > over + CELL_MIN ? *width - over : CELL_MIN;
}

static size_t table_width(const size_t *widths, size_t columns)
{
	size_t total = GAP * (columns - 1);

	for (size_t i = 0; i < columns; i++)
		total += widths[i];
	return total;
}

static void table_measure(const struct table *table, size_t *widths)
{
	const size_t screen = table_screen_width();

	if (!table->columns)
		return;
	for (size_t i = 0; i < table->columns; i++)
		widths[i] = strlen(table->heads[i]);
	for (size_t i = 0; i < table->n; i++) {
		const size_t len = strlen(table->cells[i].text);

		if (len > widths[i % table->columns])
			widths[i % table->columns] = len;
	}
	table_cut_column(&widths[table->room], table_width(widths, table->columns), screen);
	table_cut_column(&widths[table->columns - 1], table_width(widths, table->columns), screen);
	/* names of networks and masters are cut last: rows differ by them */
	for (size_t i = 0; i + 1 < table->columns; i++)
		table_cut_column(&widths[i], table_width(widths, table->columns), screen);
}

static void table_put_cell(enum paint paint, const char *text, size_t width, bool last)
{
	const size_t len = strlen(text), head = last ? width - 1 : width / 2;

	if (len > width)
		text_put(paint, "%.*s~%s", (int)head, text, text + len - (width - 1 - head));
	else
		text_put(paint, "%s", text);
	if (!last)
		text_put(PLAIN, "%*s", (int)(GAP + (len < width ? width - len : 0)), "");
}

/* Without blanks at its end. */
static void table_put_row(const struct table *table, const struct table_cell *row, const size_t *widths)
{
	size_t used = table->columns;

	while (used > 1 && !*row[used - 1].text)
		used--;
	for (size_t i = 0; i < used; i++)
		table_put_cell(row[i].paint, row[i].text, widths[i], i + 1 == used);
	text_end();
}

void table_print(struct table *table)
{
	struct table_cell heads[TABLE_COLUMNS];
	size_t widths[TABLE_COLUMNS] = { 0 };

	table_measure(table, widths);
	for (size_t i = 0; i < table->columns; i++)
		heads[i] = (struct table_cell){ (char *)table->heads[i], BOLD };
	if (table->n)
		table_put_row(table, heads, widths);
	for (size_t i = 0; i < table->n; i += table->columns)
		table_put_row(table, &table->cells[i], widths);
	for (size_t i = 0; i < table->n; i++)
		free(table->cells[i].text);
	free(table->cells);
	table->cells = NULL;
	table->n = table->space = 0;
}
