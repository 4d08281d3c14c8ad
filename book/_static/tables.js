// A table that is wider than its place is set smaller, then reaches into the margin on a wide screen. Where that does
// not do, its rows scroll beside their names; on a narrow screen it is shown as cards: a card a row, each value beside
// the head of its column.
const WIDE = 992;
function label(table) {
  const heads = [...table.querySelectorAll("thead th")].map((head) => head.textContent.trim());
  for (const cell of table.querySelectorAll("tbody td")) {
    cell.dataset.head = heads[cell.cellIndex] ?? "";
    cell.classList.toggle("blank", !cell.textContent.trim());
  }
}

function overflows(table) {
  return table.offsetWidth > table.parentElement.clientWidth + 1;
}

function inText(place) {
  return !place.parentElement.closest("details, .admonition, .sd-card, .margin, li");
}

// Claims are sentences: in narrow columns a page of them would be three.
function isLong(table) {
  return table.id.endsWith("-claims");
}

function fit() {
  const wide = window.innerWidth >= WIDE;
  for (const table of document.querySelectorAll(".bd-article table.table:has(thead)")) {
    const place = table.parentElement;
    table.classList.remove("cards", "tight", "scrolls");
    place.classList.remove("full-width");
    table.classList.toggle("tight", overflows(table));
    place.classList.toggle("full-width", wide && inText(place) && (isLong(table) || overflows(table)));
    if (overflows(table)) {
      table.classList.add(wide ? "scrolls" : "cards");
      table.classList.toggle("tight", wide);
    }
  }
}

// The contents of the page step aside for what reaches into their margin.
function stepAside() {
  const contents = document.querySelector(".bd-sidebar-secondary");
  if (!contents) {
    return;
  }
  const seen = new Set();
  const watch = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      seen[entry.isIntersecting ? "add" : "delete"](entry.target);
    }
    const covered = [...seen].some((place) => place.classList.contains("full-width"));
    contents.classList.toggle("covered", covered);
  });
  document.querySelectorAll(".pst-scrollable-table-container").forEach((place) => watch.observe(place));
}

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll(".bd-article table.table").forEach(label);
  fit();
  stepAside();
  window.addEventListener("resize", fit);
  document.addEventListener("toggle", fit, true);
});
