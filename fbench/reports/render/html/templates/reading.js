"use strict";
(() => {
  const main = document.querySelector("main");
  if (!main) return;
  const make = (tag, properties = {}, ...children) => {
    const found = Object.assign(document.createElement(tag), properties);
    found.append(...children);
    return found;
  };

  /* One figure of several at a time, as the reader chooses; paper has all of them. */
  const choices = [...main.querySelectorAll(".choice")].filter((group) => group.children.length > 1);
  const choose = (group, wanted) => {
    [...group.children].forEach((part, place) => {
      part.classList.toggle("unchosen", part !== wanted);
      if (part === wanted) group.previousElementSibling.querySelector("select").selectedIndex = place;
    });
  };
  for (const group of choices) {
    const field = make("select");
    for (const part of group.children) field.append(make("option", {}, part.dataset.name));
    field.addEventListener("change", () => choose(group, group.children[field.selectedIndex]));
    group.classList.add("choosing");
    group.before(make("label", { className: "chooser" }, `${group.dataset.what} `, field));
    choose(group, group.firstElementChild);
  }

  /* A part that is folded or not chosen opens for whoever comes to it by a link. */
  const openAround = (part) => {
    const unchosen = part.closest(".unchosen");
    if (unchosen) choose(unchosen.parentElement, unchosen);
    for (let fold = part.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  };
  const openTarget = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    openAround(target);
    target.scrollIntoView();
  };

  /* A link at every heading, table and figure. Keyboards have the contents, so that these are no stops of theirs. */
  const link = (id, what) => make("a", { href: `#${id}`, className: "link", tabIndex: -1, title: `Link to ${what}` }, "#");
  let tables = 0;
  for (const part of main.querySelectorAll(":is(h2, h3, h4)[id]")) {
    const fold = part.closest("summary");
    if (fold) fold.after(make("span", { className: "link-of-part" }, link(part.id, "this part")));
    else part.append(link(part.id, "this part"));
  }
  for (const table of main.querySelectorAll("table")) {
    tables += 1;
    table.id ||= `table-${tables}`;
    table.caption?.append(link(table.id, "this table"));
  }
  for (const figure of main.querySelectorAll("figure[id]")) {
    figure.querySelector("figcaption")?.append(link(figure.id, "this figure"));
  }

  /* Copies. */
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
  const said = (button, word) => {
    const before = button.textContent;
    button.textContent = word;
    setTimeout(() => (button.textContent = before), 1500);
  };
  for (const code of main.querySelectorAll("code.command, pre.copied")) {
    const text = code.textContent;
    const button = make("button", { type: "button", className: "copy" }, "copy");
    button.setAttribute("aria-label", `Copy: ${text.slice(0, 60)}`);
    button.addEventListener("click", () => copy(text).then(() => said(button, "copied")));
    code.after(" ", button);
  }

  const cellText = (cell) => {
    const plain = cell.cloneNode(true);
    for (const part of plain.querySelectorAll("[aria-hidden], svg, .link, details")) part.remove();
    return plain.textContent.trim().replace(/\s+/g, " ");
  };
  const linesOf = (table) => {
    const head = table.tHead ? [table.tHead.rows[table.tHead.rows.length - 1]] : [];
    const rows = [...table.tBodies].flatMap((body) => [...body.rows]).filter((row) => row.cells.length > 1 && !row.hidden);
    return [...head, ...rows].map((row) => [...row.cells].flatMap((cell) => [cellText(cell), ...Array(cell.colSpan - 1).fill("")]));
  };
  const forms = {
    Markdown: (lines) => {
      const rows = lines.map((cells) => `| ${cells.map((cell) => cell.replace(/\|/g, "\\|")).join(" | ")} |`);
      return [rows[0], `|${lines[0].map(() => "---").join("|")}|`, ...rows.slice(1)].join("\n");
    },
    LaTeX: (lines) => {
      const escape = (cell) =>
        cell.replace(/\\/g, "\\textbackslash ").replace(/[&%$#_{}]/g, "\\$&").replace(/\u2212/g, "$-$").replace(/×/g, "$\\times$");
      const rows = lines.map((cells) => `${cells.map(escape).join(" & ")} \\\\`);
      const columns = lines[0].map((_, place) => (place ? "r" : "l")).join("");
      return [`\\begin{tabular}{${columns}}`, "\\toprule", rows[0], "\\midrule", ...rows.slice(1), "\\bottomrule", "\\end{tabular}"].join("\n");
    },
    CSV: (lines) =>
      lines.map((cells) => cells.map((cell) => (/[",\n]/.test(cell) ? `"${cell.replace(/"/g, '""')}"` : cell)).join(",")).join("\n"),
  };
  for (const table of main.querySelectorAll("table")) {
    if (!table.tHead || !table.caption) continue;
    const choice = make("select", { className: "copy" });
    choice.setAttribute("aria-label", `Copy the table: ${table.caption.textContent.trim().slice(0, 60)}`);
    for (const name of ["copy as", ...Object.keys(forms)]) choice.append(make("option", { value: name }, name));
    choice.addEventListener("change", () => {
      const form = forms[choice.value];
      if (form) copy(`${form(linesOf(table))}\n`);
      choice.selectedIndex = 0;
    });
    const around = table.closest(".scroll") ?? table;
    let line = around.previousElementSibling;
    if (!line?.classList.contains("tools")) {
      line = make("div", { className: "tools" });
      around.before(line);
    }
    line.append(choice);
    /* Beside the caption where the table has room for both, else above it. */
    new ResizeObserver(() => {
      const room = Math.min(table.offsetWidth, around.clientWidth);
      const beside = room > 42 * parseFloat(getComputedStyle(document.documentElement).fontSize);
      const taken = [...line.children].reduce((sum, tool) => sum + tool.offsetWidth, 24);
      line.classList.toggle("beside", beside);
      line.style.maxWidth = `${Math.max(room, 320)}px`;
      table.caption.style.maxWidth = beside ? `${room - taken}px` : "";
    }).observe(table);
  }

  /* Plain words or all numbers: no reload, and every fold as the reader wants it. */
  const contents = document.querySelector("nav .contents");
  const tools = make("div", { className: "reading" });
  const inWords = make("button", { type: "button", className: "view" }, "plain words");
  const inNumbers = make("button", { type: "button", className: "view" }, "all numbers");
  const show = (view) => {
    document.documentElement.dataset.view = view;
    inWords.setAttribute("aria-pressed", view === "words");
    inNumbers.setAttribute("aria-pressed", view === "numbers");
    if (view) for (const fold of main.querySelectorAll("details")) fold.open = view === "numbers";
  };
  for (const [button, view] of [[inWords, "words"], [inNumbers, "numbers"]]) {
    button.addEventListener("click", () => show(button.getAttribute("aria-pressed") === "true" ? "" : view));
  }
  show("");

  /* Search: all text, folded or not; Enter goes to the next place. */
  const field = make("input", { type: "search", className: "filter", placeholder: "search" });
  field.setAttribute("aria-label", "Search this report; Enter goes to the next place");
  const status = make("span", { className: "status" });
  status.setAttribute("role", "status");
  let found = [];
  let place = -1;
  const search = () => {
    const wanted = field.value.trim().toLowerCase();
    found = [];
    place = -1;
    if (wanted.length > 1) {
      const walker = document.createTreeWalker(main, NodeFilter.SHOW_TEXT);
      while (walker.nextNode()) {
        const node = walker.currentNode;
        if (node.parentElement.closest("script, style, select, .link")) continue;
        const at = node.data.toLowerCase().indexOf(wanted);
        if (at >= 0) {
          const range = document.createRange();
          range.setStart(node, at);
          range.setEnd(node, at + wanted.length);
          found.push(range);
        }
      }
    }
    status.textContent = wanted.length > 1 ? `${found.length} found` : "";
    globalThis.CSS?.highlights?.set("found", new Highlight(...found));
  };
  const next = () => {
    if (!found.length) return;
    place = (place + 1) % found.length;
    const part = found[place].startContainer.parentElement;
    openAround(part);
    part.scrollIntoView({ block: "center" });
    status.textContent = `${place + 1} of ${found.length}`;
  };
  field.addEventListener("input", search);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") next();
  });
  tools.append(field, status, inWords, inNumbers);
  contents?.before(tools);

  window.addEventListener("hashchange", openTarget);
  for (const anchor of document.querySelectorAll('a[href^="#"]')) anchor.addEventListener("click", () => setTimeout(openTarget));
  openTarget();
})();
