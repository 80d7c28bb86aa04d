/**
 * Which of many key intervals contain a given key: a treap ordered by interval start, each node
 * carrying the furthest end below it. Insert, remove and the way to each hit cost O(log n), so ten
 * thousand prefix watchers cost an event no more than the ones that match it.
 *
 * Equal intervals share one node. Priorities come from a fixed sequence: the tree's shape affects speed only, and must
 * not depend on a random source.
 */
import type { ByteString } from "@holdfast/protocol";

/** `undefined` as an end means unbounded. */
export type IntervalEnd = ByteString | undefined;

interface Node<T> {
  readonly start: ByteString;
  readonly end: IntervalEnd;
  readonly priority: number;
  readonly members: Set<T>;
  /** The furthest end in this subtree. */
  furthest: IntervalEnd;
  left: Node<T> | undefined;
  right: Node<T> | undefined;
}

export class IntervalIndex<T> {
  #root: Node<T> | undefined;
  #stir = 1;

  get isEmpty(): boolean {
    return this.#root === undefined;
  }

  add(start: ByteString, end: IntervalEnd, member: T): void {
    const existing = find(this.#root, start, end);
    if (existing !== undefined) {
      existing.members.add(member);
      return;
    }
    this.#stir = nextPriority(this.#stir);
    const members = new Set<T>([member]);
    const node = { start, end, priority: this.#stir, members, furthest: end, left: undefined, right: undefined };
    this.#root = insert(this.#root, node);
  }

  remove(start: ByteString, end: IntervalEnd, member: T): void {
    const node = find(this.#root, start, end);
    if (node === undefined || !node.members.delete(member)) return;
    if (node.members.size === 0) this.#root = removeNode(this.#root, node);
  }

  /** Visits every member, in no promised order. */
  visitAll(visitor: (member: T) => void): void {
    visitBelow(this.#root, visitor);
  }

  /** Visits every member whose interval contains `key`, in no promised order. */
  visit(key: ByteString, visitor: (member: T) => void): void {
    visitNode(this.#root, key, visitor);
  }
}

/** The xorshift sequence of Marsaglia, of period 2^32 - 1. */
function nextPriority(priority: number): number {
  let next = priority;
  next ^= next << 13;
  next ^= next >>> 17;
  return next ^ (next << 5);
}

function visitBelow<T>(node: Node<T> | undefined, visitor: (member: T) => void): void {
  if (node === undefined) return;
  visitBelow(node.left, visitor);
  for (const member of node.members) visitor(member);
  visitBelow(node.right, visitor);
}

function visitNode<T>(node: Node<T> | undefined, key: ByteString, visitor: (member: T) => void): void {
  if (node === undefined || !isBefore(key, node.furthest)) return;
  visitNode(node.left, key, visitor);
  if (key < node.start) return;
  if (isBefore(key, node.end)) for (const member of node.members) visitor(member);
  visitNode(node.right, key, visitor);
}

function isBefore(key: ByteString, end: IntervalEnd): boolean {
  return end === undefined || key < end;
}

/** Order by start, then by end with "unbounded" last. */
function compare<T>(node: Node<T>, start: ByteString, end: IntervalEnd): number {
  if (start !== node.start) return start < node.start ? -1 : 1;
  if (end === node.end) return 0;
  if (end === undefined) return 1;
  return isBefore(end, node.end) ? -1 : 1;
}

function find<T>(root: Node<T> | undefined, start: ByteString, end: IntervalEnd): Node<T> | undefined {
  let node = root;
  while (node !== undefined) {
    const order = compare(node, start, end);
    if (order === 0) return node;
    node = order < 0 ? node.left : node.right;
  }
  return undefined;
}

function insert<T>(root: Node<T> | undefined, node: Node<T>): Node<T> {
  if (root === undefined) return node;
  if (compare(root, node.start, node.end) < 0) {
    root.left = insert(root.left, node);
    return settle(root.left.priority > root.priority ? rotateRight(root, root.left) : root);
  }
  root.right = insert(root.right, node);
  return settle(root.right.priority > root.priority ? rotateLeft(root, root.right) : root);
}

function removeNode<T>(root: Node<T> | undefined, node: Node<T>): Node<T> | undefined {
  if (root === undefined) return undefined;
  if (root === node) return join(root.left, root.right);
  if (compare(root, node.start, node.end) < 0) root.left = removeNode(root.left, node);
  else root.right = removeNode(root.right, node);
  return settle(root);
}

/** Joins two trees of which every start in `left` lies before every start in `right`. */
function join<T>(left: Node<T> | undefined, right: Node<T> | undefined): Node<T> | undefined {
  if (left === undefined) return right;
  if (right === undefined) return left;
  if (left.priority > right.priority) {
    left.right = join(left.right, right);
    return settle(left);
  }
  right.left = join(left, right.left);
  return settle(right);
}

function rotateRight<T>(root: Node<T>, left: Node<T>): Node<T> {
  root.left = left.right;
  left.right = settle(root);
  return left;
}

function rotateLeft<T>(root: Node<T>, right: Node<T>): Node<T> {
  root.right = right.left;
  right.left = settle(root);
  return right;
}

/** Recomputes the furthest end of a node whose children are right. */
function settle<T>(node: Node<T>): Node<T> {
  let furthest = node.end;
  for (const child of [node.left, node.right]) {
    if (child === undefined || furthest === undefined) continue;
    if (child.furthest === undefined || child.furthest > furthest) furthest = child.furthest;
  }
  node.furthest = furthest;
  return node;
}
