'use strict';

const { onInput } = require('../lib/cluster-user.js');
const { keyOf, limitOf } = require('../lib/parameters.js');
const { membersOf, payloadOf } = require('../lib/payload.js');
const { sendItems } = require('../lib/send-items.js');

module.exports = (RED) => {
  function DssList(config) {
    RED.nodes.createNode(this, config);
    const { format, output, what } = config;
    const asKeys = {
      membersOf: (key) => ({ topic: key, payload: key }),
      elementOf: (key) => key,
    };
    const asItems = {
      membersOf: (item) => membersOf(item, format),
      elementOf: (item) => {
        const { key, version, time, expiresAt } = item;
        const element = { key, value: payloadOf(item, format), version, time };
        return expiresAt === undefined ? element : { ...element, expiresAt };
      },
    };
    onInput(RED, this, config, async (client, msg, send) => {
      const prefix = keyOf(config.prefix, msg);
      const page = { prefix, after: msg.after, limit: limitOf(config.limit, msg) };
      const isKeys = what === 'keys';
      const items = isKeys ? client.keys(page) : client.list(page);
      const shape = isKeys ? asKeys : asItems;
      await sendItems(RED, { items, output, msg, send, ...shape });
    });
  }

  RED.nodes.registerType('dss list', DssList);
};
