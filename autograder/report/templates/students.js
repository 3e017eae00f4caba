// The table of students: search, filter, sort. Without this script it is complete, by name.
(() => {
  const table = document.getElementById("students-table");
  const controls = document.getElementById("students-controls");
  const search = document.getElementById("students-search");
  const remark = document.getElementById("students-remark");
  const count = document.getElementById("students-count");
  const headers = Array.from(table.tHead.rows[0].cells);
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);

  // "zofie" finds "Žofie".
  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const text = (row, column) => row.cells[column].textContent.trim();
  const names = rows.map((row) => plain(text(row, 0)));
  const remarks = rows.map((row) => text(row, headers.length - 1));

  function filter() {
    const wanted = plain(search.value.trim());
    let shown = 0;
    rows.forEach((row, i) => {
      row.hidden = !(names[i].includes(wanted) && remarks[i].includes(remark.value));
      shown += !row.hidden;
    });
    count.textContent = `${shown} of ${rows.length} students`;
  }

  function sort(header) {
    const column = headers.indexOf(header);
    const down = header.getAttribute("aria-sort") === "ascending";
    const key = header.classList.contains("number")
      ? (row) => parseFloat(text(row, column)) || 0
      : (row) => text(row, column);
    const compare = (a, b) =>
      typeof a === "number" ? a - b : a.localeCompare(b, undefined, { numeric: true });
    const keyed = rows.map((row) => [key(row), row]);
    keyed.sort(([a], [b]) => (down ? compare(b, a) : compare(a, b)));
    body.append(...keyed.map(([, row]) => row));
    headers.forEach((other) => other.removeAttribute("aria-sort"));
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
  }

  headers.forEach((header) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(header.firstChild);
    button.addEventListener("click", () => sort(header));
    header.prepend(button);
  });
  headers[0].setAttribute("aria-sort", "ascending");
  search.addEventListener("input", filter);
  remark.addEventListener("change", filter);
  controls.hidden = false;
  filter();
})();
