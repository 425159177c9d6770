"use strict";
/* Words that come up beside what they are about: what a point of a chart says, what a heading means. */
const tips = (() => {
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.id = "tip";
  tip.setAttribute("role", "tooltip");
  tip.hidden = true;
  document.body.append(tip);
  const gap = 8; // px
  let about = null;

  /** Beside a box where there is one and room, else below what it is about: never on the rows above. */
  const place = (spot, beside, ...content) => {
    hide();
    about = spot;
    tip.replaceChildren(...content);
    tip.hidden = false;
    spot.setAttribute("aria-describedby", tip.id);
    const box = spot.getBoundingClientRect();
    const [wide, high] = [document.documentElement.clientWidth, document.documentElement.clientHeight];
    const [width, height] = [tip.offsetWidth, tip.offsetHeight];
    const within = (value, most) => Math.min(Math.max(gap, value), Math.max(gap, most));
    const side = beside?.getBoundingClientRect();
    const right = side && side.right + gap + width <= wide;
    const left = side && side.left - gap - width >= 0;
    let at = [within(box.left + box.width / 2 - width / 2, wide - width - gap), box.bottom + gap];
    if (right || left) {
      at = [right ? side.right + gap : side.left - gap - width, within(box.top + box.height / 2 - height / 2, high - height - gap)];
    } else if (at[1] + height > high && box.top - gap - height > 0) {
      at[1] = box.top - gap - height;
    }
    tip.style.left = `${at[0] + window.scrollX}px`;
    tip.style.top = `${at[1] + window.scrollY}px`;
  };
  const hide = () => {
    tip.hidden = true;
    about?.removeAttribute("aria-describedby");
    about = null;
  };
  const show = (spot) => {
    const [title, ...facts] = spot.getAttribute("aria-label").split("\n");
    const head = document.createElement("strong");
    head.textContent = title;
    /* One figure alone has rows that the words would cover; of several in a line the next is not to be covered whole. */
    const beside = spot.closest(".figures") ? spot : spot.ownerSVGElement;
    place(spot, beside, head, ...facts.map((fact) => Object.assign(document.createElement("div"), { textContent: fact })));
  };

  /** One stop of the keyboard for all of these; arrows go from one to the next. */
  const makeOneStop = (parts) => {
    const stop = (place) => parts.forEach((part, index) => part.setAttribute("tabindex", index === place ? 0 : -1));
    stop(0);
    parts.forEach((part, index) => part.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      const place = { Home: 0, End: parts.length - 1 }[event.key] ?? (step && (index + step + parts.length) % parts.length);
      if (place === undefined) return;
      event.preventDefault();
      stop(place);
      parts[place].focus();
    }));
  };

  for (const chart of document.querySelectorAll("main figure svg")) {
    const spots = [...chart.querySelectorAll(".spot")];
    if (!spots.length) continue;
    makeOneStop(spots);
    for (const spot of spots) {
      for (const kind of ["mouseenter", "focus"]) spot.addEventListener(kind, () => show(spot));
      spot.addEventListener("blur", hide);
      /* Where the page moves below the pointer, the spot that has the keyboard keeps its words. */
      spot.addEventListener("mouseleave", () => (document.activeElement.matches(".spot") ? show(document.activeElement) : hide()));
    }
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
  });

  /** Says what a heading means while the pointer or the keyboard is on it. */
  const explain = (button, meaning) => {
    button.dataset.meaning = meaning;
    for (const kind of ["mouseenter", "focus"]) button.addEventListener(kind, () => place(button, null, meaning));
    for (const kind of ["mouseleave", "blur"]) button.addEventListener(kind, hide);
  };
  return { explain, makeOneStop };
})();
