// Runs checks one after another, prints what became of each, and closes the clients that they opened.

import { Etcd3 } from "etcd3";

/** A check that has not ended by then has failed: it waits for something that does not come. */
const checkDeadlineMs = 30_000;

/** Runs checks and counts the failed ones. */
export class Checks {
  failed = 0;

  /**
   * Runs one check. The body gets a function that opens clients, which are closed afterwards; it passes by returning
   * and fails by throwing.
   */
  async run(words, body) {
    const clients = [];
    const open = (endpoint, options = {}) => {
      const client = new Etcd3({ hosts: endpoint, ...options });
      clients.push(client);
      return client;
    };
    try {
      await withinDeadline(body(open));
      console.log(`ok ${words}`);
    } catch (error) {
      this.failed += 1;
      console.log(`FAILED ${words}: ${inOneLine(error)}`);
      console.error(error);
    } finally {
      for (const client of clients) {
        client.close();
      }
    }
  }
}

function withinDeadline(promise) {
  let timer;
  const deadline = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${checkDeadlineMs / 1000} s`)), checkDeadlineMs);
  });
  return Promise.race([promise, deadline]).finally(() => clearTimeout(timer));
}

const inOneLine = (error) => `${error?.name ?? "Error"}: ${error?.message ?? error}`.replaceAll(/\s+/g, " ");
