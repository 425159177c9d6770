"use strict";
/* Copies of commands, and of tables in the forms that other programs read. */
(() => {
  const main = document.querySelector("main");
  if (!main) return;
  const make = (tag, properties = {}, ...children) => {
    const found = Object.assign(document.createElement(tag), properties);
    found.append(...children);
    return found;
  };
  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const field = make("textarea", { value: text });
      document.body.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
    }
  };
  const said = (part, word) => {
    const before = part.textContent;
    part.textContent = word;
    setTimeout(() => (part.textContent = before), 1500);
  };
  for (const code of main.querySelectorAll("code.command, pre.copied")) {
    const text = code.textContent;
    const button = make("button", { type: "button", className: "copy" }, "copy");
    button.setAttribute("aria-label", `Copy: ${text.slice(0, 60)}`);
    button.addEventListener("click", () => copy(text).then(() => said(button, "copied")));
    code.after(" ", button);
  }

  /* What forms.js takes. */
  const decoration = "[aria-hidden], svg, .link, details";
  const parts = (cell) => ({
    text: cells.textOf(cell, `${decoration}, .unit`),
    unit: [...cell.querySelectorAll(".unit")].map((unit) => cells.textOf(unit)).join(" "),
  });
  const spread = (row, of) => [...row.cells].flatMap((cell) => [of(cell), ...Array(cell.colSpan - 1).fill({ text: "", unit: "" })]);
  const kindOf = (header, below) => {
    if (header.classList.contains("name")) return "name";
    if (below.some((cell) => cell?.classList.contains("prose"))) return "prose";
    return header.classList.contains("text") ? "text" : "number";
  };
  /* A column of small charts has no text, and no place in a copy. */
  const withoutEmpty = (model) => {
    const full = model.rows.filter((row) => row.cells);
    const kept = model.columns.map((_, place) => full.some((row) => row.cells[place]?.text || row.cells[place]?.unit));
    let end = 0;
    const groups = model.groups.map(({ text, span }) => ({ text, span: kept.slice(end, (end += span)).filter(Boolean).length }));
    const only = (list) => list.filter((_, place) => kept[place]);
    return {
      ...model,
      groups: groups.filter((group) => group.span),
      columns: only(model.columns),
      rows: model.rows.map((row) => (row.cells ? { cells: only(row.cells) } : row)),
    };
  };
  const modelOf = (table) => {
    const heads = [...table.tHead.rows];
    const shown = [...table.tBodies, table.tFoot].filter(Boolean).flatMap((body) => [...body.rows]).filter((row) => !row.hidden);
    const full = shown.filter((row) => row.cells.length > 1);
    return {
      caption: cells.textOf(table.caption),
      groups: heads.length > 1 ? [...heads[0].cells].map((cell) => ({ text: cells.textOf(cell), span: cell.colSpan })) : [],
      columns: spread(heads[heads.length - 1], (cell) => cell).map((cell, place) =>
        cell.classList ? { ...parts(cell), kind: kindOf(cell, full.map((row) => row.cells[place])) } : { ...cell, kind: "text" }),
      rows: shown.map((row) => (row.cells.length > 1 ? { cells: spread(row, parts) } : { title: cells.textOf(row.cells[0]) })),
    };
  };

  for (const table of main.querySelectorAll("table")) {
    if (!table.tHead || !table.caption) continue;
    const choice = make("select", { className: "copy" });
    choice.setAttribute("aria-label", `Copy the table: ${cells.textOf(table.caption).slice(0, 60)}`);
    for (const name of ["copy as", ...Object.keys(tableForms)]) choice.append(make("option", { value: name }, name));
    choice.addEventListener("change", () => {
      const form = tableForms[choice.value];
      if (form) copy(`${form(withoutEmpty(modelOf(table)))}\n`).then(() => said(choice.options[0], "copied"));
      choice.selectedIndex = 0;
    });
    const around = table.closest(".scroll") ?? table;
    let line = around.previousElementSibling;
    if (!line?.classList.contains("tools")) {
      line = make("div", { className: "tools" });
      around.before(line);
    }
    line.append(choice);
    /* Beside the caption where the table has room for both, else beside the table, else above it. */
    new ResizeObserver(() => {
      const room = Math.min(table.offsetWidth, around.clientWidth);
      const isWide = room > 42 * parseFloat(getComputedStyle(document.documentElement).fontSize);
      const taken = [...line.children].reduce((sum, tool) => sum + tool.offsetWidth, 48);
      const outside = !isWide && room + taken <= around.clientWidth;
      line.classList.toggle("beside", isWide || outside);
      line.style.maxWidth = `${Math.max(outside ? room + taken : room, 320)}px`;
      table.caption.style.maxWidth = isWide ? `${room - taken}px` : "";
    }).observe(table);
  }
})();
