'use strict';

const { Connection } = require('../lib/connection.js');

const CONNECT_TIMEOUT_MS = 5_000;

module.exports = (RED) => {
  function DssCluster(config) {
    RED.nodes.createNode(this, config);
    const addresses = (config.addresses ?? '').split(/[\s,]+/).filter((address) => address !== '');
    const open = async (signal) => {
      // A module of the newer kind; this file has to be one of the older.
      const { connect } = await import('dss/client');
      const { user, password } = this.credentials ?? {};
      return connect(addresses, {
        ...(user ? { user, password } : {}),
        ...tlsOptions(config.tls),
        connectTimeoutMs: CONNECT_TIMEOUT_MS,
        signal,
      });
    };
    this.connection = new Connection(open, logger(this));
    this.on('close', (done) => this.connection.close().then(() => done(), done));
  }

  /** Tells the log of each connection and of why there is none, but not again and again. */
  function logger(node) {
    let told;
    return ({ url, error }) => {
      const sentence = error?.message ?? RED._('dss-cluster.connected', { url });
      if (sentence === told) return;
      told = sentence;
      if (error === undefined) node.log(sentence);
      else node.warn(sentence);
    };
  }

  /** Those of a `tls-config` node. What `dss/client` cannot do is refused: to ignore it would deceive. */
  function tlsOptions(id) {
    const tls = RED.nodes.getNode(id);
    if (!tls) return {};
    const { ca, cert, key, rejectUnauthorized, ...others } = tls.addTLSOptions({});
    if (rejectUnauthorized === false) throw new Error(RED._('dss-cluster.error.verify'));
    const [name] = Object.keys(others);
    if (name !== undefined) throw new Error(RED._('dss-cluster.error.tls', { name }));
    return { ca, cert, key };
  }

  RED.nodes.registerType('dss-cluster', DssCluster, {
    credentials: { user: { type: 'text' }, password: { type: 'password' } },
  });
};
