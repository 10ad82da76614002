"use strict";
const main = document.querySelector("main"), tip = document.getElementById("tip");
const labels = {};
document.querySelectorAll(".line").forEach(line => { labels[line.dataset.trial] = line.querySelector("title").textContent; });
document.querySelectorAll(".line title").forEach(title => title.remove()); // the page's own tip is shown instead

function light(trial) {
  main.classList.toggle("lit", trial !== null);
  document.querySelectorAll(".on").forEach(one => one.classList.remove("on"));
  if (trial !== null) document.querySelectorAll(`[data-trial="${trial}"]`).forEach(one => one.classList.add("on"));
}
function say(event, words) {
  tip.textContent = words;
  tip.style.display = "block";
  tip.style.left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8) + "px";
  tip.style.top = Math.max(8, event.clientY - tip.offsetHeight - 10) + "px";
}
function quiet() { light(null); tip.style.display = "none"; }

document.querySelectorAll("tr[data-trial]").forEach(row => {
  row.addEventListener("mouseenter", () => light(row.dataset.trial));
  row.addEventListener("mouseleave", quiet);
});
document.querySelectorAll(".parallel .line").forEach(line => {
  line.addEventListener("mousemove", event => { light(line.dataset.trial); say(event, labels[line.dataset.trial]); });
  line.addEventListener("mouseleave", quiet);
});
document.querySelectorAll("svg.curves").forEach(svg => {
  const series = JSON.parse(svg.dataset.series), dot = svg.querySelector(".dot");
  svg.addEventListener("mousemove", event => {
    const box = svg.getBoundingClientRect(), scale = svg.viewBox.baseVal.width / box.width;
    const x = (event.clientX - box.left) * scale, y = (event.clientY - box.top) * scale;
    let best = null, least = 60 * 60;
    for (const [trial, points] of series) for (const point of points) {
      const distance = (point[0] - x) ** 2 + (point[1] - y) ** 2;
      if (distance < least) { least = distance; best = [trial, point]; }
    }
    dot.style.visibility = best ? "visible" : "hidden";
    if (!best) return quiet();
    const [trial, [px, py, step, value]] = best;
    dot.setAttribute("cx", px); dot.setAttribute("cy", py);
    light(trial); say(event, `${value} at step ${step}\n${labels[trial]}`);
  });
  svg.addEventListener("mouseleave", () => { quiet(); dot.style.visibility = "hidden"; });
});
document.querySelectorAll("th").forEach((head, column) => head.addEventListener("click", () => {
  const body = head.closest("table").tBodies[0], sign = head.dataset.sign === "1" ? -1 : 1;
  head.dataset.sign = sign;
  const key = row => row.cells[column].dataset.value;
  const order = (a, b) => { // numbers by size, words by letter, unknown last
    if (key(a) === "None" || key(b) === "None") return (key(a) === "None") - (key(b) === "None");
    const difference = Number(key(a)) - Number(key(b));
    return sign * (Number.isNaN(difference) ? key(a).localeCompare(key(b)) : difference);
  };
  [...body.rows].sort(order).forEach(row => body.append(row));
}));
