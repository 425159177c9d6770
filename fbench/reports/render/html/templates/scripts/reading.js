"use strict";
/* How much is shown: choices of figures, links that open what they lead to, plain words or all numbers, and search. */
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

  /* Folds that something opened, so that it can close them again and leave those alone that the reader opened. */
  const opener = () => {
    const opened = new Set();
    return {
      open: (fold) => {
        if (!fold.open) opened.add(fold);
        fold.open = true;
      },
      close: () => {
        for (const fold of opened) fold.open = false;
        opened.clear();
      },
    };
  };

  /* A part that is folded or not chosen opens for whoever comes to it by a link. */
  const openAround = (part, open) => {
    const unchosen = part.closest(".unchosen");
    if (unchosen) choose(unchosen.parentElement, unchosen);
    for (let fold = part.closest("details"); fold; fold = fold.parentElement.closest("details")) open(fold);
  };
  const openForGood = (fold) => (fold.open = true);
  /* What the chosen view leaves out. */
  const isLeftOut = (part) => part.closest(document.documentElement.dataset.view === "words" ? ".numbers-view" : ".words-view");
  const goTo = (part, block) => {
    const land = () => part.scrollIntoView({ behavior: "instant", block });
    land();
    requestAnimationFrame(() => requestAnimationFrame(land)); // what was opened has its height after a frame
  };
  const openTarget = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (buttons.size && isLeftOut(target)) show("main");
    openAround(target, openForGood);
    goTo(target.closest("summary") ?? target, "start");
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

  /* Plain words, the main numbers or all of them: no reload; one of the three is always pressed. */
  const contents = document.querySelector("nav .contents");
  const tools = make("div", { className: "reading" });
  const ofView = opener();
  const foldsOf = { words: "details.words", main: ":not(*)", all: "details" };
  const buttons = new Map();
  const show = (view) => {
    document.documentElement.dataset.view = view;
    for (const [name, button] of buttons) button.setAttribute("aria-pressed", name === view);
    ofView.close();
    main.querySelectorAll(foldsOf[view]).forEach(ofView.open);
  };
  const views = make("div", { className: "views" });
  views.setAttribute("role", "group");
  views.setAttribute("aria-label", "How much is shown");
  if (main.querySelector(".words-view")) {
    for (const [view, words] of [["words", "plain words"], ["main", "main numbers"], ["all", "all numbers"]]) {
      const button = make("button", { type: "button", className: "view" }, words);
      button.addEventListener("click", () => show(button.getAttribute("aria-pressed") === "true" ? "main" : view));
      buttons.set(view, button);
      views.append(button);
    }
    show("main");
  }

  /* Search: all text, folded or not; Enter goes to the next place. */
  const field = make("input", { type: "search", className: "filter", placeholder: "search" });
  field.setAttribute("aria-label", "Search this report; Enter goes to the next place");
  const status = make("span", { className: "status" });
  status.setAttribute("role", "status");
  const ofSearch = opener();
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
        if (node.parentElement.closest("script, style, select, .link") || isLeftOut(node.parentElement)) continue;
        const at = node.data.toLowerCase().replace(/\u00a0/g, " ").indexOf(wanted);
        if (at >= 0) {
          const range = document.createRange();
          range.setStart(node, at);
          range.setEnd(node, at + wanted.length);
          found.push(range);
        }
      }
    }
    if (!wanted) ofSearch.close();
    status.textContent = wanted.length > 1 ? `${found.length} found` : "";
    globalThis.CSS?.highlights?.set("found", new Highlight(...found));
  };
  const next = () => {
    if (!found.length) return;
    place = (place + 1) % found.length;
    const part = found[place].startContainer.parentElement;
    ofSearch.close();
    openAround(part, ofSearch.open);
    goTo(part, "center");
    status.textContent = `${place + 1} of ${found.length}`;
  };
  field.addEventListener("input", search);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") next();
  });
  tools.append(field, status);
  if (buttons.size) tools.append(views);
  contents?.before(tools);

  window.addEventListener("hashchange", openTarget);
  for (const anchor of document.querySelectorAll('a[href^="#"]')) anchor.addEventListener("click", () => setTimeout(openTarget));
  openTarget();
  window.addEventListener("load", openTarget, { once: true });
})();
