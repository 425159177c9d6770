"use strict";
/* What stands in the cells of a table: their texts, and the numbers in these as the page writes numbers. */
const cells = (() => {
  const missing = "–";
  const figure = "[+-]?(?:\\d[\\d,]*(?:\\.\\d+)?|\\.\\d+|∞)";
  const range = `\\(?(${figure}) (?:–|to) (${figure})\\)?`;
  const rangeAlone = new RegExp(`^${range}$`);
  const number = new RegExp(`^(?:× ?)?([<>≤≥]?) ?(${figure})(?: ?%)?(?: ${range})?(?: (?!:)(.+))?$`);
  const leading = new RegExp(`^(?:× ?)?([<>≤≥]?) ?(${figure})`);

  /** The text of a cell without marks, figures and links, which say nothing that the text does not. */
  const textOf = (cell, left = "[aria-hidden], svg, .link, details") => {
    const plain = cell.cloneNode(true);
    for (const part of plain.querySelectorAll(left)) part.remove();
    return plain.textContent.trim().replace(/\s+/g, " ");
  };
  const ascii = (text) => text.replace(/\u2212/g, "-").replace(/\u00a0/g, " ");
  const digitsOf = (text) => (text ?? "").replace(/,/g, "").replace(/^\+/, "").replace("∞", "inf");
  const valueOf = (text) => Number(digitsOf(text).replace("inf", "Infinity"));

  /** The numbers of a cell, as programs read them: `bound` is "<" or the like where the value is only a limit, and what
   * is not there is ""; null where the cell is text. */
  const numbersOf = (text) => {
    const alone = rangeAlone.exec(ascii(text));
    if (alone) return { bound: "", value: "", low: digitsOf(alone[1]), high: digitsOf(alone[2]), note: "" };
    const found = number.exec(ascii(text));
    if (!found) return null;
    const [, bound, value, low, high, note] = found;
    return { bound, value: digitsOf(value), low: digitsOf(low), high: digitsOf(high), note: note ?? "" };
  };

  /** What a cell sorts by: a number before a text, "< 1" before "1", and "> 99" after it. */
  const keyOf = (text) => {
    const found = leading.exec(ascii(text));
    if (!found) return [1, 0, 0, text];
    return [0, valueOf(found[2]), { "<": -2, "≤": -1, "≥": 1, ">": 2 }[found[1]] ?? 0, text];
  };
  const compareTexts = (a, b) => a.localeCompare(b, "en", { numeric: true, sensitivity: "base" });
  const compare = (a, b) => {
    const [ours, theirs] = [keyOf(a), keyOf(b)];
    for (const part of [0, 1, 2]) if (ours[part] !== theirs[part]) return ours[part] - theirs[part];
    return compareTexts(a, b);
  };

  /** The headings that stand directly above columns. */
  const headersOf = (table) => {
    const rows = table.tHead ? [...table.tHead.rows] : [];
    return rows.length ? [...rows[rows.length - 1].cells].filter((cell) => cell.tagName === "TH") : [];
  };
  const columnOf = (header) => {
    let place = 0;
    for (let cell = header.previousElementSibling; cell; cell = cell.previousElementSibling) place += cell.colSpan;
    return place;
  };
  /** The rows of a body without those that only name what follows. */
  const rowsOf = (table) => [...table.tBodies].flatMap((body) => [...body.rows]).filter((row) => row.cells.length > 1);

  return { missing, textOf, numbersOf, compare, compareTexts, headersOf, columnOf, rowsOf };
})();
