"use strict";
/* The contents mark where the reader is; paper has every part open. */
(() => {
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

  /* On paper a name goes on after an underscore; on a screen nothing is put into a name that a reader may copy. */
  const mayBreak = "_\u200b";
  const rewrite = (from, to) => {
    for (const label of document.querySelectorAll("main th.name .label")) {
      for (const text of label.childNodes) if (text.nodeType === Node.TEXT_NODE) text.data = text.data.replaceAll(from, to);
    }
  };
  window.addEventListener("beforeprint", () => {
    rewrite("_", mayBreak);
    for (const part of document.querySelectorAll("main details:not([open], .screen)")) {
      part.open = true;
      part.dataset.opened = "";
    }
  });
  window.addEventListener("afterprint", () => {
    rewrite(mayBreak, "_");
    for (const part of document.querySelectorAll("details[data-opened]")) {
      part.open = false;
      delete part.dataset.opened;
    }
  });
})();
