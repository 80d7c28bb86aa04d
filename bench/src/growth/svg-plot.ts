/**
 * Draws what operations cost as something grows: one panel for each operation, sizes in powers of ten from left to right,
 * costs upwards, a line for each server. Plain SVG in text, readable on light and on dark ground, since all colours but
 * those of the lines are the reader's own text colour.
 *
 * Costs that differ much within a panel are drawn in powers of ten, others from zero on, so that a line that looks flat is.
 */
import { readable } from "../report/figures.js";
import type { Point } from "./flatness.js";

/** One line of a panel. */
export interface PlotLine {
  readonly name: string;
  readonly points: readonly Point[];
}

/** One operation. */
export interface Panel {
  /** Above it. */
  readonly title: string;
  readonly lines: readonly PlotLine[];
}

/** The whole picture. */
export interface Plot {
  /** Above all panels. */
  readonly title: string;
  /** Below each panel: what grows. */
  readonly sizeTitle: string;
  readonly panels: readonly Panel[];
}

const panelsPerRow = 2;
const panelWidth = 440;
const panelHeight = 300;
const headHeight = 64;
/** Around the field of a panel. */
const margin = { left: 58, right: 26, top: 38, bottom: 46 };
const field = {
  width: panelWidth - margin.left - margin.right,
  height: panelHeight - margin.top - margin.bottom,
};
/** Between the sides of the field and the first and last power of ten, so that nothing is written over the scale. */
const inset = 20;
/** In the order of the lines; both stand out from white and from black. */
const colours = ["#2f81f7", "#d9730d", "#2da44e", "#a371f7"];
/** Costs further apart than this are drawn in powers of ten. */
const linearSpanMax = 12;

