"use strict";
/* Tables that sort by a click on a heading, say what their headings mean, and are filtered where they are long. */
(() => {
  const sort = (table, header, direction) => {
    const column = cells.columnOf(header);
    const isText = header.classList.contains("name");
    for (const body of table.tBodies) {
      const titles = [...body.rows].filter((row) => row.cells.length === 1);
      const rows = [...body.rows].filter((row) => row.cells.length > 1);
      const keyed = rows.map((row, place) => {
        const cell = row.cells[column];
        return { row, place, key: cell ? cell.dataset.sort ?? cells.textOf(cell) : "" };
      });
      const isMissing = (one) => one.key === cells.missing || one.key === "";
      const compare = isText ? cells.compareTexts : cells.compare;
      keyed.sort((a, b) => isMissing(a) - isMissing(b) || direction * compare(a.key, b.key) || a.place - b.place);
      body.append(...titles, ...keyed.map((one) => one.row));
    }
    for (const other of cells.headersOf(table)) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
  };
  const sortByClick = (table, header) => {
    const first = header.dataset.first === "descending" ? "descending" : "ascending";
    const now = header.getAttribute("aria-sort");
    const next = now === null ? first : now === "ascending" ? "descending" : "ascending";
    sort(table, header, next === "ascending" ? 1 : -1);
  };

  /** Headings as buttons: those that sort, and those that have a meaning to tell. A table is one stop of the keyboard. */
  const makeHeadings = (table, isSortable) => {
    const buttons = cells.headersOf(table).flatMap((header) => {
      const sorts = isSortable && header.dataset.unsorted === undefined;
      const meaning = glossary(header);
      if (!sorts && !meaning) return [];
      const button = document.createElement("button");
      button.type = "button";
      button.className = `heading${sorts ? " sort" : ""}${meaning ? " explained" : ""}`;
      const words = document.createElement("span");
      words.className = "words-of-heading";
      const nodes = [...header.childNodes];
      const unit = nodes.findIndex((node) => node.classList?.contains("unit"));
      words.append(...nodes.slice(0, unit < 0 ? nodes.length : unit));
      const last = words.lastChild;
      if (last?.nodeType === Node.TEXT_NODE) last.data = last.data.trimEnd();
      button.append(words, " ", ...header.childNodes);
      header.append(button);
      if (meaning) tips.explain(button, meaning);
      if (sorts) button.addEventListener("click", () => sortByClick(table, header));
      return [button];
    });
    if (buttons.length) tips.makeOneStop(buttons);
  };

  const makeFilter = (table) => {
    const name = table.caption ? cells.textOf(table.caption) : "table";
    const field = document.createElement("input");
    field.type = "search";
    field.className = "filter";
    field.placeholder = "filter rows";
    field.setAttribute("aria-label", `Filter the rows of: ${name}`);
    const status = document.createElement("span");
    status.className = "status";
    status.setAttribute("role", "status");
    field.addEventListener("input", () => {
      const wanted = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      const rows = cells.rowsOf(table);
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !wanted.every((word) => text.includes(word));
      }
      const shown = rows.filter((row) => !row.hidden).length;
      status.textContent = wanted.length ? `${shown} of ${rows.length} rows` : "";
    });
    const line = document.createElement("div");
    line.className = "tools";
    line.append(field, status);
    (table.closest(".scroll") ?? table).before(line);
  };

  const filteredFrom = 9; // rows: fewer are seen at once
  for (const table of document.querySelectorAll("table")) {
    const rows = cells.rowsOf(table).length;
    makeHeadings(table, rows > 1);
    if (rows >= filteredFrom) makeFilter(table);
  }
})();
