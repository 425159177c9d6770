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

  /** What a heading of a table means, where it is a word of the trade. */
  const glossary = new Map(Object.entries({
    seeds: "Trainings that differ in nothing but the seed.",
    "p, corrected": "The p-value of no difference for new images, corrected over all comparisons of the run: below 0.05 the difference is beyond chance.",
    p: "The p-value of no difference for new images, for this comparison alone.",
    interval: "Where the true difference lies, at the confidence at which this comparison was tested among all.",
    "interval, corrected": "Where the true difference lies, at the confidence at which this comparison was tested among all.",
    "this test set": "For these very images, if the networks were trained again with other seeds.",
    "new images": "For other seeds and other images of the same kind; verdicts rest on it.",
    "new subjects": "For other seeds and other people; verdicts rest on it.",
    verdict: "Better or worse: beyond chance. Equivalent: within the margin. Undecided: neither.",
    "smallest margin": "The least margin within which these data show the two to be equivalent.",
    detectable: "The difference that these data would find with a power of 80 %.",
    macs: "Multiply-accumulates of one image in evaluation mode.",
    parameters: "Trainable parameters, as a multiple of the baseline's.",
    latency: "Median time of a call with one image.",
    "latency p50": "Median time of a call with one image.",
    "training step": "Time of an image in a training step.",
    elementwise: "All arithmetic that is no multiply-accumulate.",
    "balanced accuracy": "The mean recall of the classes.",
    "macro f1": "The mean over classes of the harmonic mean of precision and recall.",
    "calibration error": "How far stated confidences are from the share of right answers, over 15 bins.",
    "hedges’ g": "The difference in units of the spread over seeds.",
    "sign-flip": "An exact test over the seeds that assumes no distribution.",
    "on the front": "The probability that no other network is both cheaper and more accurate.",
    "average rank": "1 is the best.",
    "without copies": "On the test images that have no exact copy in training or validation.",
  }));
  const meaningOf = (header) => glossary.get((header.childNodes[0]?.textContent ?? "").trim().toLowerCase());

  const makeSortable = (table) => {
    const buttons = headersOf(table).map((header) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      const meaning = meaningOf(header);
      button.append(...header.childNodes);
      header.append(button);
      if (meaning) {
        button.dataset.meaning = meaning;
        for (const kind of ["mouseenter", "focus"]) button.addEventListener(kind, () => tell(button, meaning));
        for (const kind of ["mouseleave", "blur"]) button.addEventListener(kind, hide);
      }
      button.addEventListener("click", () => {
        const first = header.dataset.first === "descending" ? "descending" : "ascending";
        const now = header.getAttribute("aria-sort");
        sort(table, header, (now === null ? first : now === "ascending" ? "descending" : "ascending") === "ascending" ? 1 : -1);
      });
      return button;
    });
    /* A table is one stop of the keyboard; arrows go from heading to heading. */
    const stop = (place) => buttons.forEach((button, index) => (button.tabIndex = index === place ? 0 : -1));
    stop(0);
    buttons.forEach((button, index) => button.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      const place = step && (index + step + buttons.length) % buttons.length;
      if (place === undefined) return;
      event.preventDefault();
      stop(place);
      buttons[place].focus();
    }));
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
  };

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
    place(spot, head, ...facts.map((fact) => Object.assign(document.createElement("div"), { textContent: fact })));
  };
  const tell = (button, meaning) => place(button, meaning);
  const place = (spot, ...content) => {
    tip.replaceChildren(...content);
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
    spot.addEventListener("blur", hide);
    /* Where the page moves below the pointer, the spot that has the keyboard keeps its words. */
    spot.addEventListener("mouseleave", () => (document.activeElement.matches(".spot") ? show(document.activeElement) : hide()));
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
  });

  const filteredFrom = 9; // rows: fewer are seen at once
  for (const table of document.querySelectorAll("table")) {
    const rows = [...table.tBodies].flatMap((body) => [...body.rows]).filter((row) => row.cells.length > 1);
    if (rows.length < 2) continue;
    makeSortable(table);
    if (rows.length >= filteredFrom) makeFilter(table);
  }

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
