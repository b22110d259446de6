'use strict';

const { onInput } = require('../lib/cluster-user.js');
const { keyOf, limitOf, timeOf } = require('../lib/parameters.js');
const { membersOf, payloadOf } = require('../lib/payload.js');
const { sendItems } = require('../lib/send-items.js');

const UNITS_MS = { minutes: 60_000, hours: 3_600_000, days: 86_400_000 };

module.exports = (RED) => {
  function DssHistory(config) {
    RED.nodes.createNode(this, config);
    const { format, output } = config;
    const spanMs = Number(config.span || 0) * (UNITS_MS[config.spanUnit] ?? 0);
    const shape = {
      membersOf: (item) => membersOf(item, format),
      elementOf: (item) => {
        const { version, time, deleted } = item;
        return { value: payloadOf(item, format), version, time, deleted };
      },
    };
    onInput(RED, this, config, async (client, msg, send) => {
      const key = keyOf(config.key, msg);
      const earliest = spanMs > 0 ? Date.now() - spanMs : undefined;
      const items = client.history(key, {
        from: timeOf(msg.from, 'from') ?? earliest,
        to: timeOf(msg.to, 'to'),
        order: config.order || undefined,
        limit: limitOf(config.limit, msg),
      });
      msg.topic = key;
      await sendItems(RED, { items, output, msg, send, ...shape });
    });
  }

  RED.nodes.registerType('dss history', DssHistory);
};
