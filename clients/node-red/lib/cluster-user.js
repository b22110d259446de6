'use strict';

const { statusOf } = require('./status.js');

/** Words that all nodes use are in the catalogue of the cluster entry. */
const CATALOGUE = 'node-red-contrib-dss/dss-cluster';

/** What a node has of its cluster entry: the connection, and the dot that shows it. */
class ClusterUser {
  #node;
  #connection;
  #text;
  #state;
  #error;

  constructor(RED, node, { cluster }) {
    this.#node = node;
    this.#text = (name) => RED._(`${CATALOGUE}:status.${name}`);
    this.#connection = RED.nodes.getNode(cluster)?.connection;
    if (this.#connection === undefined) {
      node.status({ fill: 'red', shape: 'ring', text: this.#text('noCluster') });
      return;
    }
    const stop = this.#connection.follow((state) => {
      this.#state = state;
      this.#show();
    });
    node.on('close', stop);
  }

  /** Calls `listener` with the client, once: now or at the first connection. */
  whenConnected(listener) {
    let isNew = true;
    const stop = this.#connection?.follow(async ({ kind }) => {
      if (!isNew || kind !== 'connected') return;
      isNew = false;
      listener(await this.client());
    });
    if (stop !== undefined) this.#node.on('close', stop);
  }

  async client() {
    if (this.#connection === undefined) throw new Error(this.#text('noCluster'));
    return this.#connection.client();
  }

  /** The last message found its way. */
  succeeded() {
    if (this.#error === undefined) return;
    this.#error = undefined;
    this.#show();
  }

  failed(error) {
    this.#error = error;
    if (this.#connection !== undefined) this.#show();
  }

  #show() {
    this.#node.status(statusOf(this.#text, this.#state, this.#error));
  }
}

/** Answers each message that comes in by `run(client, msg, send)`. What it throws is for Catch nodes, with its code. */
function onInput(RED, node, config, run) {
  const user = new ClusterUser(RED, node, config);
  node.on('input', async (msg, send, done) => {
    try {
      await run(await user.client(), msg, send);
      user.succeeded();
      done();
    } catch (error) {
      user.failed(error);
      done(error);
    }
  });
}

module.exports = { ClusterUser, onInput };
