"use strict";
/* A table as Markdown, LaTeX and CSV. It comes as
 *   caption: text;
 *   groups: the headings above headings, each { text, span }; empty where there are none;
 *   columns: each { text, unit, kind }, a kind being name, text, prose or number;
 *   rows: each { title } where it only names what follows, else { cells: each { text, unit } }. */
const tableForms = (() => {
  const missing = "–";
  const withUnit = ({ text, unit }) => (unit ? (text ? `${text} (${unit})` : unit) : text);
  const isLeft = (column) => column.kind !== "number";

  /** The heading above each column; "" where there is none. */
  const groupOf = (table) => table.groups.flatMap((group) => Array(group.span).fill(group.text));
  const named = (table) => {
    const groups = groupOf(table);
    return table.columns.map((column, place) => (groups[place] ? `${groups[place]}: ${withUnit(column)}` : withUnit(column)));
  };

  const markdown = (table) => {
    const escape = (text) => text.replace(/([\\|`*_<>~[\]])/g, "\\$1");
    const line = (texts) => `| ${texts.map(escape).join(" | ")} |`;
    const empty = table.columns.slice(1).map(() => "");
    const rows = table.rows.map((row) =>
      row.cells ? line(row.cells.map(withUnit)) : `| **${escape(row.title)}** | ${empty.join(" | ")} |`);
    const rule = `|${table.columns.map((column) => (isLeft(column) ? "---" : "---:")).join("|")}|`;
    return [`**${escape(table.caption)}**`, "", line(named(table)), rule, ...rows].join("\n");
  };

  const latexLetters = {
    "\\": "\\textbackslash{}", "&": "\\&", "%": "\\%", $: "\\$", "#": "\\#", _: "\\_", "{": "\\{", "}": "\\}",
    "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "<": "$<$", ">": "$>$", "|": "$|$", "[": "{[}", "*": "{*}",
    "–": "--", "—": "---", "−": "$-$", "×": "$\\times$", "±": "$\\pm$", "≤": "$\\leq$", "≥": "$\\geq$", "≈": "$\\approx$",
    "→": "$\\rightarrow$", "∞": "$\\infty$", "·": "$\\cdot$", "²": "$^2$", "η": "$\\eta$", "…": "\\dots{}", "\u00a0": "~",
    "’": "'", "‘": "`", "“": "``", "”": "''", '"': "''",
  };
  const latexText = (text) => text.replace(/./gsu, (letter) => latexLetters[letter] ?? letter).replace(/(\d) \\%/g, "$1~\\%");
  const latex = (table) => {
    const shapes = table.columns.map((column) => ({ number: "r", prose: "p{.3\\linewidth}" })[column.kind] ?? "l").join("");
    const row = (texts) => `${texts.map(latexText).join(" & ")} \\\\`;
    const heads = [];
    if (table.groups.some((group) => group.text)) {
      let first = 1;
      const rules = [];
      const words = table.groups.map(({ text, span }) => {
        if (text) rules.push(`\\cmidrule(lr){${first}-${first + span - 1}}`);
        first += span;
        return text ? `\\multicolumn{${span}}{c}{${latexText(text)}}` : Array(span).fill("").join(" & ");
      });
      heads.push(`${words.join(" & ")} \\\\`, rules.join(""));
    }
    const columns = table.columns.map((column) =>
      column.kind === "number" ? `\\multicolumn{1}{c}{${latexText(withUnit(column))}}` : latexText(withUnit(column)));
    const body = table.rows.map((one) =>
      one.cells ? row(one.cells.map(withUnit)) : `\\multicolumn{${table.columns.length}}{l}{\\textit{${latexText(one.title)}}} \\\\`);
    return [
      "% \\usepackage{booktabs}", "\\begin{table}", "\\centering", `\\caption{${latexText(table.caption)}}`,
      `\\begin{tabular}{${shapes}}`, "\\toprule", ...heads, `${columns.join(" & ")} \\\\`, "\\midrule", ...body,
      "\\bottomrule", "\\end{tabular}", "\\end{table}",
    ].join("\n");
  };

  /** A column as those of a data frame: the number, the ends of its interval, whether it is a bound, and words. */
  const dataColumns = (name, column, texts) => {
    const found = texts.map((text) => cells.numbersOf(text));
    if (column.kind !== "number" || !found.some(Boolean)) return [[name, texts.map((text) => (text === missing ? "" : text))]];
    const all = [
      [name, found.map((one) => one?.value ?? "")],
      [`${name} low`, found.map((one) => one?.low ?? "")],
      [`${name} high`, found.map((one) => one?.high ?? "")],
      [`${name} bound`, found.map((one) => one?.bound ?? "")],
      [`${name} note`, found.map((one, place) => (one ? one.note : texts[place] === missing ? "" : texts[place]))],
    ];
    return all.filter(([, values]) => values.some(Boolean));
  };
  const csv = (table) => {
    const rows = table.rows.filter((row) => row.cells);
    const names = named(table);
    const columns = table.columns.flatMap((column, place) =>
      dataColumns(names[place], column, rows.map((row) => [row.cells[place].text, row.cells[place].unit].filter(Boolean).join(" "))));
    if (rows.length < table.rows.length) {
      let title = "";
      const titles = table.rows.flatMap((row) => (row.cells ? [title] : ((title = row.title), [])));
      columns.unshift(["group", titles]);
    }
    const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);
    const lines = [columns.map(([name]) => name), ...rows.map((_, place) => columns.map(([, values]) => values[place]))];
    return lines.map((line) => line.map(quoted).join(",")).join("\n");
  };
  return { Markdown: markdown, LaTeX: latex, CSV: csv };
})();
