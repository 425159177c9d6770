"use strict";
(() => {
  const missing = "–";

  /** The number that a cell begins with, as the page writes numbers; NaN where it is text. */
  const numberOf = (text) => {
    const plain = text.replace(/\u2212/g, "-").replace(/,/g, "").replace(/^[^\d.+-]*(?=[\d.+-])/, (lead) => (/^[\s×<≤>≥]*$/.test(lead) ? "" : lead));
    return /^[+-]?(\d|\.\d)/.test(plain) ? parseFloat(plain) : NaN;
  };
  const textOf = (cell) => (cell ? (cell.dataset.sort ?? cell.textContent).trim().replace(/\s+/g, " ") : "");

  /** Where each cell of the last header row stands among the cells of a row. */
  const headersOf = (table) => {
    const rows = table.tHead ? [...table.tHead.rows] : [];
    return rows.length ? [...rows[rows.length - 1].cells].filter((cell) => cell.tagName === "TH") : [];
  };
  const columnOf = (header) => {
    let place = 0;
    for (let cell = header.previousElementSibling; cell; cell = cell.previousElementSibling) place += cell.colSpan;
    return place;
  };

  const compare = (a, b) => {
    const numbers = [numberOf(a), numberOf(b)];
    if (!numbers.some(Number.isNaN)) return numbers[0] - numbers[1];
    return a.localeCompare(b, "en", { numeric: true, sensitivity: "base" });
  };

  const sort = (table, header, direction) => {
    const column = columnOf(header);
    for (const body of table.tBodies) {
      const titles = [...body.rows].filter((row) => row.cells.length === 1);
      const rows = [...body.rows].filter((row) => row.cells.length > 1);
      const keyed = rows.map((row, place) => ({ row, place, key: textOf(row.cells[column]) }));
      keyed.sort((a, b) => {
        const absent = (a.key === missing || a.key === "") - (b.key === missing || b.key === "");
        return absent || direction * compare(a.key, b.key) || a.place - b.place;
      });
      body.append(...titles, ...keyed.map((one) => one.row));
    }
    for (const other of headersOf(table)) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
  };

  const makeSortable = (table) => {
    for (const header of headersOf(table)) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...header.childNodes);
      header.append(button);
      button.addEventListener("click", () => sort(table, header, header.getAttribute("aria-sort") === "ascending" ? -1 : 1));
    }
  };

  const makeFilter = (table) => {
    const name = table.caption ? table.caption.textContent.trim().replace(/\s+/g, " ") : "table";
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
      let shown = 0;
      let all = 0;
      for (const body of table.tBodies) {
        for (const row of body.rows) {
          if (row.cells.length === 1) continue;
          const text = row.textContent.toLowerCase();
          row.hidden = !wanted.every((word) => text.includes(word));
          all += 1;
          shown += row.hidden ? 0 : 1;
        }
      }
      status.textContent = wanted.length ? `${shown} of ${all} rows` : "";
    });
    const line = document.createElement("div");
    line.className = "tools";
    line.append(field, status);
    (table.closest(".scroll") ?? table).before(line);
    const fit = () => {
      line.style.maxWidth = `${Math.max(table.offsetWidth, 320)}px`;
    };
    window.addEventListener("resize", fit);
    fit();
  };

  for (const table of document.querySelectorAll("table")) {
    const rows = [...table.tBodies].flatMap((body) => [...body.rows]).filter((row) => row.cells.length > 1);
    if (rows.length < 2) continue;
    makeSortable(table);
    makeFilter(table);
  }

  /* What a point of a chart says, beside it. */
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.setAttribute("role", "tooltip");
  tip.hidden = true;
  document.body.append(tip);
  const show = (spot) => {
    const [title, ...facts] = spot.getAttribute("aria-label").split("\n");
    const head = document.createElement("strong");
    head.textContent = title;
    tip.replaceChildren(head, ...facts.map((fact) => Object.assign(document.createElement("div"), { textContent: fact })));
    tip.hidden = false;
    const box = spot.getBoundingClientRect();
    const width = tip.offsetWidth;
    const left = Math.min(Math.max(8, box.left + box.width / 2 - width / 2), document.documentElement.clientWidth - width - 8);
    const above = box.top - tip.offsetHeight - 8;
    tip.style.left = `${left + window.scrollX}px`;
    tip.style.top = `${(above > 0 ? above : box.bottom + 8) + window.scrollY}px`;
  };
  const hide = () => {
    tip.hidden = true;
  };
  for (const spot of document.querySelectorAll(".spot")) {
    for (const kind of ["mouseenter", "focus"]) spot.addEventListener(kind, () => show(spot));
    for (const kind of ["mouseleave", "blur"]) spot.addEventListener(kind, hide);
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
  });

  /* The contents mark where the reader is. */
  const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
  const headings = [...links.keys()].map((key) => document.getElementById(key)).filter(Boolean);
  const follow = () => {
    let current = null;
    for (const heading of headings) {
      if (heading.getBoundingClientRect().top > 120) break;
      current = heading;
    }
    for (const link of links.values()) link.removeAttribute("aria-current");
    const link = current && links.get(current.id);
    if (link) {
      link.setAttribute("aria-current", "true");
      const list = link.closest("ul");
      if (list.scrollHeight > list.clientHeight) {
        list.scrollTop = link.offsetTop - list.offsetTop - list.clientHeight / 2;
      }
    }
  };
  let waiting = false;
  window.addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      follow();
    });
  }, { passive: true });
  follow();
  const contents = document.querySelector("details.contents");
  if (contents && !window.matchMedia("(min-width: 87rem)").matches) contents.open = false;

  window.addEventListener("beforeprint", () => {
    for (const part of document.querySelectorAll("main details:not([open], .screen)")) {
      part.open = true;
      part.dataset.opened = "";
    }
  });
  window.addEventListener("afterprint", () => {
    for (const part of document.querySelectorAll("details[data-opened]")) {
      part.open = false;
      delete part.dataset.opened;
    }
  });
})();
