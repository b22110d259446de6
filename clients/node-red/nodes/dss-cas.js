'use strict';

const { onInput } = require('../lib/cluster-user.js');
const { keyOf, ttlMsOf, versionOf } = require('../lib/parameters.js');

module.exports = (RED) => {
  function DssCas(config) {
    RED.nodes.createNode(this, config);
    onInput(RED, this, config, async (client, msg, send) => {
      const key = keyOf(config.key, msg);
      const ifVersion = config.expect === 'none' ? null : versionOf(msg);
      const result = msg.deleted
        ? await client.casDelete(key, { ifVersion })
        : await client.cas(key, msg.payload, { ifVersion, ttlMs: ttlMsOf(config.ttl, msg) });
      const { won, version } = result;
      Object.assign(msg, { topic: key, won, version });
      send(won ? [msg, null] : [null, msg]);
    });
  }

  RED.nodes.registerType('dss cas', DssCas);
};
