// Tables that sort and filter. Without this script they are plain tables with all rows.
"use strict";
for (const table of document.querySelectorAll("table[data-name]")) {
  const body = table.tBodies[0];
  const all = Array.from(body.rows);
  const status = document.createElement("output");
  status.setAttribute("role", "status");
  status.setAttribute("aria-live", "polite");

  // --- sorting: a button in each heading; what has no value comes last, either way
  const value = (row, column) => row.cells[column].dataset.value ?? row.cells[column].textContent.trim();
  const compare = (a, b) => a - b || String(a).localeCompare(String(b), undefined, { numeric: true });
  const sort = (heading, column) => {
    const up = heading.getAttribute("aria-sort") !== "ascending";
    for (const other of table.tHead.querySelectorAll("[aria-sort]")) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", up ? "ascending" : "descending");
    const rows = all.slice().sort((one, other) => {
      const a = value(one, column), b = value(other, column);
      if (a === "" || b === "") return (a === "") - (b === "");
      return up ? compare(a, b) : compare(b, a);
    });
    body.append(...rows);
    status.textContent = `Sorted by ${heading.dataset.sort}, ${up ? "ascending" : "descending"}`;
  };
  Array.from(table.tHead.rows[0].cells).forEach((heading, column) => {
    if (!heading.dataset.sort) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => sort(heading, column));
  });

  // --- filtering: rows that have all words, and, where the table marks some, those alone
  const bar = document.createElement("div");
  bar.className = "filter";
  const label = document.createElement("label");
  const search = document.createElement("input");
  search.type = "search";
  label.append(`Filter ${table.dataset.name}`, search);
  bar.append(label);
  const look = document.createElement("input");
  if (body.querySelector("tr[data-look]")) {
    const only = document.createElement("label");
    look.type = "checkbox";
    only.append(look, "only who needs a look");
    bar.append(only);
    look.addEventListener("change", () => filter());
  }
  bar.append(status);
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of all) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word)) || (look.checked && !("look" in row.dataset));
      shown += !row.hidden;
    }
    status.textContent = `${shown} of ${all.length} rows shown`;
  };
  search.addEventListener("input", filter);
  (table.closest(".wide") ?? table).before(bar);
}
