/** Numbers with their units, and text in columns. */

const grouped = new Intl.NumberFormat('en-US');

export function count(value: number): string {
  return grouped.format(Math.round(value));
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

export function seconds(value: number): string {
  return `${value.toFixed(1)} s`;
}

export function milliseconds(value: number): string {
  return `${value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : count(value)} ms`;
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

/** `3 times`, `2.4 times`. */
export function times(value: number): string {
  return `${value.toFixed(1).replace(/\.0$/, '')} times`;
}

/** Rows of cells in aligned columns: the first to the left, the others to the right. */
export function table(rows: readonly (readonly string[])[], indent = '  ', gap = '   '): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => {
    const cells = row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)));
    return indent + cells.join(gap).trimEnd();
  });
}

/** One bar a row, the longest `width` characters; whatever is not zero can be seen. */
export function barChart(
  rows: readonly { label: string; value: number; note: string }[],
  character: string,
  width = 40,
): string[] {
  const most = Math.max(...rows.map(({ value }) => value));
  const labelWidth = Math.max(...rows.map(({ label }) => label.length));
  return rows.map(({ label, value, note }) => {
    const length = value === 0 ? 0 : Math.max(1, Math.round((value / most) * width));
    return `  ${label.padEnd(labelWidth)}  ${character.repeat(length)} ${note}`;
  });
}
