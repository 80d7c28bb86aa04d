import assert from "node:assert/strict";
import { test } from "node:test";
import { drawPlot, type PlotLine } from "./svg-plot.js";

function plotOf(...lines: PlotLine[]): string {
  return drawPlot({ title: "a < b", sizeTitle: "keys & more", panels: [{ title: "put", lines }] });
}

function lineOf(name: string, ...costs: number[]): PlotLine {
  return { name, points: costs.map((microseconds, at) => ({ size: 10 ** at, microseconds })) };
}

interface Mark {
  readonly x: number;
  readonly y: number;
}

/** The circles of the field; those of the legend are larger. */
function marksOf(svg: string): Mark[] {
  return [...svg.matchAll(/<circle cx="([\d.-]+)" cy="([\d.-]+)" r="3.5"/g)].map(([, x, y]) => ({
    x: Number(x),
    y: Number(y),
  }));
}

function threeMarksOf(svg: string): [Mark, Mark, Mark] {
  const [first, second, third, ...others] = marksOf(svg);
  assert.ok(first !== undefined && second !== undefined && third !== undefined && others.length === 0);
  return [first, second, third];
}

test("every element that is opened is closed, and texts are escaped", () => {
  const svg = plotOf(lineOf("Holdfast", 1, 2, 3), lineOf("etcd", 3, 2, 1));
  const open: string[] = [];
  for (const [, slash, name, selfClosing] of svg.matchAll(/<(\/?)(\w+)[^>]*?(\/?)>/g)) {
    if (slash === "/") assert.equal(open.pop(), name);
    else if (selfClosing !== "/") open.push(name ?? "");
  }
  assert.deepEqual(open, []);
  assert.match(svg, /a &lt; b/);
  assert.match(svg, /keys &amp; more/);
});

test("sizes lie in equal steps for equal factors, and higher costs lie higher", () => {
  const [a, b, c] = threeMarksOf(plotOf(lineOf("Holdfast", 10, 20, 40)));
  assert.ok(Math.abs(b.x - a.x - (c.x - b.x)) < 0.2);
  assert.ok(a.y > b.y && b.y > c.y);
});

test("costs near each other are drawn from zero on: twice the cost is twice as high", () => {
  const svg = plotOf(lineOf("Holdfast", 10, 20, 10));
  const ground = Number(/<path d="M0 ([\d.]+)H/.exec(svg)?.[1]);
  const [low, high] = threeMarksOf(svg);
  assert.ok(Math.abs((ground - high.y) / (ground - low.y) - 2) < 0.02);
});

test("costs far apart are drawn in equal steps for equal factors", () => {
  const [a, b, c] = threeMarksOf(plotOf(lineOf("Holdfast", 1, 10, 100)));
  assert.ok(Math.abs(a.y - b.y - (b.y - c.y)) < 0.2);
});

test("every point has its cost written beside it, every line its colour in the legend", () => {
  const svg = plotOf(lineOf("Holdfast", 12.34, 15), lineOf("etcd", 99.4, 88));
  for (const text of ["12.3", "15.0", "99.4", "88.0", "Holdfast", "etcd"]) assert.ok(svg.includes(`>${text}<`), text);
  const colours = [...svg.matchAll(/fill="(#\w+)"/g)].map(([, colour]) => colour);
  assert.equal(new Set(colours).size, 2);
});

test("a single size, and panels without a point, are drawn all the same", () => {
  assert.equal(marksOf(plotOf(lineOf("Holdfast", 7))).length, 1);
  assert.match(plotOf(), /no figures/);
  assert.doesNotMatch(plotOf(), /NaN|Infinity/);
});
