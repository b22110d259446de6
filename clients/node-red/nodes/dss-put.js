'use strict';

const { onInput } = require('../lib/cluster-user.js');
const { keyOf, timeOf, ttlMsOf } = require('../lib/parameters.js');

module.exports = (RED) => {
  function DssPut(config) {
    RED.nodes.createNode(this, config);
    onInput(RED, this, config, async (client, msg, send) => {
      const key = keyOf(config.key, msg);
      const time = config.time === 'msg' ? timeOf(msg.time, 'time') : undefined;
      const written = msg.deleted
        ? client.delete(key, { time })
        : client.put(key, msg.payload, { time, ttlMs: ttlMsOf(config.ttl, msg) });
      const { version } = await written;
      send(Object.assign(msg, { topic: key, version }));
    });
  }

  RED.nodes.registerType('dss put', DssPut);
};
