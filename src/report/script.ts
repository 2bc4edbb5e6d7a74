/**
 * The page's only script: reads the matrix that is embedded as JSON and shows the value under the pointer, or at a
 * cursor moved by keys, in the drawing, beside it, and on its scale.
 */
export const script = `
(() => {
  const data = document.getElementById("matrix-data");
  if (!data) return;
  const { layers, margin, cell, clusters, removed, similarity } = JSON.parse(data.textContent);
  const cells = document.getElementById("matrix-cells");
  const value = document.getElementById("matrix-value");
  const mark = document.getElementById("matrix-mark");
  const svg = cells.querySelector("svg");
  const gone = new Set(removed);

  const rectangle = (name) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    element.setAttribute("class", name);
    svg.append(element);
    return (x, y, width, height) => {
      element.setAttribute("x", margin + x * cell);
      element.setAttribute("y", margin + y * cell);
      element.setAttribute("width", width * cell);
      element.setAttribute("height", height * cell);
    };
  };
  const [beamRow, beamColumn, halo, cursor] = ["beam", "beam", "cursor halo", "cursor"].map(rectangle);

  const at = (i, j) => similarity[Math.min(i, j) * layers - (Math.min(i, j) * (Math.min(i, j) - 1)) / 2 + Math.abs(i - j)] / 1e6;
  const layer = (i) => i + (gone.has(i) ? " (removed)" : "");
  const line = (text) => Object.assign(document.createElement("span"), { textContent: text });

  let row = 0;
  let column = 0;
  const show = (i, j) => {
    row = Math.min(Math.max(i, 0), layers - 1);
    column = Math.min(Math.max(j, 0), layers - 1);
    beamRow(0, row, layers, 1);
    beamColumn(column, 0, 1, layers);
    halo(column, row, 1, 1);
    cursor(column, row, 1, 1);
    const similar = at(row, column);
    const number = Object.assign(document.createElement("b"), { textContent: similar.toFixed(6) });
    const pair = clusters[row] === clusters[column]
      ? "both in cluster " + clusters[row]
      : "clusters " + clusters[row] + " and " + clusters[column];
    const apart = Math.abs(row - column);
    value.replaceChildren(
      number,
      line("layer " + layer(row) + " and layer " + layer(column)),
      line(apart === 0 ? "the same layer" : apart + (apart === 1 ? " layer apart" : " layers apart")),
      line(pair),
    );
    mark.hidden = false;
    mark.style.left = 100 * Math.min(Math.max(similar, 0), 1) + "%";
  };

  cells.addEventListener("pointermove", (event) => {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    const j = Math.floor((point.x - margin) / cell);
    const i = Math.floor((point.y - margin) / cell);
    if (i >= 0 && j >= 0 && i < layers && j < layers && (i !== row || j !== column || mark.hidden)) show(i, j);
  });
  cells.addEventListener("focus", () => show(row, column));
  cells.addEventListener("keydown", (event) => {
    const next = {
      ArrowUp: [row - 1, column],
      ArrowDown: [row + 1, column],
      ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1],
      Home: [row, 0],
      End: [row, layers - 1],
      PageUp: [0, column],
      PageDown: [layers - 1, column],
    }[event.key];
    if (!next || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    show(...next);
  });
})();
`;
