import type { ConnectionOptions, NodeConnection } from '../connection.ts';

/** One connection for many commands: opened by the first, and anew after one that has failed on it. */
export class KeptConnection {
  #connection: NodeConnection | undefined;
  #address: string | undefined;

  async use<T>(
    options: ConnectionOptions,
    task: (connection: NodeConnection) => Promise<T>,
  ): Promise<T> {
    const address = JSON.stringify(options);
    if (address !== this.#address) await this.close();
    if (this.#connection === undefined) {
      const { NodeConnection } = await import('../connection.ts');
      this.#connection = await NodeConnection.open(options);
      this.#address = address;
    }
    try {
      return await task(this.#connection);
    } catch (error) {
      // A connection that did not answer may be broken.
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.close();
  }
}
