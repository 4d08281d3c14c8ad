// A table that is wider than its place is shown as cards: a card a row, each value under the head of its column.
function label(table) {
  const heads = [...table.querySelectorAll("thead th")].map((head) => head.textContent.trim());
  for (const cell of table.querySelectorAll("tbody td")) {
    cell.dataset.head = heads[cell.cellIndex] ?? "";
    cell.classList.toggle("blank", !cell.textContent.trim());
  }
}

function fit() {
  for (const table of document.querySelectorAll(".bd-article table.table:has(thead)")) {
    table.classList.remove("cards");
    table.classList.toggle("cards", table.offsetWidth > table.parentElement.clientWidth + 1);
  }
}

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll(".bd-article table.table").forEach(label);
  fit();
  window.addEventListener("resize", fit);
  document.addEventListener("toggle", fit, true);
});
