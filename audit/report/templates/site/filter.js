// Filters and sorting of the index. Without this file the table is complete, in order of date.
"use strict";
(() => {
  const box = document.getElementById("filters");
  const table = document.getElementById("evaluations");
  if (!box || !table) return;
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const words = box.dataset;
  const make = (tag, text) => {
    const element = document.createElement(tag);
    if (text) element.textContent = text;
    return element;
  };
  const field = (name, input) => {
    const label = make("label", name);
    label.append(input);
    box.append(label);
    return input;
  };
  const search = field(words.search, make("input"));
  search.type = "search";
  const chosen = {};
  for (const key of ["model", "benchmark", "tier", "verdict", "state"]) {
    const values = [...new Set(rows.map((row) => row.dataset[key]))].sort();
    if (values.length < 2) continue;
    const select = field(words[key], make("select"));
    for (const value of ["", ...values]) {
      const option = make("option", value || words.any);
      option.value = value;
      select.append(option);
    }
    chosen[key] = select;
  }
  const reset = make("button", words.reset);
  reset.type = "button";
  const left = make("output");
  box.append(reset, left);

  const apply = () => {
    const text = search.value.trim().toLowerCase();
    let shown = 0;
    for (const row of rows) {
      const fits = Object.entries(chosen).every(([key, select]) => !select.value || row.dataset[key] === select.value);
      row.hidden = !(fits && row.dataset.text.includes(text));
      if (!row.hidden) shown += 1;
    }
    left.textContent = words.left.replace("%1", shown).replace("%2", rows.length);
  };
  box.addEventListener("input", apply);
  reset.addEventListener("click", () => {
    search.value = "";
    for (const select of Object.values(chosen)) select.value = "";
    apply();
  });

  const numbers = new Set(["people", "target"]);
  for (const heading of table.tHead.rows[0].cells) {
    const key = heading.dataset.key;
    if (key === "found") continue;
    const button = make("button", heading.textContent);
    button.type = "button";
    heading.replaceChildren(button);
    button.addEventListener("click", () => {
      const up = heading.getAttribute("aria-sort") !== "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", up ? "ascending" : "descending");
      const value = (row) => (numbers.has(key) ? Number(row.dataset[key]) : row.dataset[key]);
      const order = (a, b) => (numbers.has(key) ? value(a) - value(b) : value(a).localeCompare(value(b)));
      rows.sort((a, b) => (up ? order(a, b) : order(b, a)));
      body.append(...rows);
    });
  }
  apply();
  box.hidden = false;
})();
