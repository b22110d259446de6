'use strict';

const { ClusterUser } = require('../lib/cluster-user.js');
const { membersOf } = require('../lib/payload.js');

module.exports = (RED) => {
  function DssIn(config) {
    RED.nodes.createNode(this, config);
    const { filter, format, snapshot } = config;
    const user = new ClusterUser(RED, this, config);
    const stopping = new AbortController();
    this.on('close', () => stopping.abort());

    /** All current values were told at least once: from now on even those of a reconnection are news. */
    let isComplete = false;
    const messageOf = (change) => {
      if (change.type === 'snapshot-complete') {
        isComplete = true;
        return snapshot === 'marked' ? { topic: filter, complete: true } : undefined;
      }
      if (change.type === 'deleted') {
        const { key, version, time } = change;
        return { topic: key, payload: null, version, time, deleted: true, snapshot: false };
      }
      if (snapshot === 'none' && change.snapshot && !isComplete) return undefined;
      return { ...membersOf(change.item, format), snapshot: change.snapshot };
    };

    const forward = (change) => {
      try {
        const message = messageOf(change);
        if (message === undefined) return;
        this.send(message);
        user.succeeded();
      } catch (error) {
        fail(error, change.key);
      }
    };
    const fail = (error, topic) => {
      user.failed(error);
      this.error(error, { topic });
    };

    const watch = async (client) => {
      try {
        const changes = client.watch(filter, { signal: stopping.signal });
        for await (const change of changes) forward(change);
      } catch (error) {
        fail(error, filter);
      }
    };
    user.whenConnected(watch);
  }

  RED.nodes.registerType('dss in', DssIn);
};
