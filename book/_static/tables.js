// Each cell learns the head of its column, and a table with many columns that it may be shown as cards.
const MOST_COLUMNS = 3;

document.addEventListener("DOMContentLoaded", () => {
  for (const table of document.querySelectorAll(".bd-article table.table")) {
    const heads = [...table.querySelectorAll("thead th")].map((head) => head.textContent.trim());
    table.classList.toggle("cards", heads.length > MOST_COLUMNS);
    for (const cell of table.querySelectorAll("tbody td")) {
      cell.dataset.head = heads[cell.cellIndex] ?? "";
      cell.classList.toggle("blank", !cell.textContent.trim());
    }
  }
});