/** The picture as the text of an SVG file. */
export function drawPlot(plot: Plot): string {
  const columns = Math.min(panelsPerRow, plot.panels.length);
  const width = columns * panelWidth;
  const height = headHeight + Math.ceil(plot.panels.length / panelsPerRow) * panelHeight;
  const names = [...new Set(plot.panels.flatMap(({ lines }) => lines.map(({ name }) => name)))];
  const panels = plot.panels.map((panel, number) => {
    const x = (number % panelsPerRow) * panelWidth + margin.left;
    const y = headHeight + Math.floor(number / panelsPerRow) * panelHeight + margin.top;
    return `<g transform="translate(${x} ${y})">${drawPanel(panel, plot.sizeTitle, names)}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    "<style>svg{color:#1f2328;background:#fff;font:12px system-ui,sans-serif}text{fill:currentColor}",
    "@media(prefers-color-scheme:dark){svg{color:#e6edf3;background:#0d1117}}</style>",
    `<title>${escaped(plot.title)}</title>`,
    label(margin.left, 24, plot.title, 'font-size="15" font-weight="600"'),
    drawLegend(names),
    ...panels,
    "</svg>\n",
  ].join("\n");
}

function drawLegend(names: readonly string[]): string {
  return names
    .map((name, number) => {
      const x = margin.left + number * 110;
      const mark = `<circle cx="${x + 5}" cy="44" r="4" fill="${colourOf(number)}"/>`;
      return mark + label(x + 15, 48, name);
    })
    .join("");
}

function drawPanel({ title, lines }: Panel, sizeTitle: string, names: readonly string[]): string {
  const points = lines.flatMap((line) => line.points);
  if (points.length === 0) return label(0, -16, `${title}: no figures`, 'font-weight="600"');
  const across = sizeScale(points.map(({ size }) => size));
  const up = costScale(points.map(({ microseconds }) => microseconds));
  return [
    label(0, -16, `${title}, µs`, 'font-weight="600"'),
    ...up.ticks.map((tick) => costTick(up.at(tick), tick)),
    ...across.ticks.map((tick) => sizeTick(across.at(tick), tick)),
    label(field.width / 2, field.height + 38, sizeTitle, 'text-anchor="middle"'),
    ...lines.map((line) => {
      const isBelow = lines.some((other) => meanOf(other) > meanOf(line));
      return drawLine(line, isBelow, colourOf(names.indexOf(line.name)), across.at, up.at);
    }),
  ].join("");
}

function meanOf({ points }: PlotLine): number {
  return points.reduce((sum, { microseconds }) => sum + microseconds, 0) / points.length;
}

function colourOf(number: number): string {
  return colours[number % colours.length] ?? "currentColor";
}

/** A scale: where a value lies in the field, and which values are written beside it. */
interface Scale {
  at(value: number): number;
  readonly ticks: readonly number[];
}

function sizeScale(sizes: readonly number[]): Scale {
  const first = Math.floor(Math.log10(Math.min(...sizes)));
  const last = Math.max(first + 1, Math.ceil(Math.log10(Math.max(...sizes))));
  return {
    at: (size) => inset + ((Math.log10(size) - first) / (last - first)) * (field.width - 2 * inset),
    ticks: powersOfTen(first, last),
  };
}

function costScale(costs: readonly number[]): Scale {
  const most = Math.max(...costs);
  const least = Math.min(...costs);
  return most / least > linearSpanMax ? decadeScale(least, most) : linearScale(most);
}

function linearScale(most: number): Scale {
  const step = roundStep(most / 4);
  const count = Math.ceil(most / step + 0.3);
  return {
    at: (cost) => field.height * (1 - cost / (count * step)),
    ticks: Array.from({ length: count + 1 }, (_, number) => number * step),
  };
}

function decadeScale(least: number, most: number): Scale {
  const first = Math.floor(Math.log10(least));
  const last = Math.ceil(Math.log10(most * 1.5));
  return {
    at: (cost) => field.height * (1 - (Math.log10(cost) - first) / (last - first)),
    ticks: powersOfTen(first, last),
  };
}

function powersOfTen(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, number) => 10 ** (first + number));
}

/** The smallest of 1, 2, 5, 10, 20 ... (or a tenth, a hundredth of them) that is not below `least`. */
function roundStep(least: number): number {
  const decade = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5].find((digit) => digit * decade >= least) ?? 10) * decade;
}

function costTick(y: number, cost: number): string {
  const line = `<path d="M0 ${round(y)}H${field.width}" stroke="currentColor" stroke-opacity=".18"/>`;
  return line + label(-8, y + 4, tickText(cost), 'text-anchor="end"');
}

function sizeTick(x: number, size: number): string {
  const line = `<path d="M${round(x)} ${field.height}v5" stroke="currentColor" stroke-opacity=".5"/>`;
  const exponent = Math.round(Math.log10(size));
  const power = `10<tspan font-size="9" dy="-5">${exponent}</tspan>`;
  return `${line}<text x="${round(x)}" y="${field.height + 20}" text-anchor="middle">${power}</text>`;
}

/** The figures of the cheapest of several lines stand below its points, those of the others above. */
function drawLine(
  { points }: PlotLine,
  isBelow: boolean,
  colour: string,
  across: Scale["at"],
  up: Scale["at"],
): string {
  const places = points.map(({ size, microseconds }) => ({ x: across(size), y: up(microseconds), microseconds }));
  const path = places.map(({ x, y }, at) => `${at === 0 ? "M" : "L"}${round(x)} ${round(y)}`).join("");
  const marks = places.map(({ x, y, microseconds }) => {
    const circle = `<circle cx="${round(x)}" cy="${round(y)}" r="3.5" fill="${colour}"/>`;
    const textY = isBelow ? y + 15 : y - 8;
    return circle + label(x, textY, readable(microseconds), 'font-size="10" text-anchor="middle"');
  });
  return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="2"/>${marks.join("")}`;
}

/** A number beside the scale, without digits that say nothing. */
function tickText(cost: number): string {
  return cost >= 1 ? readable(Math.round(cost)).replace(/\.0+$/, "") : String(Number(cost.toPrecision(2)));
}

function label(x: number, y: number, text: string, attributes = ""): string {
  return `<text x="${round(x)}" y="${round(y)}" ${attributes}>${escaped(text)}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
