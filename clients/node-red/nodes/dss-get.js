'use strict';

const { onInput } = require('../lib/cluster-user.js');
const { keyOf, timeOf } = require('../lib/parameters.js');
const { membersOf } = require('../lib/payload.js');

module.exports = (RED) => {
  function DssGet(config) {
    RED.nodes.createNode(this, config);
    onInput(RED, this, config, async (client, msg, send) => {
      const key = keyOf(config.key, msg);
      const consistency = config.consistency || undefined;
      const item = await client.get(key, { consistency, at: timeOf(msg.at, 'at') });
      // What a dss cas takes as "there must be none".
      const none = { payload: null, version: null, time: undefined, deleted: false };
      send(
        Object.assign(
          msg,
          item === undefined ? { topic: key, ...none } : membersOf(item, config.format),
        ),
      );
    });
  }

  RED.nodes.registerType('dss get', DssGet);
};
