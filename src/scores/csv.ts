/** Rows as CSV after RFC 4180; NaN becomes an empty field. Runs in browsers too. */
export function formatCsv(rows: readonly (readonly (string | number)[])[]): string {
  const field = (value: string | number): string => {
    if (typeof value === "number") return Number.isFinite(value) ? String(value) : "";
    // A leading = + - @ would run as a formula in a spreadsheet: names come from model files.
    const text = /^[=+\-@]/.test(value) ? `'${value}` : value;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return rows.map((row) => `${row.map(field).join(",")}\n`).join("");
}
