"use strict";
(() => {
  const main = document.querySelector("main");
  const byId = (id) => document.getElementById(id);
  main.classList.add("picking");
  for (const box of document.querySelectorAll(".controls")) box.hidden = false;

  // A table that is wider than the page is reached by keyboard, others are passed over.
  const reach = new ResizeObserver((entries) => {
    for (const { target } of entries) target.tabIndex = target.scrollWidth > target.clientWidth ? 0 : -1;
  });
  // On a narrow page the cells of a wide table are one below the other, with their titles.
  for (const box of document.querySelectorAll(".scroll")) {
    reach.observe(box);
    const table = box.querySelector("table:not(.heat)");
    if (!table || !table.tHead) continue;
    const titles = [...table.tHead.rows[0].cells].flatMap((cell) => {
      const parts = [...cell.childNodes].map((node) => node.textContent.trim()).filter(Boolean);
      return [parts, ...Array(cell.colSpan - 1).fill([])];
    });
    if (titles.length < 4) continue;
    table.classList.add("stack");
    for (const [i, row] of [...table.tBodies[0].rows].entries()) {
      let at = 0;
      for (const cell of row.cells) {
        const title = i ? titles[at].slice(0, 1) : titles[at];
        if (title.length) cell.dataset.title = title.join(", ");
        at += cell.colSpan;
      }
    }
  }

  const picker = byId("row-picker");
  if (picker) {
    const all = [...picker.options];
    const rows = [...document.querySelectorAll(".sample")];
    const text = new Map(all.map((o) => [o, (o.text + " " + byId(o.value).textContent).toLowerCase()]));
    const show = (id) => {
      for (const row of rows) row.classList.toggle("current", row.id === id);
    };
    const keys = {
      chosen: (o) => 0,
      doubt: (o) => -Number(o.dataset.doubt),
      mistakes: (o) => (o.dataset.wrong ? -2 : 0) + Number(o.dataset.doubt),
      class: (o) => o.dataset.class,
      group: (o) => o.dataset.group,
      position: (o) => Number(o.dataset.position),
    };
    const arrange = () => {
      const words = byId("row-search").value.toLowerCase().split(/\s+/).filter(Boolean);
      const key = keys[byId("row-order").value];
      const rank = new Map(all.map((o) => [o, key(o)]));
      const kept = all.filter((o) => words.every((w) => text.get(o).includes(w)));
      kept.sort((a, b) => (rank.get(a) < rank.get(b) ? -1 : rank.get(a) > rank.get(b) ? 1 : 0));
      const before = picker.value;
      picker.replaceChildren(...kept);
      if (kept.some((o) => o.value === before)) picker.value = before;
      else if (kept.length) picker.selectedIndex = 0;
      byId("row-count").textContent = kept.length + " of " + all.length + " rows";
      if (picker.value) show(picker.value);
    };
    picker.addEventListener("change", () => show(picker.value));
    byId("row-order").addEventListener("change", () => { arrange(); picker.selectedIndex = 0; show(picker.value); });
    byId("row-search").addEventListener("input", arrange);
    const follow = () => {
      const id = location.hash.slice(1);
      if (!all.some((o) => o.value === id)) return;
      byId("row-search").value = "";
      arrange();
      picker.value = id;
      show(id);
    };
    window.addEventListener("hashchange", follow);
    arrange();
    follow();
  }

  const classes = byId("class-picker");
  if (classes) {
    const pick = () => {
      if (classes.value) main.dataset.only = classes.value;
      else delete main.dataset.only;
      for (const part of document.querySelectorAll("[data-class-part]")) {
        part.hidden = Boolean(classes.value) && part.dataset.classPart !== classes.value;
      }
    };
    classes.addEventListener("change", pick);
    pick();
  }

  const columns = byId("column-picker");
  if (columns) {
    const pick = () => {
      for (const part of document.querySelectorAll("[data-column]")) {
        part.hidden = Boolean(columns.value) && part.dataset.column !== columns.value;
      }
    };
    columns.addEventListener("change", pick);
    pick();
  }
})();
