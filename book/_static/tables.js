// A table that is wider than its place is set smaller; where that does not do, it is shown as cards: a card a row,
// each value beside the head of its column.
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

function fit() {
  for (const table of document.querySelectorAll(".bd-article table.table:has(thead)")) {
    table.classList.remove("cards", "tight");
    table.classList.toggle("tight", overflows(table));
    if (overflows(table)) {
      table.classList.replace("tight", "cards");
    }
  }
}

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll(".bd-article table.table").forEach(label);
  fit();
  window.addEventListener("resize", fit);
  document.addEventListener("toggle", fit, true);
});
