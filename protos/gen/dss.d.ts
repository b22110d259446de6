import * as $protobuf from "protobufjs/minimal.js";
import Long = require("long");

/** Namespace dss. */
export namespace dss {

    /** Namespace raft. */
    namespace raft {

        /**
         * Properties of a RaftEnvelope.
         * @deprecated Use dss.raft.RaftEnvelope.$Properties instead.
         */
        interface IRaftEnvelope extends dss.raft.RaftEnvelope.$Properties {
        }

        /** All Raft messages of one round from one node to another, for all shards (DESIGN §6). */
        class RaftEnvelope {

            /**
             * Constructs a new RaftEnvelope.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.raft.RaftEnvelope.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** 1 */
            format: number;

            /** node id, 16 hexadecimal digits */
            fromNode: string;

            /** of the sender; peers persist the highest (DESIGN §5, Identity) */
            startCounter: number;

            /** last round of the sender's log known to be durable */
            syncedRound: number;

            /** RaftEnvelope messages. */
            messages: dss.raft.RaftMessage[];

            /**
             * Creates a new RaftEnvelope instance using the specified properties.
             * @param [properties] Properties to set
             * @returns RaftEnvelope instance
             */
            static create(properties: dss.raft.RaftEnvelope.$Shape): dss.raft.RaftEnvelope & dss.raft.RaftEnvelope.$Shape;
            static create(properties?: dss.raft.RaftEnvelope.$Properties): dss.raft.RaftEnvelope;

            /**
             * Encodes the specified RaftEnvelope message. Does not implicitly {@link dss.raft.RaftEnvelope.verify|verify} messages.
             * @param message RaftEnvelope message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.raft.RaftEnvelope.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a RaftEnvelope message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.raft.RaftEnvelope & dss.raft.RaftEnvelope.$Shape} RaftEnvelope
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.raft.RaftEnvelope & dss.raft.RaftEnvelope.$Shape;
        }

        namespace RaftEnvelope {

            /** Properties of a RaftEnvelope. */
            interface $Properties {

                /** 1 */
                format?: number;

                /** node id, 16 hexadecimal digits */
                fromNode?: string;

                /** of the sender; peers persist the highest (DESIGN §5, Identity) */
                startCounter?: number;

                /** last round of the sender's log known to be durable */
                syncedRound?: number;

                /** RaftEnvelope messages */
                messages?: dss.raft.RaftMessage.$Properties[];

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a RaftEnvelope. */
            type $Shape = dss.raft.RaftEnvelope.$Properties;
        }

        /** MessageType enum. */
        enum MessageType {

            /** MESSAGE_TYPE_UNSPECIFIED value */
            MESSAGE_TYPE_UNSPECIFIED = 0,

            /** PRE_VOTE_REQUEST value */
            PRE_VOTE_REQUEST = 1,

            /** PRE_VOTE_RESPONSE value */
            PRE_VOTE_RESPONSE = 2,

            /** VOTE_REQUEST value */
            VOTE_REQUEST = 3,

            /** VOTE_RESPONSE value */
            VOTE_RESPONSE = 4,

            /** APPEND_REQUEST value */
            APPEND_REQUEST = 5,

            /** APPEND_RESPONSE value */
            APPEND_RESPONSE = 6,

            /** HEARTBEAT_REQUEST value */
            HEARTBEAT_REQUEST = 7,

            /** HEARTBEAT_RESPONSE value */
            HEARTBEAT_RESPONSE = 8,

            /** READ_INDEX_REQUEST value */
            READ_INDEX_REQUEST = 9,

            /** READ_INDEX_RESPONSE value */
            READ_INDEX_RESPONSE = 10,

            /** campaign at once: the leader hands over */
            TIMEOUT_NOW = 11
        }

        /**
         * Properties of a RaftMessage.
         * @deprecated Use dss.raft.RaftMessage.$Properties instead.
         */
        interface IRaftMessage extends dss.raft.RaftMessage.$Properties {
        }

        /** Represents a RaftMessage. */
        class RaftMessage {

            /**
             * Constructs a new RaftMessage.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.raft.RaftMessage.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** RaftMessage group. */
            group: number;

            /** RaftMessage fromReplica. */
            fromReplica: number;

            /** RaftMessage toReplica. */
            toReplica: number;

            /** RaftMessage type. */
            type: dss.raft.MessageType;

            /** RaftMessage term. */
            term: number;

            /** meaning by type: last, previous or matched log index */
            index: number;

            /** term of the entry at `index` */
            logTerm: number;

            /** RaftMessage commit. */
            commit: number;

            /** RaftMessage reject. */
            reject: boolean;

            /** RaftMessage rejectHintIndex. */
            rejectHintIndex: number;

            /** RaftMessage rejectHintTerm. */
            rejectHintTerm: number;

            /** RaftMessage entries. */
            entries: dss.raft.Entry[];

            /** ties a heartbeat round or a read to its answer */
            context: number;

            /** nobody who answers needs the log up to here: segments may let go of it */
            releasedIndex: number;

            /** of a vote request: the leader itself asked for this election */
            transfer: boolean;

            /**
             * Creates a new RaftMessage instance using the specified properties.
             * @param [properties] Properties to set
             * @returns RaftMessage instance
             */
            static create(properties: dss.raft.RaftMessage.$Shape): dss.raft.RaftMessage & dss.raft.RaftMessage.$Shape;
            static create(properties?: dss.raft.RaftMessage.$Properties): dss.raft.RaftMessage;

            /**
             * Encodes the specified RaftMessage message. Does not implicitly {@link dss.raft.RaftMessage.verify|verify} messages.
             * @param message RaftMessage message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.raft.RaftMessage.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a RaftMessage message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.raft.RaftMessage & dss.raft.RaftMessage.$Shape} RaftMessage
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.raft.RaftMessage & dss.raft.RaftMessage.$Shape;
        }

        namespace RaftMessage {

            /** Properties of a RaftMessage. */
            interface $Properties {

                /** RaftMessage group */
                group?: number;

                /** RaftMessage fromReplica */
                fromReplica?: number;

                /** RaftMessage toReplica */
                toReplica?: number;

                /** RaftMessage type */
                type?: dss.raft.MessageType;

                /** RaftMessage term */
                term?: number;

                /** meaning by type: last, previous or matched log index */
                index?: number;

                /** term of the entry at `index` */
                logTerm?: number;

                /** RaftMessage commit */
                commit?: number;

                /** RaftMessage reject */
                reject?: boolean;

                /** RaftMessage rejectHintIndex */
                rejectHintIndex?: number;

                /** RaftMessage rejectHintTerm */
                rejectHintTerm?: number;

                /** RaftMessage entries */
                entries?: dss.raft.Entry.$Properties[];

                /** ties a heartbeat round or a read to its answer */
                context?: number;

                /** nobody who answers needs the log up to here: segments may let go of it */
                releasedIndex?: number;

                /** of a vote request: the leader itself asked for this election */
                transfer?: boolean;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a RaftMessage. */
            type $Shape = dss.raft.RaftMessage.$Properties;
        }

        /**
         * Properties of an Entry.
         * @deprecated Use dss.raft.Entry.$Properties instead.
         */
        interface IEntry extends dss.raft.Entry.$Properties {
        }

        /** The entries of one message run on without a gap from `index + 1` of the message. */
        class Entry {

            /**
             * Constructs a new Entry.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.raft.Entry.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Entry term. */
            term: number;

            /** Entry kind. */
            kind: number;

            /** Entry data. */
            data: Uint8Array;

            /**
             * Creates a new Entry instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Entry instance
             */
            static create(properties: dss.raft.Entry.$Shape): dss.raft.Entry & dss.raft.Entry.$Shape;
            static create(properties?: dss.raft.Entry.$Properties): dss.raft.Entry;

            /**
             * Encodes the specified Entry message. Does not implicitly {@link dss.raft.Entry.verify|verify} messages.
             * @param message Entry message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.raft.Entry.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an Entry message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.raft.Entry & dss.raft.Entry.$Shape} Entry
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.raft.Entry & dss.raft.Entry.$Shape;
        }

        namespace Entry {

            /** Properties of an Entry. */
            interface $Properties {

                /** Entry term */
                term?: number;

                /** Entry kind */
                kind?: number;

                /** Entry data */
                data?: Uint8Array;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of an Entry. */
            type $Shape = dss.raft.Entry.$Properties;
        }
    }

    /** Namespace kv. */
    namespace kv {

        /**
         * Properties of a WriteBatch.
         * @deprecated Use dss.kv.WriteBatch.$Properties instead.
         */
        interface IWriteBatch extends dss.kv.WriteBatch.$Properties {
        }

        /**
         * The writes of one node to one shard, in the order they arrived, built by a cursor. On the wire and in
         * the log a format byte (1) stands before the message. A write's version is the entry's base version
         * plus its ordinal, so the leader never touches these bytes.
         */
        class WriteBatch {

            /**
             * Constructs a new WriteBatch.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.kv.WriteBatch.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** WriteBatch writes. */
            writes: dss.kv.Write[];

            /**
             * Creates a new WriteBatch instance using the specified properties.
             * @param [properties] Properties to set
             * @returns WriteBatch instance
             */
            static create(properties: dss.kv.WriteBatch.$Shape): dss.kv.WriteBatch & dss.kv.WriteBatch.$Shape;
            static create(properties?: dss.kv.WriteBatch.$Properties): dss.kv.WriteBatch;

            /**
             * Encodes the specified WriteBatch message. Does not implicitly {@link dss.kv.WriteBatch.verify|verify} messages.
             * @param message WriteBatch message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.kv.WriteBatch.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a WriteBatch message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.kv.WriteBatch & dss.kv.WriteBatch.$Shape} WriteBatch
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.kv.WriteBatch & dss.kv.WriteBatch.$Shape;
        }

        namespace WriteBatch {

            /** Properties of a WriteBatch. */
            interface $Properties {

                /** WriteBatch writes */
                writes?: dss.kv.Write.$Properties[];

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a WriteBatch. */
            type $Shape = dss.kv.WriteBatch.$Properties;
        }

        /** WriteKind enum. */
        enum WriteKind {

            /** PUT value */
            PUT = 0,

            /** DELETE value */
            DELETE = 1,

            /** a tombstone, if the current value still is version `if_version` and has expired */
            EXPIRE = 2
        }

        /**
         * Properties of a Write.
         * @deprecated Use dss.kv.Write.$Properties instead.
         */
        interface IWrite extends dss.kv.Write.$Properties {
        }

        /** Represents a Write. */
        class Write {

            /**
             * Constructs a new Write.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.kv.Write.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** without slot and space: what follows the verb in the topic */
            key: Uint8Array;

            /** Write value. */
            value: Uint8Array;

            /** Write kind. */
            kind: dss.kv.WriteKind;

            /** 0 user values (DESIGN §3) */
            space: number;

            /** event time in version units; absent: the version */
            time: number;

            /** the value expires so long after its version; 0: it does not, unless a rule says so */
            ttlMs: number;

            /** only if the current value has this version; 0: only if there is none */
            ifVersion: (number|null);

            /** of a compare-and-set: its repetition by the winner has the same */
            requestToken: Uint8Array;

            /**
             * Creates a new Write instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Write instance
             */
            static create(properties: dss.kv.Write.$Shape): dss.kv.Write & dss.kv.Write.$Shape;
            static create(properties?: dss.kv.Write.$Properties): dss.kv.Write;

            /**
             * Encodes the specified Write message. Does not implicitly {@link dss.kv.Write.verify|verify} messages.
             * @param message Write message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.kv.Write.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Write message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.kv.Write & dss.kv.Write.$Shape} Write
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.kv.Write & dss.kv.Write.$Shape;
        }

        namespace Write {

            /** Properties of a Write. */
            interface $Properties {

                /** without slot and space: what follows the verb in the topic */
                key?: Uint8Array;

                /** Write value */
                value?: Uint8Array;

                /** Write kind */
                kind?: dss.kv.WriteKind;

                /** 0 user values (DESIGN §3) */
                space?: number;

                /** event time in version units; absent: the version */
                time?: number;

                /** the value expires so long after its version; 0: it does not, unless a rule says so */
                ttlMs?: number;

                /** only if the current value has this version; 0: only if there is none */
                ifVersion?: (number|null);

                /** of a compare-and-set: its repetition by the winner has the same */
                requestToken?: Uint8Array;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Write. */
            type $Shape = dss.kv.Write.$Properties;
        }

        /**
         * Properties of a RetentionRule.
         * @deprecated Use dss.kv.RetentionRule.$Properties instead.
         */
        interface IRetentionRule extends dss.kv.RetentionRule.$Properties {
        }

        /** How long values stay (DESIGN §3). The rule with the longest prefix that covers a key counts. */
        class RetentionRule {

            /**
             * Constructs a new RetentionRule.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.kv.RetentionRule.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** whole levels; empty: every key */
            prefix: string;

            /** earlier values are kept so long; absent: for ever */
            keepMs: (number|null);

            /** at most so many values of a key, the newest included; 0: no limit */
            versions: number;

            /** the newest expires so long after it was written; 0: never */
            ttlMs: number;

            /**
             * Creates a new RetentionRule instance using the specified properties.
             * @param [properties] Properties to set
             * @returns RetentionRule instance
             */
            static create(properties: dss.kv.RetentionRule.$Shape): dss.kv.RetentionRule & dss.kv.RetentionRule.$Shape;
            static create(properties?: dss.kv.RetentionRule.$Properties): dss.kv.RetentionRule;

            /**
             * Encodes the specified RetentionRule message. Does not implicitly {@link dss.kv.RetentionRule.verify|verify} messages.
             * @param message RetentionRule message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.kv.RetentionRule.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a RetentionRule message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.kv.RetentionRule & dss.kv.RetentionRule.$Shape} RetentionRule
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.kv.RetentionRule & dss.kv.RetentionRule.$Shape;
        }

        namespace RetentionRule {

            /** Properties of a RetentionRule. */
            interface $Properties {

                /** whole levels; empty: every key */
                prefix?: string;

                /** earlier values are kept so long; absent: for ever */
                keepMs?: (number|null);

                /** at most so many values of a key, the newest included; 0: no limit */
                versions?: number;

                /** the newest expires so long after it was written; 0: never */
                ttlMs?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a RetentionRule. */
            type $Shape = dss.kv.RetentionRule.$Properties;
        }

        /**
         * Properties of an IngestRule.
         * @deprecated Use dss.kv.IngestRule.$Properties instead.
         */
        interface IIngestRule extends dss.kv.IngestRule.$Properties {
        }

        /** Which ordinary topics are stored, and how (DESIGN §7). */
        class IngestRule {

            /**
             * Constructs a new IngestRule.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.kv.IngestRule.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** IngestRule name. */
            name: string;

            /** IngestRule filter. */
            filter: string;

            /** IngestRule except. */
            except: string[];

            /** template; empty: $topic */
            key: string;

            /** empty: the whole payload; a path into the JSON; or "each" */
            value: string;

            /** path into the JSON; empty: none */
            time: string;

            /** of a number: s, ms, us, ns */
            timeUnit: string;

            /** of a text without one */
            timeZone: string;

            /**
             * Creates a new IngestRule instance using the specified properties.
             * @param [properties] Properties to set
             * @returns IngestRule instance
             */
            static create(properties: dss.kv.IngestRule.$Shape): dss.kv.IngestRule & dss.kv.IngestRule.$Shape;
            static create(properties?: dss.kv.IngestRule.$Properties): dss.kv.IngestRule;

            /**
             * Encodes the specified IngestRule message. Does not implicitly {@link dss.kv.IngestRule.verify|verify} messages.
             * @param message IngestRule message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.kv.IngestRule.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an IngestRule message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.kv.IngestRule & dss.kv.IngestRule.$Shape} IngestRule
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.kv.IngestRule & dss.kv.IngestRule.$Shape;
        }

        namespace IngestRule {

            /** Properties of an IngestRule. */
            interface $Properties {

                /** IngestRule name */
                name?: string;

                /** IngestRule filter */
                filter?: string;

                /** IngestRule except */
                except?: string[];

                /** template; empty: $topic */
                key?: string;

                /** empty: the whole payload; a path into the JSON; or "each" */
                value?: string;

                /** path into the JSON; empty: none */
                time?: string;

                /** of a number: s, ms, us, ns */
                timeUnit?: string;

                /** of a text without one */
                timeZone?: string;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of an IngestRule. */
            type $Shape = dss.kv.IngestRule.$Properties;
        }

        /**
         * Properties of a Settings.
         * @deprecated Use dss.kv.Settings.$Properties instead.
         */
        interface ISettings extends dss.kv.Settings.$Properties {
        }

        /** What the cluster was told at run time: the state of the meta group. */
        class Settings {

            /**
             * Constructs a new Settings.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.kv.Settings.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Settings revision. */
            revision: number;

            /** Settings retention. */
            retention: dss.kv.RetentionRule[];

            /** Settings ingest. */
            ingest: dss.kv.IngestRule[];

            /** none before the first settings: then the genesis says who the nodes are */
            nodes: dss.kv.NodeRow[];

            /** who holds the connection to which other broker */
            leases: dss.kv.Lease[];

            /**
             * Creates a new Settings instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Settings instance
             */
            static create(properties: dss.kv.Settings.$Shape): dss.kv.Settings & dss.kv.Settings.$Shape;
            static create(properties?: dss.kv.Settings.$Properties): dss.kv.Settings;

            /**
             * Encodes the specified Settings message. Does not implicitly {@link dss.kv.Settings.verify|verify} messages.
             * @param message Settings message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.kv.Settings.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Settings message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.kv.Settings & dss.kv.Settings.$Shape} Settings
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.kv.Settings & dss.kv.Settings.$Shape;
        }

        namespace Settings {

            /** Properties of a Settings. */
            interface $Properties {

                /** Settings revision */
                revision?: number;

                /** Settings retention */
                retention?: dss.kv.RetentionRule.$Properties[];

                /** Settings ingest */
                ingest?: dss.kv.IngestRule.$Properties[];

                /** none before the first settings: then the genesis says who the nodes are */
                nodes?: dss.kv.NodeRow.$Properties[];

                /** who holds the connection to which other broker */
                leases?: dss.kv.Lease.$Properties[];

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Settings. */
            type $Shape = dss.kv.Settings.$Properties;
        }

        /**
         * Properties of a Lease.
         * @deprecated Use dss.kv.Lease.$Properties instead.
         */
        interface ILease extends dss.kv.Lease.$Properties {
        }

        /** A source or sink beside another broker, and the one node that is connected for it. */
        class Lease {

            /**
             * Constructs a new Lease.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.kv.Lease.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Lease name. */
            name: string;

            /** Lease node. */
            node: string;

            /**
             * Creates a new Lease instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Lease instance
             */
            static create(properties: dss.kv.Lease.$Shape): dss.kv.Lease & dss.kv.Lease.$Shape;
            static create(properties?: dss.kv.Lease.$Properties): dss.kv.Lease;

            /**
             * Encodes the specified Lease message. Does not implicitly {@link dss.kv.Lease.verify|verify} messages.
             * @param message Lease message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.kv.Lease.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Lease message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.kv.Lease & dss.kv.Lease.$Shape} Lease
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.kv.Lease & dss.kv.Lease.$Shape;
        }

        namespace Lease {

            /** Properties of a Lease. */
            interface $Properties {

                /** Lease name */
                name?: string;

                /** Lease node */
                node?: string;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Lease. */
            type $Shape = dss.kv.Lease.$Properties;
        }

        /** NodeState enum. */
        enum NodeState {

            /** NODE_STATE_UNSPECIFIED value */
            NODE_STATE_UNSPECIFIED = 0,

            /** holds nothing yet */
            NODE_JOINING = 1,

            /** NODE_ACTIVE value */
            NODE_ACTIVE = 2,

            /** told to go: is given nothing more, and goes when it holds nothing */
            NODE_LEAVING = 3,

            /** silent for so long that its data is replicated elsewhere */
            NODE_DEAD = 4,

            /** holds nothing and never comes back: its id is never let in again */
            NODE_GONE = 5
        }

        /**
         * Properties of a NodeRow.
         * @deprecated Use dss.kv.NodeRow.$Properties instead.
         */
        interface INodeRow extends dss.kv.NodeRow.$Properties {
        }

        /** One row of the node table. */
        class NodeRow {

            /**
             * Constructs a new NodeRow.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.kv.NodeRow.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** NodeRow node. */
            node: string;

            /** of one node that is neither dead nor gone */
            name: string;

            /** NodeRow mqttAddress. */
            mqttAddress: string;

            /** NodeRow httpAddress. */
            httpAddress: string;

            /** share of the data against other nodes, above 0 */
            weight: number;

            /** replicas of a shard prefer different ones */
            zone: string;

            /** NodeRow state. */
            state: dss.kv.NodeState;

            /** wall clock of who changed the state */
            sinceMs: number;

            /** of one that is gone: it was told to, and gave everything away */
            hasLeft: boolean;

            /**
             * Creates a new NodeRow instance using the specified properties.
             * @param [properties] Properties to set
             * @returns NodeRow instance
             */
            static create(properties: dss.kv.NodeRow.$Shape): dss.kv.NodeRow & dss.kv.NodeRow.$Shape;
            static create(properties?: dss.kv.NodeRow.$Properties): dss.kv.NodeRow;

            /**
             * Encodes the specified NodeRow message. Does not implicitly {@link dss.kv.NodeRow.verify|verify} messages.
             * @param message NodeRow message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.kv.NodeRow.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a NodeRow message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.kv.NodeRow & dss.kv.NodeRow.$Shape} NodeRow
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.kv.NodeRow & dss.kv.NodeRow.$Shape;
        }

        namespace NodeRow {

            /** Properties of a NodeRow. */
            interface $Properties {

                /** NodeRow node */
                node?: string;

                /** of one node that is neither dead nor gone */
                name?: string;

                /** NodeRow mqttAddress */
                mqttAddress?: string;

                /** NodeRow httpAddress */
                httpAddress?: string;

                /** share of the data against other nodes, above 0 */
                weight?: number;

                /** replicas of a shard prefer different ones */
                zone?: string;

                /** NodeRow state */
                state?: dss.kv.NodeState;

                /** wall clock of who changed the state */
                sinceMs?: number;

                /** of one that is gone: it was told to, and gave everything away */
                hasLeft?: boolean;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a NodeRow. */
            type $Shape = dss.kv.NodeRow.$Properties;
        }

        /**
         * Properties of a ConfigurationRecord.
         * @deprecated Use dss.kv.ConfigurationRecord.$Properties instead.
         */
        interface IConfigurationRecord extends dss.kv.ConfigurationRecord.$Properties {
        }

        /** Log entry that changes who is in a group (Raft §6). It counts from the moment it is in a replica's log. */
        class ConfigurationRecord {

            /**
             * Constructs a new ConfigurationRecord.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.kv.ConfigurationRecord.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ConfigurationRecord format. */
            format: number;

            /** ConfigurationRecord voters. */
            voters: dss.kv.ReplicaPlace[];

            /** the voters before, while both majorities must agree */
            outgoing: dss.kv.ReplicaPlace[];

            /** ConfigurationRecord learners. */
            learners: dss.kv.ReplicaPlace[];

            /** of `outgoing`: learners once the change is complete */
            demoted: dss.kv.ReplicaPlace[];

            /** lower ones are given no more: see node/shard/configuration-change.ts */
            nextReplicaId: number;

            /**
             * Creates a new ConfigurationRecord instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ConfigurationRecord instance
             */
            static create(properties: dss.kv.ConfigurationRecord.$Shape): dss.kv.ConfigurationRecord & dss.kv.ConfigurationRecord.$Shape;
            static create(properties?: dss.kv.ConfigurationRecord.$Properties): dss.kv.ConfigurationRecord;

            /**
             * Encodes the specified ConfigurationRecord message. Does not implicitly {@link dss.kv.ConfigurationRecord.verify|verify} messages.
             * @param message ConfigurationRecord message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.kv.ConfigurationRecord.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ConfigurationRecord message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.kv.ConfigurationRecord & dss.kv.ConfigurationRecord.$Shape} ConfigurationRecord
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.kv.ConfigurationRecord & dss.kv.ConfigurationRecord.$Shape;
        }

        namespace ConfigurationRecord {

            /** Properties of a ConfigurationRecord. */
            interface $Properties {

                /** ConfigurationRecord format */
                format?: number;

                /** ConfigurationRecord voters */
                voters?: dss.kv.ReplicaPlace.$Properties[];

                /** the voters before, while both majorities must agree */
                outgoing?: dss.kv.ReplicaPlace.$Properties[];

                /** ConfigurationRecord learners */
                learners?: dss.kv.ReplicaPlace.$Properties[];

                /** of `outgoing`: learners once the change is complete */
                demoted?: dss.kv.ReplicaPlace.$Properties[];

                /** lower ones are given no more: see node/shard/configuration-change.ts */
                nextReplicaId?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ConfigurationRecord. */
            type $Shape = dss.kv.ConfigurationRecord.$Properties;
        }

        /**
         * Properties of a ReplicaPlace.
         * @deprecated Use dss.kv.ReplicaPlace.$Properties instead.
         */
        interface IReplicaPlace extends dss.kv.ReplicaPlace.$Properties {
        }

        /** Represents a ReplicaPlace. */
        class ReplicaPlace {

            /**
             * Constructs a new ReplicaPlace.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.kv.ReplicaPlace.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ReplicaPlace replicaId. */
            replicaId: number;

            /** ReplicaPlace node. */
            node: string;

            /**
             * Creates a new ReplicaPlace instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ReplicaPlace instance
             */
            static create(properties: dss.kv.ReplicaPlace.$Shape): dss.kv.ReplicaPlace & dss.kv.ReplicaPlace.$Shape;
            static create(properties?: dss.kv.ReplicaPlace.$Properties): dss.kv.ReplicaPlace;

            /**
             * Encodes the specified ReplicaPlace message. Does not implicitly {@link dss.kv.ReplicaPlace.verify|verify} messages.
             * @param message ReplicaPlace message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.kv.ReplicaPlace.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ReplicaPlace message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.kv.ReplicaPlace & dss.kv.ReplicaPlace.$Shape} ReplicaPlace
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.kv.ReplicaPlace & dss.kv.ReplicaPlace.$Shape;
        }

        namespace ReplicaPlace {

            /** Properties of a ReplicaPlace. */
            interface $Properties {

                /** ReplicaPlace replicaId */
                replicaId?: number;

                /** ReplicaPlace node */
                node?: string;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ReplicaPlace. */
            type $Shape = dss.kv.ReplicaPlace.$Properties;
        }

        /**
         * Properties of a ConfigurationAt.
         * @deprecated Use dss.kv.ConfigurationAt.$Properties instead.
         */
        interface IConfigurationAt extends dss.kv.ConfigurationAt.$Properties {
        }

        /** Represents a ConfigurationAt. */
        class ConfigurationAt {

            /**
             * Constructs a new ConfigurationAt.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.kv.ConfigurationAt.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ConfigurationAt index. */
            index: number;

            /** ConfigurationAt term. */
            term: number;

            /** ConfigurationAt record. */
            record: dss.kv.ConfigurationRecord;

            /**
             * Creates a new ConfigurationAt instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ConfigurationAt instance
             */
            static create(properties: dss.kv.ConfigurationAt.$Shape): dss.kv.ConfigurationAt & dss.kv.ConfigurationAt.$Shape;
            static create(properties?: dss.kv.ConfigurationAt.$Properties): dss.kv.ConfigurationAt;

            /**
             * Encodes the specified ConfigurationAt message. Does not implicitly {@link dss.kv.ConfigurationAt.verify|verify} messages.
             * @param message ConfigurationAt message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.kv.ConfigurationAt.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ConfigurationAt message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.kv.ConfigurationAt & dss.kv.ConfigurationAt.$Shape} ConfigurationAt
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.kv.ConfigurationAt & dss.kv.ConfigurationAt.$Shape;
        }

        namespace ConfigurationAt {

            /** Properties of a ConfigurationAt. */
            interface $Properties {

                /** ConfigurationAt index */
                index?: number;

                /** ConfigurationAt term */
                term?: number;

                /** ConfigurationAt record */
                record?: dss.kv.ConfigurationRecord.$Properties;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ConfigurationAt. */
            type $Shape = dss.kv.ConfigurationAt.$Properties;
        }

        /**
         * Properties of a GroupConfiguration.
         * @deprecated Use dss.kv.GroupConfiguration.$Properties instead.
         */
        interface IGroupConfiguration extends dss.kv.GroupConfiguration.$Properties {
        }

        /** What a node knows of the configurations of one of its groups: kept beside the group's log, and flushed with it. */
        class GroupConfiguration {

            /**
             * Constructs a new GroupConfiguration.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.kv.GroupConfiguration.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** GroupConfiguration format. */
            format: number;

            /** GroupConfiguration firstSlot. */
            firstSlot: number;

            /** 0 for meta */
            slotCount: number;

            /** the one before the log's start, and all after it */
            configurations: dss.kv.ConfigurationAt[];

            /** the replica is gone from here; its id is kept so that it never comes back */
            removed: boolean;

            /** why its node cannot trust the replica; empty: it can */
            suspect: string;

            /** a suspect that it replaces on its node; 0: none, or the group has agreed */
            displaces: number;

            /**
             * Creates a new GroupConfiguration instance using the specified properties.
             * @param [properties] Properties to set
             * @returns GroupConfiguration instance
             */
            static create(properties: dss.kv.GroupConfiguration.$Shape): dss.kv.GroupConfiguration & dss.kv.GroupConfiguration.$Shape;
            static create(properties?: dss.kv.GroupConfiguration.$Properties): dss.kv.GroupConfiguration;

            /**
             * Encodes the specified GroupConfiguration message. Does not implicitly {@link dss.kv.GroupConfiguration.verify|verify} messages.
             * @param message GroupConfiguration message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.kv.GroupConfiguration.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a GroupConfiguration message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.kv.GroupConfiguration & dss.kv.GroupConfiguration.$Shape} GroupConfiguration
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.kv.GroupConfiguration & dss.kv.GroupConfiguration.$Shape;
        }

        namespace GroupConfiguration {

            /** Properties of a GroupConfiguration. */
            interface $Properties {

                /** GroupConfiguration format */
                format?: number;

                /** GroupConfiguration firstSlot */
                firstSlot?: number;

                /** 0 for meta */
                slotCount?: number;

                /** the one before the log's start, and all after it */
                configurations?: dss.kv.ConfigurationAt.$Properties[];

                /** the replica is gone from here; its id is kept so that it never comes back */
                removed?: boolean;

                /** why its node cannot trust the replica; empty: it can */
                suspect?: string;

                /** a suspect that it replaces on its node; 0: none, or the group has agreed */
                displaces?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a GroupConfiguration. */
            type $Shape = dss.kv.GroupConfiguration.$Properties;
        }

        /**
         * Properties of a SettingsRecord.
         * @deprecated Use dss.kv.SettingsRecord.$Properties instead.
         */
        interface ISettingsRecord extends dss.kv.SettingsRecord.$Properties {
        }

        /** Log entry of the meta group: replaces the settings if they still have this revision. */
        class SettingsRecord {

            /**
             * Constructs a new SettingsRecord.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.kv.SettingsRecord.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** SettingsRecord format. */
            format: number;

            /** SettingsRecord expectedRevision. */
            expectedRevision: number;

            /** SettingsRecord settings. */
            settings: dss.kv.Settings;

            /**
             * Creates a new SettingsRecord instance using the specified properties.
             * @param [properties] Properties to set
             * @returns SettingsRecord instance
             */
            static create(properties: dss.kv.SettingsRecord.$Shape): dss.kv.SettingsRecord & dss.kv.SettingsRecord.$Shape;
            static create(properties?: dss.kv.SettingsRecord.$Properties): dss.kv.SettingsRecord;

            /**
             * Encodes the specified SettingsRecord message. Does not implicitly {@link dss.kv.SettingsRecord.verify|verify} messages.
             * @param message SettingsRecord message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.kv.SettingsRecord.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a SettingsRecord message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.kv.SettingsRecord & dss.kv.SettingsRecord.$Shape} SettingsRecord
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.kv.SettingsRecord & dss.kv.SettingsRecord.$Shape;
        }

        namespace SettingsRecord {

            /** Properties of a SettingsRecord. */
            interface $Properties {

                /** SettingsRecord format */
                format?: number;

                /** SettingsRecord expectedRevision */
                expectedRevision?: number;

                /** SettingsRecord settings */
                settings?: dss.kv.Settings.$Properties;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a SettingsRecord. */
            type $Shape = dss.kv.SettingsRecord.$Properties;
        }

        /**
         * Properties of a RulesRecord.
         * @deprecated Use dss.kv.RulesRecord.$Properties instead.
         */
        interface IRulesRecord extends dss.kv.RulesRecord.$Properties {
        }

        /** Log entry by which retention rules reach a shard. */
        class RulesRecord {

            /**
             * Constructs a new RulesRecord.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.kv.RulesRecord.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** RulesRecord format. */
            format: number;

            /** RulesRecord version. */
            version: number;

            /** of the settings that they come from */
            revision: number;

            /** RulesRecord rules. */
            rules: dss.kv.RetentionRule[];

            /**
             * Creates a new RulesRecord instance using the specified properties.
             * @param [properties] Properties to set
             * @returns RulesRecord instance
             */
            static create(properties: dss.kv.RulesRecord.$Shape): dss.kv.RulesRecord & dss.kv.RulesRecord.$Shape;
            static create(properties?: dss.kv.RulesRecord.$Properties): dss.kv.RulesRecord;

            /**
             * Encodes the specified RulesRecord message. Does not implicitly {@link dss.kv.RulesRecord.verify|verify} messages.
             * @param message RulesRecord message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.kv.RulesRecord.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a RulesRecord message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.kv.RulesRecord & dss.kv.RulesRecord.$Shape} RulesRecord
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.kv.RulesRecord & dss.kv.RulesRecord.$Shape;
        }

        namespace RulesRecord {

            /** Properties of a RulesRecord. */
            interface $Properties {

                /** RulesRecord format */
                format?: number;

                /** RulesRecord version */
                version?: number;

                /** of the settings that they come from */
                revision?: number;

                /** RulesRecord rules */
                rules?: dss.kv.RetentionRule.$Properties[];

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a RulesRecord. */
            type $Shape = dss.kv.RulesRecord.$Properties;
        }

        /**
         * Properties of a ChecksumRecord.
         * @deprecated Use dss.kv.ChecksumRecord.$Properties instead.
         */
        interface IChecksumRecord extends dss.kv.ChecksumRecord.$Properties {
        }

        /** Log entry at which every replica digests what a reader could see of some slots, `from` up to and without `to`. */
        class ChecksumRecord {

            /**
             * Constructs a new ChecksumRecord.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.kv.ChecksumRecord.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ChecksumRecord format. */
            format: number;

            /** ChecksumRecord version. */
            version: number;

            /** by which the leader that proposed it knows it again */
            id: number;

            /** ChecksumRecord from. */
            from: number;

            /** ChecksumRecord to. */
            to: number;

            /**
             * Creates a new ChecksumRecord instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ChecksumRecord instance
             */
            static create(properties: dss.kv.ChecksumRecord.$Shape): dss.kv.ChecksumRecord & dss.kv.ChecksumRecord.$Shape;
            static create(properties?: dss.kv.ChecksumRecord.$Properties): dss.kv.ChecksumRecord;

            /**
             * Encodes the specified ChecksumRecord message. Does not implicitly {@link dss.kv.ChecksumRecord.verify|verify} messages.
             * @param message ChecksumRecord message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.kv.ChecksumRecord.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ChecksumRecord message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.kv.ChecksumRecord & dss.kv.ChecksumRecord.$Shape} ChecksumRecord
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.kv.ChecksumRecord & dss.kv.ChecksumRecord.$Shape;
        }

        namespace ChecksumRecord {

            /** Properties of a ChecksumRecord. */
            interface $Properties {

                /** ChecksumRecord format */
                format?: number;

                /** ChecksumRecord version */
                version?: number;

                /** by which the leader that proposed it knows it again */
                id?: number;

                /** ChecksumRecord from */
                from?: number;

                /** ChecksumRecord to */
                to?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ChecksumRecord. */
            type $Shape = dss.kv.ChecksumRecord.$Properties;
        }

        /**
         * Properties of a WatermarkRecord.
         * @deprecated Use dss.kv.WatermarkRecord.$Properties instead.
         */
        interface IWatermarkRecord extends dss.kv.WatermarkRecord.$Properties {
        }

        /** Log entry that lets history go (DESIGN §5, history watermark). */
        class WatermarkRecord {

            /**
             * Constructs a new WatermarkRecord.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.kv.WatermarkRecord.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** WatermarkRecord format. */
            format: number;

            /** WatermarkRecord version. */
            version: number;

            /** WatermarkRecord cutoffs. */
            cutoffs: dss.kv.Cutoff[];

            /** every value that expired before is settled */
            expiryFloor: number;

            /**
             * Creates a new WatermarkRecord instance using the specified properties.
             * @param [properties] Properties to set
             * @returns WatermarkRecord instance
             */
            static create(properties: dss.kv.WatermarkRecord.$Shape): dss.kv.WatermarkRecord & dss.kv.WatermarkRecord.$Shape;
            static create(properties?: dss.kv.WatermarkRecord.$Properties): dss.kv.WatermarkRecord;

            /**
             * Encodes the specified WatermarkRecord message. Does not implicitly {@link dss.kv.WatermarkRecord.verify|verify} messages.
             * @param message WatermarkRecord message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.kv.WatermarkRecord.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a WatermarkRecord message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.kv.WatermarkRecord & dss.kv.WatermarkRecord.$Shape} WatermarkRecord
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.kv.WatermarkRecord & dss.kv.WatermarkRecord.$Shape;
        }

        namespace WatermarkRecord {

            /** Properties of a WatermarkRecord. */
            interface $Properties {

                /** WatermarkRecord format */
                format?: number;

                /** WatermarkRecord version */
                version?: number;

                /** WatermarkRecord cutoffs */
                cutoffs?: dss.kv.Cutoff.$Properties[];

                /** every value that expired before is settled */
                expiryFloor?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a WatermarkRecord. */
            type $Shape = dss.kv.WatermarkRecord.$Properties;
        }

        /**
         * Properties of a Cutoff.
         * @deprecated Use dss.kv.Cutoff.$Properties instead.
         */
        interface ICutoff extends dss.kv.Cutoff.$Properties {
        }

        /** What may be dropped of the keys below a prefix. */
        class Cutoff {

            /**
             * Constructs a new Cutoff.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.kv.Cutoff.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Cutoff prefix. */
            prefix: string;

            /** earlier values, in version units, but never the newest */
            time: number;

            /** tombstones before it, also when they are the newest */
            tombstoneTime: number;

            /** not in a WatermarkRecord */
            counts: dss.kv.CountLimit[];

            /**
             * Creates a new Cutoff instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Cutoff instance
             */
            static create(properties: dss.kv.Cutoff.$Shape): dss.kv.Cutoff & dss.kv.Cutoff.$Shape;
            static create(properties?: dss.kv.Cutoff.$Properties): dss.kv.Cutoff;

            /**
             * Encodes the specified Cutoff message. Does not implicitly {@link dss.kv.Cutoff.verify|verify} messages.
             * @param message Cutoff message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.kv.Cutoff.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Cutoff message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.kv.Cutoff & dss.kv.Cutoff.$Shape} Cutoff
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.kv.Cutoff & dss.kv.Cutoff.$Shape;
        }

        namespace Cutoff {

            /** Properties of a Cutoff. */
            interface $Properties {

                /** Cutoff prefix */
                prefix?: string;

                /** earlier values, in version units, but never the newest */
                time?: number;

                /** tombstones before it, also when they are the newest */
                tombstoneTime?: number;

                /** not in a WatermarkRecord */
                counts?: dss.kv.CountLimit.$Properties[];

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Cutoff. */
            type $Shape = dss.kv.Cutoff.$Properties;
        }

        /**
         * Properties of a CountLimit.
         * @deprecated Use dss.kv.CountLimit.$Properties instead.
         */
        interface ICountLimit extends dss.kv.CountLimit.$Properties {
        }

        /** Of the values up to this version all but the newest `count` of a key may go. */
        class CountLimit {

            /**
             * Constructs a new CountLimit.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.kv.CountLimit.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** CountLimit upToVersion. */
            upToVersion: number;

            /** CountLimit count. */
            count: number;

            /**
             * Creates a new CountLimit instance using the specified properties.
             * @param [properties] Properties to set
             * @returns CountLimit instance
             */
            static create(properties: dss.kv.CountLimit.$Shape): dss.kv.CountLimit & dss.kv.CountLimit.$Shape;
            static create(properties?: dss.kv.CountLimit.$Properties): dss.kv.CountLimit;

            /**
             * Encodes the specified CountLimit message. Does not implicitly {@link dss.kv.CountLimit.verify|verify} messages.
             * @param message CountLimit message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.kv.CountLimit.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a CountLimit message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.kv.CountLimit & dss.kv.CountLimit.$Shape} CountLimit
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.kv.CountLimit & dss.kv.CountLimit.$Shape;
        }

        namespace CountLimit {

            /** Properties of a CountLimit. */
            interface $Properties {

                /** CountLimit upToVersion */
                upToVersion?: number;

                /** CountLimit count */
                count?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a CountLimit. */
            type $Shape = dss.kv.CountLimit.$Properties;
        }

        /**
         * Properties of a RetentionState.
         * @deprecated Use dss.kv.RetentionState.$Properties instead.
         */
        interface IRetentionState extends dss.kv.RetentionState.$Properties {
        }

        /** What a shard's log has said about retention so far. */
        class RetentionState {

            /**
             * Constructs a new RetentionState.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.kv.RetentionState.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** RetentionState revision. */
            revision: number;

            /** RetentionState rules. */
            rules: dss.kv.RetentionRule[];

            /** RetentionState cutoffs. */
            cutoffs: dss.kv.Cutoff[];

            /** RetentionState expiryFloor. */
            expiryFloor: number;

            /**
             * Creates a new RetentionState instance using the specified properties.
             * @param [properties] Properties to set
             * @returns RetentionState instance
             */
            static create(properties: dss.kv.RetentionState.$Shape): dss.kv.RetentionState & dss.kv.RetentionState.$Shape;
            static create(properties?: dss.kv.RetentionState.$Properties): dss.kv.RetentionState;

            /**
             * Encodes the specified RetentionState message. Does not implicitly {@link dss.kv.RetentionState.verify|verify} messages.
             * @param message RetentionState message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.kv.RetentionState.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a RetentionState message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.kv.RetentionState & dss.kv.RetentionState.$Shape} RetentionState
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.kv.RetentionState & dss.kv.RetentionState.$Shape;
        }

        namespace RetentionState {

            /** Properties of a RetentionState. */
            interface $Properties {

                /** RetentionState revision */
                revision?: number;

                /** RetentionState rules */
                rules?: dss.kv.RetentionRule.$Properties[];

                /** RetentionState cutoffs */
                cutoffs?: dss.kv.Cutoff.$Properties[];

                /** RetentionState expiryFloor */
                expiryFloor?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a RetentionState. */
            type $Shape = dss.kv.RetentionState.$Properties;
        }

        /**
         * Properties of a GroupPosition.
         * @deprecated Use dss.kv.GroupPosition.$Properties instead.
         */
        interface IGroupPosition extends dss.kv.GroupPosition.$Properties {
        }

        /** A group's state machine as of an applied index: stored with a flush, and later in snapshots. */
        class GroupPosition {

            /**
             * Constructs a new GroupPosition.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.kv.GroupPosition.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** GroupPosition group. */
            group: number;

            /** GroupPosition replicaId. */
            replicaId: number;

            /** GroupPosition appliedIndex. */
            appliedIndex: number;

            /** GroupPosition appliedTerm. */
            appliedTerm: number;

            /** GroupPosition configuration. */
            configuration: dss.kv.GroupConfiguration;

            /** GroupPosition highestVersion. */
            highestVersion: number;

            /** GroupPosition streams. */
            streams: dss.kv.Stream[];

            /** of a shard */
            retention: dss.kv.RetentionState;

            /** of the meta group */
            settings: dss.kv.Settings;

            /** of the newest snapshot installed: what the log holds up to here is void */
            snapshotIndex: number;

            /**
             * Creates a new GroupPosition instance using the specified properties.
             * @param [properties] Properties to set
             * @returns GroupPosition instance
             */
            static create(properties: dss.kv.GroupPosition.$Shape): dss.kv.GroupPosition & dss.kv.GroupPosition.$Shape;
            static create(properties?: dss.kv.GroupPosition.$Properties): dss.kv.GroupPosition;

            /**
             * Encodes the specified GroupPosition message. Does not implicitly {@link dss.kv.GroupPosition.verify|verify} messages.
             * @param message GroupPosition message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.kv.GroupPosition.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a GroupPosition message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.kv.GroupPosition & dss.kv.GroupPosition.$Shape} GroupPosition
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.kv.GroupPosition & dss.kv.GroupPosition.$Shape;
        }

        namespace GroupPosition {

            /** Properties of a GroupPosition. */
            interface $Properties {

                /** GroupPosition group */
                group?: number;

                /** GroupPosition replicaId */
                replicaId?: number;

                /** GroupPosition appliedIndex */
                appliedIndex?: number;

                /** GroupPosition appliedTerm */
                appliedTerm?: number;

                /** GroupPosition configuration */
                configuration?: dss.kv.GroupConfiguration.$Properties;

                /** GroupPosition highestVersion */
                highestVersion?: number;

                /** GroupPosition streams */
                streams?: dss.kv.Stream.$Properties[];

                /** of a shard */
                retention?: dss.kv.RetentionState.$Properties;

                /** of the meta group */
                settings?: dss.kv.Settings.$Properties;

                /** of the newest snapshot installed: what the log holds up to here is void */
                snapshotIndex?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a GroupPosition. */
            type $Shape = dss.kv.GroupPosition.$Properties;
        }

        /**
         * Properties of a Stream.
         * @deprecated Use dss.kv.Stream.$Properties instead.
         */
        interface IStream extends dss.kv.Stream.$Properties {
        }

        /** The last batch applied of one origin's numbered stream (DESIGN §5, Forwarding). */
        class Stream {

            /**
             * Constructs a new Stream.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.kv.Stream.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Stream node. */
            node: string;

            /** Stream startCounter. */
            startCounter: number;

            /** Stream number. */
            number: number;

            /**
             * Creates a new Stream instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Stream instance
             */
            static create(properties: dss.kv.Stream.$Shape): dss.kv.Stream & dss.kv.Stream.$Shape;
            static create(properties?: dss.kv.Stream.$Properties): dss.kv.Stream;

            /**
             * Encodes the specified Stream message. Does not implicitly {@link dss.kv.Stream.verify|verify} messages.
             * @param message Stream message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.kv.Stream.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Stream message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.kv.Stream & dss.kv.Stream.$Shape} Stream
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.kv.Stream & dss.kv.Stream.$Shape;
        }

        namespace Stream {

            /** Properties of a Stream. */
            interface $Properties {

                /** Stream node */
                node?: string;

                /** Stream startCounter */
                startCounter?: number;

                /** Stream number */
                number?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Stream. */
            type $Shape = dss.kv.Stream.$Properties;
        }

        /**
         * Properties of a GroupPositions.
         * @deprecated Use dss.kv.GroupPositions.$Properties instead.
         */
        interface IGroupPositions extends dss.kv.GroupPositions.$Properties {
        }

        /** Represents a GroupPositions. */
        class GroupPositions {

            /**
             * Constructs a new GroupPositions.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.kv.GroupPositions.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** GroupPositions format. */
            format: number;

            /** GroupPositions groups. */
            groups: dss.kv.GroupPosition[];

            /**
             * Creates a new GroupPositions instance using the specified properties.
             * @param [properties] Properties to set
             * @returns GroupPositions instance
             */
            static create(properties: dss.kv.GroupPositions.$Shape): dss.kv.GroupPositions & dss.kv.GroupPositions.$Shape;
            static create(properties?: dss.kv.GroupPositions.$Properties): dss.kv.GroupPositions;

            /**
             * Encodes the specified GroupPositions message. Does not implicitly {@link dss.kv.GroupPositions.verify|verify} messages.
             * @param message GroupPositions message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.kv.GroupPositions.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a GroupPositions message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.kv.GroupPositions & dss.kv.GroupPositions.$Shape} GroupPositions
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.kv.GroupPositions & dss.kv.GroupPositions.$Shape;
        }

        namespace GroupPositions {

            /** Properties of a GroupPositions. */
            interface $Properties {

                /** GroupPositions format */
                format?: number;

                /** GroupPositions groups */
                groups?: dss.kv.GroupPosition.$Properties[];

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a GroupPositions. */
            type $Shape = dss.kv.GroupPositions.$Properties;
        }

        /**
         * Properties of a DeviceBatch.
         * @deprecated Use dss.kv.DeviceBatch.$Properties instead.
         */
        interface IDeviceBatch extends dss.kv.DeviceBatch.$Properties {
        }

        /**
         * What a device or gateway publishes to dss/batch[/<prefix>] instead of JSON. `format` stands first, so that
         * the first byte (0x08) tells it from JSON.
         */
        class DeviceBatch {

            /**
             * Constructs a new DeviceBatch.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.kv.DeviceBatch.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** 1 */
            format: number;

            /** DeviceBatch readings. */
            readings: dss.kv.Reading[];

            /**
             * Creates a new DeviceBatch instance using the specified properties.
             * @param [properties] Properties to set
             * @returns DeviceBatch instance
             */
            static create(properties: dss.kv.DeviceBatch.$Shape): dss.kv.DeviceBatch & dss.kv.DeviceBatch.$Shape;
            static create(properties?: dss.kv.DeviceBatch.$Properties): dss.kv.DeviceBatch;

            /**
             * Encodes the specified DeviceBatch message. Does not implicitly {@link dss.kv.DeviceBatch.verify|verify} messages.
             * @param message DeviceBatch message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.kv.DeviceBatch.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a DeviceBatch message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.kv.DeviceBatch & dss.kv.DeviceBatch.$Shape} DeviceBatch
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.kv.DeviceBatch & dss.kv.DeviceBatch.$Shape;
        }

        namespace DeviceBatch {

            /** Properties of a DeviceBatch. */
            interface $Properties {

                /** 1 */
                format?: number;

                /** DeviceBatch readings */
                readings?: dss.kv.Reading.$Properties[];

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a DeviceBatch. */
            type $Shape = dss.kv.DeviceBatch.$Properties;
        }

        /**
         * Properties of a Reading.
         * @deprecated Use dss.kv.Reading.$Properties instead.
         */
        interface IReading extends dss.kv.Reading.$Properties {
        }

        /** Represents a Reading. */
        class Reading {

            /**
             * Constructs a new Reading.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.kv.Reading.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** relative to the prefix in the topic */
            key: string;

            /** empty deletes */
            value: Uint8Array;

            /** event time, milliseconds since 1970; 0: none */
            timeMs: number;

            /**
             * Creates a new Reading instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Reading instance
             */
            static create(properties: dss.kv.Reading.$Shape): dss.kv.Reading & dss.kv.Reading.$Shape;
            static create(properties?: dss.kv.Reading.$Properties): dss.kv.Reading;

            /**
             * Encodes the specified Reading message. Does not implicitly {@link dss.kv.Reading.verify|verify} messages.
             * @param message Reading message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.kv.Reading.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Reading message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.kv.Reading & dss.kv.Reading.$Shape} Reading
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.kv.Reading & dss.kv.Reading.$Shape;
        }

        namespace Reading {

            /** Properties of a Reading. */
            interface $Properties {

                /** relative to the prefix in the topic */
                key?: string;

                /** empty deletes */
                value?: Uint8Array;

                /** event time, milliseconds since 1970; 0: none */
                timeMs?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Reading. */
            type $Shape = dss.kv.Reading.$Properties;
        }
    }

    /** Namespace cluster. */
    namespace cluster {

        /**
         * Properties of a Heartbeat.
         * @deprecated Use dss.cluster.Heartbeat.$Properties instead.
         */
        interface IHeartbeat extends dss.cluster.Heartbeat.$Properties {
        }

        /** Represents a Heartbeat. */
        class Heartbeat {

            /**
             * Constructs a new Heartbeat.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.Heartbeat.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Heartbeat format. */
            format: number;

            /** Heartbeat node. */
            node: string;

            /** Heartbeat startCounter. */
            startCounter: number;

            /** Heartbeat syncedRound. */
            syncedRound: number;

            /** wall clock of the sender */
            clockMs: number;

            /** Heartbeat mqttAddress. */
            mqttAddress: string;

            /** Heartbeat httpAddress. */
            httpAddress: string;

            /** 'joining' | 'active' | 'leaving' */
            state: string;

            /** Heartbeat memoryBytes. */
            memoryBytes: number;

            /** Heartbeat diskUsedBytes. */
            diskUsedBytes: number;

            /** Heartbeat diskTotalBytes. */
            diskTotalBytes: number;

            /** not used yet: event-loop utilisation, 0..1 */
            load: number;

            /** the groups that the sender leads now */
            leads: dss.cluster.Lead[];

            /** Heartbeat suspectReplicas. */
            suspectReplicas: number;

            /** Heartbeat name. */
            name: string;

            /** of the settings that the sender knows; who knows older ones asks for them */
            settingsRevision: number;

            /** log and tables */
            storageUsedBytes: number;

            /** the sender's budget for them; 0: none */
            storageMaxBytes: number;

            /** over budget, and no history is left to drop: puts are refused */
            storageFull: boolean;

            /** Heartbeat suspects. */
            suspects: dss.cluster.SuspectReplica[];

            /** nodes that the sender could not hear for a while, and does now */
            heardAgain: string[];

            /** the sources and sinks that the sender could hold */
            links: dss.cluster.LinkReport[];

            /** of DSS */
            version: string;

            /** of the sender's process */
            uptimeMs: number;

            /** of clients, of any kind, in the last seconds */
            publishesPerSecond: number;

            /** put and delete, of them */
            putsPerSecond: number;

            /** from put received to committed, in the last ten seconds; 0: there was none */
            commitP99Ms: number;

            /** how late the sender's event loop was in the last ten to twenty seconds */
            loopDelayP99Ms: number;

            /** what the sender's process may use; 0: no limit is known */
            memoryMaxBytes: number;

            /** open at the sender's broker, clients and nodes alike */
            connections: number;

            /** that fire at the sender, and that nobody else can know of */
            alerts: dss.cluster.AlertReport[];

            /** the sender could tell somebody of alerts */
            reachesWebhook: boolean;

            /**
             * Creates a new Heartbeat instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Heartbeat instance
             */
            static create(properties: dss.cluster.Heartbeat.$Shape): dss.cluster.Heartbeat & dss.cluster.Heartbeat.$Shape;
            static create(properties?: dss.cluster.Heartbeat.$Properties): dss.cluster.Heartbeat;

            /**
             * Encodes the specified Heartbeat message. Does not implicitly {@link dss.cluster.Heartbeat.verify|verify} messages.
             * @param message Heartbeat message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.Heartbeat.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Heartbeat message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.Heartbeat & dss.cluster.Heartbeat.$Shape} Heartbeat
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.Heartbeat & dss.cluster.Heartbeat.$Shape;
        }

        namespace Heartbeat {

            /** Properties of a Heartbeat. */
            interface $Properties {

                /** Heartbeat format */
                format?: number;

                /** Heartbeat node */
                node?: string;

                /** Heartbeat startCounter */
                startCounter?: number;

                /** Heartbeat syncedRound */
                syncedRound?: number;

                /** wall clock of the sender */
                clockMs?: number;

                /** Heartbeat mqttAddress */
                mqttAddress?: string;

                /** Heartbeat httpAddress */
                httpAddress?: string;

                /** 'joining' | 'active' | 'leaving' */
                state?: string;

                /** Heartbeat memoryBytes */
                memoryBytes?: number;

                /** Heartbeat diskUsedBytes */
                diskUsedBytes?: number;

                /** Heartbeat diskTotalBytes */
                diskTotalBytes?: number;

                /** not used yet: event-loop utilisation, 0..1 */
                load?: number;

                /** the groups that the sender leads now */
                leads?: dss.cluster.Lead.$Properties[];

                /** Heartbeat suspectReplicas */
                suspectReplicas?: number;

                /** Heartbeat name */
                name?: string;

                /** of the settings that the sender knows; who knows older ones asks for them */
                settingsRevision?: number;

                /** log and tables */
                storageUsedBytes?: number;

                /** the sender's budget for them; 0: none */
                storageMaxBytes?: number;

                /** over budget, and no history is left to drop: puts are refused */
                storageFull?: boolean;

                /** Heartbeat suspects */
                suspects?: dss.cluster.SuspectReplica.$Properties[];

                /** nodes that the sender could not hear for a while, and does now */
                heardAgain?: string[];

                /** the sources and sinks that the sender could hold */
                links?: dss.cluster.LinkReport.$Properties[];

                /** of DSS */
                version?: string;

                /** of the sender's process */
                uptimeMs?: number;

                /** of clients, of any kind, in the last seconds */
                publishesPerSecond?: number;

                /** put and delete, of them */
                putsPerSecond?: number;

                /** from put received to committed, in the last ten seconds; 0: there was none */
                commitP99Ms?: number;

                /** how late the sender's event loop was in the last ten to twenty seconds */
                loopDelayP99Ms?: number;

                /** what the sender's process may use; 0: no limit is known */
                memoryMaxBytes?: number;

                /** open at the sender's broker, clients and nodes alike */
                connections?: number;

                /** that fire at the sender, and that nobody else can know of */
                alerts?: dss.cluster.AlertReport.$Properties[];

                /** the sender could tell somebody of alerts */
                reachesWebhook?: boolean;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Heartbeat. */
            type $Shape = dss.cluster.Heartbeat.$Properties;
        }

        /**
         * Properties of a LinkReport.
         * @deprecated Use dss.cluster.LinkReport.$Properties instead.
         */
        interface ILinkReport extends dss.cluster.LinkReport.$Properties {
        }

        /** A source or sink beside another broker, as one node sees it. */
        class LinkReport {

            /**
             * Constructs a new LinkReport.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.LinkReport.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** LinkReport name. */
            name: string;

            /** 'source' | 'sink' */
            kind: string;

            /** LinkReport url. */
            url: string;

            /** LinkReport connected. */
            connected: boolean;

            /** taken from the other broker, or acknowledged by it, since the sender started */
            messages: number;

            /** taken, but no rule made a value of them; or refused by the other broker */
            ignored: number;

            /** why it is not connected; empty: no reason is known */
            error: string;

            /**
             * Creates a new LinkReport instance using the specified properties.
             * @param [properties] Properties to set
             * @returns LinkReport instance
             */
            static create(properties: dss.cluster.LinkReport.$Shape): dss.cluster.LinkReport & dss.cluster.LinkReport.$Shape;
            static create(properties?: dss.cluster.LinkReport.$Properties): dss.cluster.LinkReport;

            /**
             * Encodes the specified LinkReport message. Does not implicitly {@link dss.cluster.LinkReport.verify|verify} messages.
             * @param message LinkReport message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.LinkReport.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a LinkReport message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.LinkReport & dss.cluster.LinkReport.$Shape} LinkReport
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.LinkReport & dss.cluster.LinkReport.$Shape;
        }

        namespace LinkReport {

            /** Properties of a LinkReport. */
            interface $Properties {

                /** LinkReport name */
                name?: string;

                /** 'source' | 'sink' */
                kind?: string;

                /** LinkReport url */
                url?: string;

                /** LinkReport connected */
                connected?: boolean;

                /** taken from the other broker, or acknowledged by it, since the sender started */
                messages?: number;

                /** taken, but no rule made a value of them; or refused by the other broker */
                ignored?: number;

                /** why it is not connected; empty: no reason is known */
                error?: string;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a LinkReport. */
            type $Shape = dss.cluster.LinkReport.$Properties;
        }

        /**
         * Properties of an AlertReport.
         * @deprecated Use dss.cluster.AlertReport.$Properties instead.
         */
        interface IAlertReport extends dss.cluster.AlertReport.$Properties {
        }

        /** An alert as the node that has found it tells it. */
        class AlertReport {

            /**
             * Constructs a new AlertReport.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.AlertReport.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** AlertReport rule. */
            rule: string;

            /** AlertReport subject. */
            subject: string;

            /** AlertReport sinceMs. */
            sinceMs: number;

            /** AlertReport message. */
            message: string;

            /**
             * Creates a new AlertReport instance using the specified properties.
             * @param [properties] Properties to set
             * @returns AlertReport instance
             */
            static create(properties: dss.cluster.AlertReport.$Shape): dss.cluster.AlertReport & dss.cluster.AlertReport.$Shape;
            static create(properties?: dss.cluster.AlertReport.$Properties): dss.cluster.AlertReport;

            /**
             * Encodes the specified AlertReport message. Does not implicitly {@link dss.cluster.AlertReport.verify|verify} messages.
             * @param message AlertReport message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.AlertReport.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an AlertReport message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.AlertReport & dss.cluster.AlertReport.$Shape} AlertReport
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.AlertReport & dss.cluster.AlertReport.$Shape;
        }

        namespace AlertReport {

            /** Properties of an AlertReport. */
            interface $Properties {

                /** AlertReport rule */
                rule?: string;

                /** AlertReport subject */
                subject?: string;

                /** AlertReport sinceMs */
                sinceMs?: number;

                /** AlertReport message */
                message?: string;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of an AlertReport. */
            type $Shape = dss.cluster.AlertReport.$Properties;
        }

        /**
         * Properties of a Lead.
         * @deprecated Use dss.cluster.Lead.$Properties instead.
         */
        interface ILead extends dss.cluster.Lead.$Properties {
        }

        /** One row of the map by which nodes route: a report, not the truth (DESIGN §5, Who are the replicas). */
        class Lead {

            /**
             * Constructs a new Lead.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.Lead.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Lead group. */
            group: number;

            /** Lead term. */
            term: number;

            /** of the configuration below */
            configurationIndex: number;

            /** Lead replicas. */
            replicas: dss.cluster.ReplicaReport[];

            /** of the group's tables, estimated */
            bytes: number;

            /** whose id is lower and who is not in `replicas` is gone for ever, */
            nextReplicaId: number;

            /** if the configuration is */
            committed: boolean;

            /**
             * Creates a new Lead instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Lead instance
             */
            static create(properties: dss.cluster.Lead.$Shape): dss.cluster.Lead & dss.cluster.Lead.$Shape;
            static create(properties?: dss.cluster.Lead.$Properties): dss.cluster.Lead;

            /**
             * Encodes the specified Lead message. Does not implicitly {@link dss.cluster.Lead.verify|verify} messages.
             * @param message Lead message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.Lead.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Lead message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.Lead & dss.cluster.Lead.$Shape} Lead
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.Lead & dss.cluster.Lead.$Shape;
        }

        namespace Lead {

            /** Properties of a Lead. */
            interface $Properties {

                /** Lead group */
                group?: number;

                /** Lead term */
                term?: number;

                /** of the configuration below */
                configurationIndex?: number;

                /** Lead replicas */
                replicas?: dss.cluster.ReplicaReport.$Properties[];

                /** of the group's tables, estimated */
                bytes?: number;

                /** whose id is lower and who is not in `replicas` is gone for ever, */
                nextReplicaId?: number;

                /** if the configuration is */
                committed?: boolean;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Lead. */
            type $Shape = dss.cluster.Lead.$Properties;
        }

        /** ReplicaRole enum. */
        enum ReplicaRole {

            /** REPLICA_ROLE_UNSPECIFIED value */
            REPLICA_ROLE_UNSPECIFIED = 0,

            /** VOTER value */
            VOTER = 1,

            /** a voter of the configuration that is being left, and of that alone */
            OUTGOING = 2,

            /** LEARNER value */
            LEARNER = 3
        }

        /**
         * Properties of a ReplicaReport.
         * @deprecated Use dss.cluster.ReplicaReport.$Properties instead.
         */
        interface IReplicaReport extends dss.cluster.ReplicaReport.$Properties {
        }

        /** One replica as its leader sees it. */
        class ReplicaReport {

            /**
             * Constructs a new ReplicaReport.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.ReplicaReport.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ReplicaReport replicaId. */
            replicaId: number;

            /** ReplicaReport node. */
            node: string;

            /** ReplicaReport role. */
            role: dss.cluster.ReplicaRole;

            /** has, or nearly has, all that is committed */
            caughtUp: boolean;

            /** a snapshot is on its way to it */
            installing: boolean;

            /**
             * Creates a new ReplicaReport instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ReplicaReport instance
             */
            static create(properties: dss.cluster.ReplicaReport.$Shape): dss.cluster.ReplicaReport & dss.cluster.ReplicaReport.$Shape;
            static create(properties?: dss.cluster.ReplicaReport.$Properties): dss.cluster.ReplicaReport;

            /**
             * Encodes the specified ReplicaReport message. Does not implicitly {@link dss.cluster.ReplicaReport.verify|verify} messages.
             * @param message ReplicaReport message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.ReplicaReport.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ReplicaReport message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.ReplicaReport & dss.cluster.ReplicaReport.$Shape} ReplicaReport
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.ReplicaReport & dss.cluster.ReplicaReport.$Shape;
        }

        namespace ReplicaReport {

            /** Properties of a ReplicaReport. */
            interface $Properties {

                /** ReplicaReport replicaId */
                replicaId?: number;

                /** ReplicaReport node */
                node?: string;

                /** ReplicaReport role */
                role?: dss.cluster.ReplicaRole;

                /** has, or nearly has, all that is committed */
                caughtUp?: boolean;

                /** a snapshot is on its way to it */
                installing?: boolean;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ReplicaReport. */
            type $Shape = dss.cluster.ReplicaReport.$Properties;
        }

        /**
         * Properties of a MapRow.
         * @deprecated Use dss.cluster.MapRow.$Properties instead.
         */
        interface IMapRow extends dss.cluster.MapRow.$Properties {
        }

        /** What a node knows of a group by which it routes. Goes with every refusal, so that one redirect is enough. */
        class MapRow {

            /**
             * Constructs a new MapRow.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.MapRow.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** empty: it was told of none */
            leaderNode: string;

            /** MapRow leaderTerm. */
            leaderTerm: number;

            /** of the replicas below */
            configurationIndex: number;

            /** of the leader that reported them; 0: they are those of the genesis */
            configurationTerm: number;

            /** MapRow replicas. */
            replicas: dss.cluster.ReplicaReport[];

            /**
             * Creates a new MapRow instance using the specified properties.
             * @param [properties] Properties to set
             * @returns MapRow instance
             */
            static create(properties: dss.cluster.MapRow.$Shape): dss.cluster.MapRow & dss.cluster.MapRow.$Shape;
            static create(properties?: dss.cluster.MapRow.$Properties): dss.cluster.MapRow;

            /**
             * Encodes the specified MapRow message. Does not implicitly {@link dss.cluster.MapRow.verify|verify} messages.
             * @param message MapRow message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.MapRow.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a MapRow message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.MapRow & dss.cluster.MapRow.$Shape} MapRow
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.MapRow & dss.cluster.MapRow.$Shape;
        }

        namespace MapRow {

            /** Properties of a MapRow. */
            interface $Properties {

                /** empty: it was told of none */
                leaderNode?: string;

                /** MapRow leaderTerm */
                leaderTerm?: number;

                /** of the replicas below */
                configurationIndex?: number;

                /** of the leader that reported them; 0: they are those of the genesis */
                configurationTerm?: number;

                /** MapRow replicas */
                replicas?: dss.cluster.ReplicaReport.$Properties[];

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a MapRow. */
            type $Shape = dss.cluster.MapRow.$Properties;
        }

        /**
         * Properties of a SuspectReplica.
         * @deprecated Use dss.cluster.SuspectReplica.$Properties instead.
         */
        interface ISuspectReplica extends dss.cluster.SuspectReplica.$Properties {
        }

        /** A replica that its node cannot trust: its group is to replace it. */
        class SuspectReplica {

            /**
             * Constructs a new SuspectReplica.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.SuspectReplica.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** SuspectReplica group. */
            group: number;

            /** SuspectReplica replicaId. */
            replicaId: number;

            /**
             * Creates a new SuspectReplica instance using the specified properties.
             * @param [properties] Properties to set
             * @returns SuspectReplica instance
             */
            static create(properties: dss.cluster.SuspectReplica.$Shape): dss.cluster.SuspectReplica & dss.cluster.SuspectReplica.$Shape;
            static create(properties?: dss.cluster.SuspectReplica.$Properties): dss.cluster.SuspectReplica;

            /**
             * Encodes the specified SuspectReplica message. Does not implicitly {@link dss.cluster.SuspectReplica.verify|verify} messages.
             * @param message SuspectReplica message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.SuspectReplica.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a SuspectReplica message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.SuspectReplica & dss.cluster.SuspectReplica.$Shape} SuspectReplica
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.SuspectReplica & dss.cluster.SuspectReplica.$Shape;
        }

        namespace SuspectReplica {

            /** Properties of a SuspectReplica. */
            interface $Properties {

                /** SuspectReplica group */
                group?: number;

                /** SuspectReplica replicaId */
                replicaId?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a SuspectReplica. */
            type $Shape = dss.cluster.SuspectReplica.$Properties;
        }

        /**
         * Properties of a RpcEnvelope.
         * @deprecated Use dss.cluster.RpcEnvelope.$Properties instead.
         */
        interface IRpcEnvelope extends dss.cluster.RpcEnvelope.$Properties {
        }

        /** Represents a RpcEnvelope. */
        class RpcEnvelope {

            /**
             * Constructs a new RpcEnvelope.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.RpcEnvelope.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** RpcEnvelope format. */
            format: number;

            /** RpcEnvelope fromNode. */
            fromNode: string;

            /** RpcEnvelope startCounter. */
            startCounter: number;

            /** RpcEnvelope syncedRound. */
            syncedRound: number;

            /** RpcEnvelope calls. */
            calls: dss.cluster.Rpc[];

            /**
             * Creates a new RpcEnvelope instance using the specified properties.
             * @param [properties] Properties to set
             * @returns RpcEnvelope instance
             */
            static create(properties: dss.cluster.RpcEnvelope.$Shape): dss.cluster.RpcEnvelope & dss.cluster.RpcEnvelope.$Shape;
            static create(properties?: dss.cluster.RpcEnvelope.$Properties): dss.cluster.RpcEnvelope;

            /**
             * Encodes the specified RpcEnvelope message. Does not implicitly {@link dss.cluster.RpcEnvelope.verify|verify} messages.
             * @param message RpcEnvelope message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.RpcEnvelope.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a RpcEnvelope message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.RpcEnvelope & dss.cluster.RpcEnvelope.$Shape} RpcEnvelope
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.RpcEnvelope & dss.cluster.RpcEnvelope.$Shape;
        }

        namespace RpcEnvelope {

            /** Properties of a RpcEnvelope. */
            interface $Properties {

                /** RpcEnvelope format */
                format?: number;

                /** RpcEnvelope fromNode */
                fromNode?: string;

                /** RpcEnvelope startCounter */
                startCounter?: number;

                /** RpcEnvelope syncedRound */
                syncedRound?: number;

                /** RpcEnvelope calls */
                calls?: dss.cluster.Rpc.$Properties[];

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a RpcEnvelope. */
            type $Shape = {
              format?: number;
              fromNode?: string;
              startCounter?: number;
              syncedRound?: number;
              calls?: dss.cluster.Rpc.$Shape[];
              $unknowns?: Uint8Array[];
            };
        }

        /**
         * Properties of a Rpc.
         * @deprecated Use dss.cluster.Rpc.$Properties instead.
         */
        interface IRpc extends dss.cluster.Rpc.$Properties {
        }

        /** A call carries an id that its replies repeat. A one-way message has id 0. */
        class Rpc {

            /**
             * Constructs a new Rpc.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.Rpc.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Rpc id. */
            id: number;

            /** Rpc forwardRequest. */
            forwardRequest: (dss.cluster.ForwardRequest|null);

            /** Rpc forwardReply. */
            forwardReply: (dss.cluster.ForwardReply|null);

            /** Rpc readRequest. */
            readRequest: (dss.cluster.ReadRequest|null);

            /** Rpc readReply. */
            readReply: (dss.cluster.ReadReply|null);

            /** Rpc watchOpen. */
            watchOpen: (dss.cluster.WatchOpen|null);

            /** Rpc watchEvents. */
            watchEvents: (dss.cluster.WatchEvents|null);

            /** Rpc watchCredit. */
            watchCredit: (dss.cluster.WatchCredit|null);

            /** Rpc watchClose. */
            watchClose: (dss.cluster.WatchClose|null);

            /** Rpc hello. */
            hello: (dss.cluster.Hello|null);

            /** Rpc helloReply. */
            helloReply: (dss.cluster.HelloReply|null);

            /** Rpc genesis. */
            genesis: (dss.cluster.Genesis|null);

            /** Rpc genesisReply. */
            genesisReply: (dss.cluster.GenesisReply|null);

            /** Rpc settingsRequest. */
            settingsRequest: (dss.cluster.SettingsRequest|null);

            /** Rpc settingsReply. */
            settingsReply: (dss.cluster.SettingsReply|null);

            /** Rpc joinRequest. */
            joinRequest: (dss.cluster.JoinRequest|null);

            /** Rpc joinReply. */
            joinReply: (dss.cluster.JoinReply|null);

            /** Rpc configurationRequest. */
            configurationRequest: (dss.cluster.ConfigurationRequest|null);

            /** Rpc configurationReply. */
            configurationReply: (dss.cluster.ConfigurationReply|null);

            /** Rpc snapshotBegin. */
            snapshotBegin: (dss.cluster.SnapshotBegin|null);

            /** Rpc snapshotBlocks. */
            snapshotBlocks: (dss.cluster.SnapshotBlocks|null);

            /** Rpc snapshotReply. */
            snapshotReply: (dss.cluster.SnapshotReply|null);

            /** Rpc balanceRequest. */
            balanceRequest: (dss.cluster.BalanceRequest|null);

            /** Rpc balanceReply. */
            balanceReply: (dss.cluster.BalanceReply|null);

            /** Rpc checksumQuery. */
            checksumQuery: (dss.cluster.ChecksumQuery|null);

            /** Rpc checksumReport. */
            checksumReport: (dss.cluster.ChecksumReport|null);

            /** Rpc distrust. */
            distrust: (dss.cluster.Distrust|null);

            /** Rpc verifyRequest. */
            verifyRequest: (dss.cluster.VerifyRequest|null);

            /** Rpc verifyReply. */
            verifyReply: (dss.cluster.VerifyReply|null);

            /** Rpc spareRequest. */
            spareRequest: (dss.cluster.SpareRequest|null);

            /** Rpc spareReply. */
            spareReply: (dss.cluster.SpareReply|null);

            /** Rpc takeOver. */
            takeOver: (dss.cluster.TakeOver|null);

            /** Rpc takeOverReply. */
            takeOverReply: (dss.cluster.TakeOverReply|null);

            /** Rpc sessionHint. */
            sessionHint: (dss.cluster.SessionHint|null);

            /** Rpc sessionHintReply. */
            sessionHintReply: (dss.cluster.SessionHintReply|null);

            /** Rpc body. */
            body?: ("forwardRequest"|"forwardReply"|"readRequest"|"readReply"|"watchOpen"|"watchEvents"|"watchCredit"|"watchClose"|"hello"|"helloReply"|"genesis"|"genesisReply"|"settingsRequest"|"settingsReply"|"joinRequest"|"joinReply"|"configurationRequest"|"configurationReply"|"snapshotBegin"|"snapshotBlocks"|"snapshotReply"|"balanceRequest"|"balanceReply"|"checksumQuery"|"checksumReport"|"distrust"|"verifyRequest"|"verifyReply"|"spareRequest"|"spareReply"|"takeOver"|"takeOverReply"|"sessionHint"|"sessionHintReply");

            /**
             * Creates a new Rpc instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Rpc instance
             */
            static create(properties: dss.cluster.Rpc.$Shape): dss.cluster.Rpc & dss.cluster.Rpc.$Shape;
            static create(properties?: dss.cluster.Rpc.$Properties): dss.cluster.Rpc;

            /**
             * Encodes the specified Rpc message. Does not implicitly {@link dss.cluster.Rpc.verify|verify} messages.
             * @param message Rpc message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.Rpc.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Rpc message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.Rpc & dss.cluster.Rpc.$Shape} Rpc
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.Rpc & dss.cluster.Rpc.$Shape;
        }

        namespace Rpc {

            /** Properties of a Rpc. */
            interface $Properties {

                /** Rpc id */
                id?: number;

                /** Rpc forwardRequest */
                forwardRequest?: (dss.cluster.ForwardRequest.$Properties|null);

                /** Rpc forwardReply */
                forwardReply?: (dss.cluster.ForwardReply.$Properties|null);

                /** Rpc readRequest */
                readRequest?: (dss.cluster.ReadRequest.$Properties|null);

                /** Rpc readReply */
                readReply?: (dss.cluster.ReadReply.$Properties|null);

                /** Rpc watchOpen */
                watchOpen?: (dss.cluster.WatchOpen.$Properties|null);

                /** Rpc watchEvents */
                watchEvents?: (dss.cluster.WatchEvents.$Properties|null);

                /** Rpc watchCredit */
                watchCredit?: (dss.cluster.WatchCredit.$Properties|null);

                /** Rpc watchClose */
                watchClose?: (dss.cluster.WatchClose.$Properties|null);

                /** Rpc hello */
                hello?: (dss.cluster.Hello.$Properties|null);

                /** Rpc helloReply */
                helloReply?: (dss.cluster.HelloReply.$Properties|null);

                /** Rpc genesis */
                genesis?: (dss.cluster.Genesis.$Properties|null);

                /** Rpc genesisReply */
                genesisReply?: (dss.cluster.GenesisReply.$Properties|null);

                /** Rpc settingsRequest */
                settingsRequest?: (dss.cluster.SettingsRequest.$Properties|null);

                /** Rpc settingsReply */
                settingsReply?: (dss.cluster.SettingsReply.$Properties|null);

                /** Rpc joinRequest */
                joinRequest?: (dss.cluster.JoinRequest.$Properties|null);

                /** Rpc joinReply */
                joinReply?: (dss.cluster.JoinReply.$Properties|null);

                /** Rpc configurationRequest */
                configurationRequest?: (dss.cluster.ConfigurationRequest.$Properties|null);

                /** Rpc configurationReply */
                configurationReply?: (dss.cluster.ConfigurationReply.$Properties|null);

                /** Rpc snapshotBegin */
                snapshotBegin?: (dss.cluster.SnapshotBegin.$Properties|null);

                /** Rpc snapshotBlocks */
                snapshotBlocks?: (dss.cluster.SnapshotBlocks.$Properties|null);

                /** Rpc snapshotReply */
                snapshotReply?: (dss.cluster.SnapshotReply.$Properties|null);

                /** Rpc balanceRequest */
                balanceRequest?: (dss.cluster.BalanceRequest.$Properties|null);

                /** Rpc balanceReply */
                balanceReply?: (dss.cluster.BalanceReply.$Properties|null);

                /** Rpc checksumQuery */
                checksumQuery?: (dss.cluster.ChecksumQuery.$Properties|null);

                /** Rpc checksumReport */
                checksumReport?: (dss.cluster.ChecksumReport.$Properties|null);

                /** Rpc distrust */
                distrust?: (dss.cluster.Distrust.$Properties|null);

                /** Rpc verifyRequest */
                verifyRequest?: (dss.cluster.VerifyRequest.$Properties|null);

                /** Rpc verifyReply */
                verifyReply?: (dss.cluster.VerifyReply.$Properties|null);

                /** Rpc spareRequest */
                spareRequest?: (dss.cluster.SpareRequest.$Properties|null);

                /** Rpc spareReply */
                spareReply?: (dss.cluster.SpareReply.$Properties|null);

                /** Rpc takeOver */
                takeOver?: (dss.cluster.TakeOver.$Properties|null);

                /** Rpc takeOverReply */
                takeOverReply?: (dss.cluster.TakeOverReply.$Properties|null);

                /** Rpc sessionHint */
                sessionHint?: (dss.cluster.SessionHint.$Properties|null);

                /** Rpc sessionHintReply */
                sessionHintReply?: (dss.cluster.SessionHintReply.$Properties|null);

                /** Rpc body */
                body?: ("forwardRequest"|"forwardReply"|"readRequest"|"readReply"|"watchOpen"|"watchEvents"|"watchCredit"|"watchClose"|"hello"|"helloReply"|"genesis"|"genesisReply"|"settingsRequest"|"settingsReply"|"joinRequest"|"joinReply"|"configurationRequest"|"configurationReply"|"snapshotBegin"|"snapshotBlocks"|"snapshotReply"|"balanceRequest"|"balanceReply"|"checksumQuery"|"checksumReport"|"distrust"|"verifyRequest"|"verifyReply"|"spareRequest"|"spareReply"|"takeOver"|"takeOverReply"|"sessionHint"|"sessionHintReply");

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Narrowed shape of a Rpc. */
            type $Shape = {
              id?: number;
              forwardRequest?: dss.cluster.ForwardRequest.$Shape|null;
              forwardReply?: dss.cluster.ForwardReply.$Shape|null;
              readRequest?: dss.cluster.ReadRequest.$Shape|null;
              readReply?: dss.cluster.ReadReply.$Shape|null;
              watchOpen?: dss.cluster.WatchOpen.$Shape|null;
              watchEvents?: dss.cluster.WatchEvents.$Shape|null;
              watchCredit?: dss.cluster.WatchCredit.$Shape|null;
              watchClose?: dss.cluster.WatchClose.$Shape|null;
              hello?: dss.cluster.Hello.$Shape|null;
              helloReply?: dss.cluster.HelloReply.$Shape|null;
              genesis?: dss.cluster.Genesis.$Shape|null;
              genesisReply?: dss.cluster.GenesisReply.$Shape|null;
              settingsRequest?: dss.cluster.SettingsRequest.$Shape|null;
              settingsReply?: dss.cluster.SettingsReply.$Shape|null;
              joinRequest?: dss.cluster.JoinRequest.$Shape|null;
              joinReply?: dss.cluster.JoinReply.$Shape|null;
              configurationRequest?: dss.cluster.ConfigurationRequest.$Shape|null;
              configurationReply?: dss.cluster.ConfigurationReply.$Shape|null;
              snapshotBegin?: dss.cluster.SnapshotBegin.$Shape|null;
              snapshotBlocks?: dss.cluster.SnapshotBlocks.$Shape|null;
              snapshotReply?: dss.cluster.SnapshotReply.$Shape|null;
              balanceRequest?: dss.cluster.BalanceRequest.$Shape|null;
              balanceReply?: dss.cluster.BalanceReply.$Shape|null;
              checksumQuery?: dss.cluster.ChecksumQuery.$Shape|null;
              checksumReport?: dss.cluster.ChecksumReport.$Shape|null;
              distrust?: dss.cluster.Distrust.$Shape|null;
              verifyRequest?: dss.cluster.VerifyRequest.$Shape|null;
              verifyReply?: dss.cluster.VerifyReply.$Shape|null;
              spareRequest?: dss.cluster.SpareRequest.$Shape|null;
              spareReply?: dss.cluster.SpareReply.$Shape|null;
              takeOver?: dss.cluster.TakeOver.$Shape|null;
              takeOverReply?: dss.cluster.TakeOverReply.$Shape|null;
              sessionHint?: dss.cluster.SessionHint.$Shape|null;
              sessionHintReply?: dss.cluster.SessionHintReply.$Shape|null;
              $unknowns?: Uint8Array[];
            } & (
              ({ body?: undefined; forwardRequest?: null; forwardReply?: null; readRequest?: null; readReply?: null; watchOpen?: null; watchEvents?: null; watchCredit?: null; watchClose?: null; hello?: null; helloReply?: null; genesis?: null; genesisReply?: null; settingsRequest?: null; settingsReply?: null; joinRequest?: null; joinReply?: null; configurationRequest?: null; configurationReply?: null; snapshotBegin?: null; snapshotBlocks?: null; snapshotReply?: null; balanceRequest?: null; balanceReply?: null; checksumQuery?: null; checksumReport?: null; distrust?: null; verifyRequest?: null; verifyReply?: null; spareRequest?: null; spareReply?: null; takeOver?: null; takeOverReply?: null; sessionHint?: null; sessionHintReply?: null }|{ body?: "forwardRequest"; forwardRequest: dss.cluster.ForwardRequest.$Shape; forwardReply?: null; readRequest?: null; readReply?: null; watchOpen?: null; watchEvents?: null; watchCredit?: null; watchClose?: null; hello?: null; helloReply?: null; genesis?: null; genesisReply?: null; settingsRequest?: null; settingsReply?: null; joinRequest?: null; joinReply?: null; configurationRequest?: null; configurationReply?: null; snapshotBegin?: null; snapshotBlocks?: null; snapshotReply?: null; balanceRequest?: null; balanceReply?: null; checksumQuery?: null; checksumReport?: null; distrust?: null; verifyRequest?: null; verifyReply?: null; spareRequest?: null; spareReply?: null; takeOver?: null; takeOverReply?: null; sessionHint?: null; sessionHintReply?: null }|{ body?: "forwardReply"; forwardRequest?: null; forwardReply: dss.cluster.ForwardReply.$Shape; readRequest?: null; readReply?: null; watchOpen?: null; watchEvents?: null; watchCredit?: null; watchClose?: null; hello?: null; helloReply?: null; genesis?: null; genesisReply?: null; settingsRequest?: null; settingsReply?: null; joinRequest?: null; joinReply?: null; configurationRequest?: null; configurationReply?: null; snapshotBegin?: null; snapshotBlocks?: null; snapshotReply?: null; balanceRequest?: null; balanceReply?: null; checksumQuery?: null; checksumReport?: null; distrust?: null; verifyRequest?: null; verifyReply?: null; spareRequest?: null; spareReply?: null; takeOver?: null; takeOverReply?: null; sessionHint?: null; sessionHintReply?: null }|{ body?: "readRequest"; forwardRequest?: null; forwardReply?: null; readRequest: dss.cluster.ReadRequest.$Shape; readReply?: null; watchOpen?: null; watchEvents?: null; watchCredit?: null; watchClose?: null; hello?: null; helloReply?: null; genesis?: null; genesisReply?: null; settingsRequest?: null; settingsReply?: null; joinRequest?: null; joinReply?: null; configurationRequest?: null; configurationReply?: null; snapshotBegin?: null; snapshotBlocks?: null; snapshotReply?: null; balanceRequest?: null; balanceReply?: null; checksumQuery?: null; checksumReport?: null; distrust?: null; verifyRequest?: null; verifyReply?: null; spareRequest?: null; spareReply?: null; takeOver?: null; takeOverReply?: null; sessionHint?: null; sessionHintReply?: null }|{ body?: "readReply"; forwardRequest?: null; forwardReply?: null; readRequest?: null; readReply: dss.cluster.ReadReply.$Shape; watchOpen?: null; watchEvents?: null; watchCredit?: null; watchClose?: null; hello?: null; helloReply?: null; genesis?: null; genesisReply?: null; settingsRequest?: null; settingsReply?: null; joinRequest?: null; joinReply?: null; configurationRequest?: null; configurationReply?: null; snapshotBegin?: null; snapshotBlocks?: null; snapshotReply?: null; balanceRequest?: null; balanceReply?: null; checksumQuery?: null; checksumReport?: null; distrust?: null; verifyRequest?: null; verifyReply?: null; spareRequest?: null; spareReply?: null; takeOver?: null; takeOverReply?: null; sessionHint?: null; sessionHintReply?: null }|{ body?: "watchOpen"; forwardRequest?: null; forwardReply?: null; readRequest?: null; readReply?: null; watchOpen: dss.cluster.WatchOpen.$Shape; watchEvents?: null; watchCredit?: null; watchClose?: null; hello?: null; helloReply?: null; genesis?: null; genesisReply?: null; settingsRequest?: null; settingsReply?: null; joinRequest?: null; joinReply?: null; configurationRequest?: null; configurationReply?: null; snapshotBegin?: null; snapshotBlocks?: null; snapshotReply?: null; balanceRequest?: null; balanceReply?: null; checksumQuery?: null; checksumReport?: null; distrust?: null; verifyRequest?: null; verifyReply?: null; spareRequest?: null; spareReply?: null; takeOver?: null; takeOverReply?: null; sessionHint?: null; sessionHintReply?: null }|{ body?: "watchEvents"; forwardRequest?: null; forwardReply?: null; readRequest?: null; readReply?: null; watchOpen?: null; watchEvents: dss.cluster.WatchEvents.$Shape; watchCredit?: null; watchClose?: null; hello?: null; helloReply?: null; genesis?: null; genesisReply?: null; settingsRequest?: null; settingsReply?: null; joinRequest?: null; joinReply?: null; configurationRequest?: null; configurationReply?: null; snapshotBegin?: null; snapshotBlocks?: null; snapshotReply?: null; balanceRequest?: null; balanceReply?: null; checksumQuery?: null; checksumReport?: null; distrust?: null; verifyRequest?: null; verifyReply?: null; spareRequest?: null; spareReply?: null; takeOver?: null; takeOverReply?: null; sessionHint?: null; sessionHintReply?: null }|{ body?: "watchCredit"; forwardRequest?: null; forwardReply?: null; readRequest?: null; readReply?: null; watchOpen?: null; watchEvents?: null; watchCredit: dss.cluster.WatchCredit.$Shape; watchClose?: null; hello?: null; helloReply?: null; genesis?: null; genesisReply?: null; settingsRequest?: null; settingsReply?: null; joinRequest?: null; joinReply?: null; configurationRequest?: null; configurationReply?: null; snapshotBegin?: null; snapshotBlocks?: null; snapshotReply?: null; balanceRequest?: null; balanceReply?: null; checksumQuery?: null; checksumReport?: null; distrust?: null; verifyRequest?: null; verifyReply?: null; spareRequest?: null; spareReply?: null; takeOver?: null; takeOverReply?: null; sessionHint?: null; sessionHintReply?: null }|{ body?: "watchClose"; forwardRequest?: null; forwardReply?: null; readRequest?: null; readReply?: null; watchOpen?: null; watchEvents?: null; watchCredit?: null; watchClose: dss.cluster.WatchClose.$Shape; hello?: null; helloReply?: null; genesis?: null; genesisReply?: null; settingsRequest?: null; settingsReply?: null; joinRequest?: null; joinReply?: null; configurationRequest?: null; configurationReply?: null; snapshotBegin?: null; snapshotBlocks?: null; snapshotReply?: null; balanceRequest?: null; balanceReply?: null; checksumQuery?: null; checksumReport?: null; distrust?: null; verifyRequest?: null; verifyReply?: null; spareRequest?: null; spareReply?: null; takeOver?: null; takeOverReply?: null; sessionHint?: null; sessionHintReply?: null }|{ body?: "hello"; forwardRequest?: null; forwardReply?: null; readRequest?: null; readReply?: null; watchOpen?: null; watchEvents?: null; watchCredit?: null; watchClose?: null; hello: dss.cluster.Hello.$Shape; helloReply?: null; genesis?: null; genesisReply?: null; settingsRequest?: null; settingsReply?: null; joinRequest?: null; joinReply?: null; configurationRequest?: null; configurationReply?: null; snapshotBegin?: null; snapshotBlocks?: null; snapshotReply?: null; balanceRequest?: null; balanceReply?: null; checksumQuery?: null; checksumReport?: null; distrust?: null; verifyRequest?: null; verifyReply?: null; spareRequest?: null; spareReply?: null; takeOver?: null; takeOverReply?: null; sessionHint?: null; sessionHintReply?: null }|{ body?: "helloReply"; forwardRequest?: null; forwardReply?: null; readRequest?: null; readReply?: null; watchOpen?: null; watchEvents?: null; watchCredit?: null; watchClose?: null; hello?: null; helloReply: dss.cluster.HelloReply.$Shape; genesis?: null; genesisReply?: null; settingsRequest?: null; settingsReply?: null; joinRequest?: null; joinReply?: null; configurationRequest?: null; configurationReply?: null; snapshotBegin?: null; snapshotBlocks?: null; snapshotReply?: null; balanceRequest?: null; balanceReply?: null; checksumQuery?: null; checksumReport?: null; distrust?: null; verifyRequest?: null; verifyReply?: null; spareRequest?: null; spareReply?: null; takeOver?: null; takeOverReply?: null; sessionHint?: null; sessionHintReply?: null }|{ body?: "genesis"; forwardRequest?: null; forwardReply?: null; readRequest?: null; readReply?: null; watchOpen?: null; watchEvents?: null; watchCredit?: null; watchClose?: null; hello?: null; helloReply?: null; genesis: dss.cluster.Genesis.$Shape; genesisReply?: null; settingsRequest?: null; settingsReply?: null; joinRequest?: null; joinReply?: null; configurationRequest?: null; configurationReply?: null; snapshotBegin?: null; snapshotBlocks?: null; snapshotReply?: null; balanceRequest?: null; balanceReply?: null; checksumQuery?: null; checksumReport?: null; distrust?: null; verifyRequest?: null; verifyReply?: null; spareRequest?: null; spareReply?: null; takeOver?: null; takeOverReply?: null; sessionHint?: null; sessionHintReply?: null }|{ body?: "genesisReply"; forwardRequest?: null; forwardReply?: null; readRequest?: null; readReply?: null; watchOpen?: null; watchEvents?: null; watchCredit?: null; watchClose?: null; hello?: null; helloReply?: null; genesis?: null; genesisReply: dss.cluster.GenesisReply.$Shape; settingsRequest?: null; settingsReply?: null; joinRequest?: null; joinReply?: null; configurationRequest?: null; configurationReply?: null; snapshotBegin?: null; snapshotBlocks?: null; snapshotReply?: null; balanceRequest?: null; balanceReply?: null; checksumQuery?: null; checksumReport?: null; distrust?: null; verifyRequest?: null; verifyReply?: null; spareRequest?: null; spareReply?: null; takeOver?: null; takeOverReply?: null; sessionHint?: null; sessionHintReply?: null }|{ body?: "settingsRequest"; forwardRequest?: null; forwardReply?: null; readRequest?: null; readReply?: null; watchOpen?: null; watchEvents?: null; watchCredit?: null; watchClose?: null; hello?: null; helloReply?: null; genesis?: null; genesisReply?: null; settingsRequest: dss.cluster.SettingsRequest.$Shape; settingsReply?: null; joinRequest?: null; joinReply?: null; configurationRequest?: null; configurationReply?: null; snapshotBegin?: null; snapshotBlocks?: null; snapshotReply?: null; balanceRequest?: null; balanceReply?: null; checksumQuery?: null; checksumReport?: null; distrust?: null; verifyRequest?: null; verifyReply?: null; spareRequest?: null; spareReply?: null; takeOver?: null; takeOverReply?: null; sessionHint?: null; sessionHintReply?: null }|{ body?: "settingsReply"; forwardRequest?: null; forwardReply?: null; readRequest?: null; readReply?: null; watchOpen?: null; watchEvents?: null; watchCredit?: null; watchClose?: null; hello?: null; helloReply?: null; genesis?: null; genesisReply?: null; settingsRequest?: null; settingsReply: dss.cluster.SettingsReply.$Shape; joinRequest?: null; joinReply?: null; configurationRequest?: null; configurationReply?: null; snapshotBegin?: null; snapshotBlocks?: null; snapshotReply?: null; balanceRequest?: null; balanceReply?: null; checksumQuery?: null; checksumReport?: null; distrust?: null; verifyRequest?: null; verifyReply?: null; spareRequest?: null; spareReply?: null; takeOver?: null; takeOverReply?: null; sessionHint?: null; sessionHintReply?: null }|{ body?: "joinRequest"; forwardRequest?: null; forwardReply?: null; readRequest?: null; readReply?: null; watchOpen?: null; watchEvents?: null; watchCredit?: null; watchClose?: null; hello?: null; helloReply?: null; genesis?: null; genesisReply?: null; settingsRequest?: null; settingsReply?: null; joinRequest: dss.cluster.JoinRequest.$Shape; joinReply?: null; configurationRequest?: null; configurationReply?: null; snapshotBegin?: null; snapshotBlocks?: null; snapshotReply?: null; balanceRequest?: null; balanceReply?: null; checksumQuery?: null; checksumReport?: null; distrust?: null; verifyRequest?: null; verifyReply?: null; spareRequest?: null; spareReply?: null; takeOver?: null; takeOverReply?: null; sessionHint?: null; sessionHintReply?: null }|{ body?: "joinReply"; forwardRequest?: null; forwardReply?: null; readRequest?: null; readReply?: null; watchOpen?: null; watchEvents?: null; watchCredit?: null; watchClose?: null; hello?: null; helloReply?: null; genesis?: null; genesisReply?: null; settingsRequest?: null; settingsReply?: null; joinRequest?: null; joinReply: dss.cluster.JoinReply.$Shape; configurationRequest?: null; configurationReply?: null; snapshotBegin?: null; snapshotBlocks?: null; snapshotReply?: null; balanceRequest?: null; balanceReply?: null; checksumQuery?: null; checksumReport?: null; distrust?: null; verifyRequest?: null; verifyReply?: null; spareRequest?: null; spareReply?: null; takeOver?: null; takeOverReply?: null; sessionHint?: null; sessionHintReply?: null }|{ body?: "configurationRequest"; forwardRequest?: null; forwardReply?: null; readRequest?: null; readReply?: null; watchOpen?: null; watchEvents?: null; watchCredit?: null; watchClose?: null; hello?: null; helloReply?: null; genesis?: null; genesisReply?: null; settingsRequest?: null; settingsReply?: null; joinRequest?: null; joinReply?: null; configurationRequest: dss.cluster.ConfigurationRequest.$Shape; configurationReply?: null; snapshotBegin?: null; snapshotBlocks?: null; snapshotReply?: null; balanceRequest?: null; balanceReply?: null; checksumQuery?: null; checksumReport?: null; distrust?: null; verifyRequest?: null; verifyReply?: null; spareRequest?: null; spareReply?: null; takeOver?: null; takeOverReply?: null; sessionHint?: null; sessionHintReply?: null }|{ body?: "configurationReply"; forwardRequest?: null; forwardReply?: null; readRequest?: null; readReply?: null; watchOpen?: null; watchEvents?: null; watchCredit?: null; watchClose?: null; hello?: null; helloReply?: null; genesis?: null; genesisReply?: null; settingsRequest?: null; settingsReply?: null; joinRequest?: null; joinReply?: null; configurationRequest?: null; configurationReply: dss.cluster.ConfigurationReply.$Shape; snapshotBegin?: null; snapshotBlocks?: null; snapshotReply?: null; balanceRequest?: null; balanceReply?: null; checksumQuery?: null; checksumReport?: null; distrust?: null; verifyRequest?: null; verifyReply?: null; spareRequest?: null; spareReply?: null; takeOver?: null; takeOverReply?: null; sessionHint?: null; sessionHintReply?: null }|{ body?: "snapshotBegin"; forwardRequest?: null; forwardReply?: null; readRequest?: null; readReply?: null; watchOpen?: null; watchEvents?: null; watchCredit?: null; watchClose?: null; hello?: null; helloReply?: null; genesis?: null; genesisReply?: null; settingsRequest?: null; settingsReply?: null; joinRequest?: null; joinReply?: null; configurationRequest?: null; configurationReply?: null; snapshotBegin: dss.cluster.SnapshotBegin.$Shape; snapshotBlocks?: null; snapshotReply?: null; balanceRequest?: null; balanceReply?: null; checksumQuery?: null; checksumReport?: null; distrust?: null; verifyRequest?: null; verifyReply?: null; spareRequest?: null; spareReply?: null; takeOver?: null; takeOverReply?: null; sessionHint?: null; sessionHintReply?: null }|{ body?: "snapshotBlocks"; forwardRequest?: null; forwardReply?: null; readRequest?: null; readReply?: null; watchOpen?: null; watchEvents?: null; watchCredit?: null; watchClose?: null; hello?: null; helloReply?: null; genesis?: null; genesisReply?: null; settingsRequest?: null; settingsReply?: null; joinRequest?: null; joinReply?: null; configurationRequest?: null; configurationReply?: null; snapshotBegin?: null; snapshotBlocks: dss.cluster.SnapshotBlocks.$Shape; snapshotReply?: null; balanceRequest?: null; balanceReply?: null; checksumQuery?: null; checksumReport?: null; distrust?: null; verifyRequest?: null; verifyReply?: null; spareRequest?: null; spareReply?: null; takeOver?: null; takeOverReply?: null; sessionHint?: null; sessionHintReply?: null }|{ body?: "snapshotReply"; forwardRequest?: null; forwardReply?: null; readRequest?: null; readReply?: null; watchOpen?: null; watchEvents?: null; watchCredit?: null; watchClose?: null; hello?: null; helloReply?: null; genesis?: null; genesisReply?: null; settingsRequest?: null; settingsReply?: null; joinRequest?: null; joinReply?: null; configurationRequest?: null; configurationReply?: null; snapshotBegin?: null; snapshotBlocks?: null; snapshotReply: dss.cluster.SnapshotReply.$Shape; balanceRequest?: null; balanceReply?: null; checksumQuery?: null; checksumReport?: null; distrust?: null; verifyRequest?: null; verifyReply?: null; spareRequest?: null; spareReply?: null; takeOver?: null; takeOverReply?: null; sessionHint?: null; sessionHintReply?: null }|{ body?: "balanceRequest"; forwardRequest?: null; forwardReply?: null; readRequest?: null; readReply?: null; watchOpen?: null; watchEvents?: null; watchCredit?: null; watchClose?: null; hello?: null; helloReply?: null; genesis?: null; genesisReply?: null; settingsRequest?: null; settingsReply?: null; joinRequest?: null; joinReply?: null; configurationRequest?: null; configurationReply?: null; snapshotBegin?: null; snapshotBlocks?: null; snapshotReply?: null; balanceRequest: dss.cluster.BalanceRequest.$Shape; balanceReply?: null; checksumQuery?: null; checksumReport?: null; distrust?: null; verifyRequest?: null; verifyReply?: null; spareRequest?: null; spareReply?: null; takeOver?: null; takeOverReply?: null; sessionHint?: null; sessionHintReply?: null }|{ body?: "balanceReply"; forwardRequest?: null; forwardReply?: null; readRequest?: null; readReply?: null; watchOpen?: null; watchEvents?: null; watchCredit?: null; watchClose?: null; hello?: null; helloReply?: null; genesis?: null; genesisReply?: null; settingsRequest?: null; settingsReply?: null; joinRequest?: null; joinReply?: null; configurationRequest?: null; configurationReply?: null; snapshotBegin?: null; snapshotBlocks?: null; snapshotReply?: null; balanceRequest?: null; balanceReply: dss.cluster.BalanceReply.$Shape; checksumQuery?: null; checksumReport?: null; distrust?: null; verifyRequest?: null; verifyReply?: null; spareRequest?: null; spareReply?: null; takeOver?: null; takeOverReply?: null; sessionHint?: null; sessionHintReply?: null }|{ body?: "checksumQuery"; forwardRequest?: null; forwardReply?: null; readRequest?: null; readReply?: null; watchOpen?: null; watchEvents?: null; watchCredit?: null; watchClose?: null; hello?: null; helloReply?: null; genesis?: null; genesisReply?: null; settingsRequest?: null; settingsReply?: null; joinRequest?: null; joinReply?: null; configurationRequest?: null; configurationReply?: null; snapshotBegin?: null; snapshotBlocks?: null; snapshotReply?: null; balanceRequest?: null; balanceReply?: null; checksumQuery: dss.cluster.ChecksumQuery.$Shape; checksumReport?: null; distrust?: null; verifyRequest?: null; verifyReply?: null; spareRequest?: null; spareReply?: null; takeOver?: null; takeOverReply?: null; sessionHint?: null; sessionHintReply?: null }|{ body?: "checksumReport"; forwardRequest?: null; forwardReply?: null; readRequest?: null; readReply?: null; watchOpen?: null; watchEvents?: null; watchCredit?: null; watchClose?: null; hello?: null; helloReply?: null; genesis?: null; genesisReply?: null; settingsRequest?: null; settingsReply?: null; joinRequest?: null; joinReply?: null; configurationRequest?: null; configurationReply?: null; snapshotBegin?: null; snapshotBlocks?: null; snapshotReply?: null; balanceRequest?: null; balanceReply?: null; checksumQuery?: null; checksumReport: dss.cluster.ChecksumReport.$Shape; distrust?: null; verifyRequest?: null; verifyReply?: null; spareRequest?: null; spareReply?: null; takeOver?: null; takeOverReply?: null; sessionHint?: null; sessionHintReply?: null }|{ body?: "distrust"; forwardRequest?: null; forwardReply?: null; readRequest?: null; readReply?: null; watchOpen?: null; watchEvents?: null; watchCredit?: null; watchClose?: null; hello?: null; helloReply?: null; genesis?: null; genesisReply?: null; settingsRequest?: null; settingsReply?: null; joinRequest?: null; joinReply?: null; configurationRequest?: null; configurationReply?: null; snapshotBegin?: null; snapshotBlocks?: null; snapshotReply?: null; balanceRequest?: null; balanceReply?: null; checksumQuery?: null; checksumReport?: null; distrust: dss.cluster.Distrust.$Shape; verifyRequest?: null; verifyReply?: null; spareRequest?: null; spareReply?: null; takeOver?: null; takeOverReply?: null; sessionHint?: null; sessionHintReply?: null }|{ body?: "verifyRequest"; forwardRequest?: null; forwardReply?: null; readRequest?: null; readReply?: null; watchOpen?: null; watchEvents?: null; watchCredit?: null; watchClose?: null; hello?: null; helloReply?: null; genesis?: null; genesisReply?: null; settingsRequest?: null; settingsReply?: null; joinRequest?: null; joinReply?: null; configurationRequest?: null; configurationReply?: null; snapshotBegin?: null; snapshotBlocks?: null; snapshotReply?: null; balanceRequest?: null; balanceReply?: null; checksumQuery?: null; checksumReport?: null; distrust?: null; verifyRequest: dss.cluster.VerifyRequest.$Shape; verifyReply?: null; spareRequest?: null; spareReply?: null; takeOver?: null; takeOverReply?: null; sessionHint?: null; sessionHintReply?: null }|{ body?: "verifyReply"; forwardRequest?: null; forwardReply?: null; readRequest?: null; readReply?: null; watchOpen?: null; watchEvents?: null; watchCredit?: null; watchClose?: null; hello?: null; helloReply?: null; genesis?: null; genesisReply?: null; settingsRequest?: null; settingsReply?: null; joinRequest?: null; joinReply?: null; configurationRequest?: null; configurationReply?: null; snapshotBegin?: null; snapshotBlocks?: null; snapshotReply?: null; balanceRequest?: null; balanceReply?: null; checksumQuery?: null; checksumReport?: null; distrust?: null; verifyRequest?: null; verifyReply: dss.cluster.VerifyReply.$Shape; spareRequest?: null; spareReply?: null; takeOver?: null; takeOverReply?: null; sessionHint?: null; sessionHintReply?: null }|{ body?: "spareRequest"; forwardRequest?: null; forwardReply?: null; readRequest?: null; readReply?: null; watchOpen?: null; watchEvents?: null; watchCredit?: null; watchClose?: null; hello?: null; helloReply?: null; genesis?: null; genesisReply?: null; settingsRequest?: null; settingsReply?: null; joinRequest?: null; joinReply?: null; configurationRequest?: null; configurationReply?: null; snapshotBegin?: null; snapshotBlocks?: null; snapshotReply?: null; balanceRequest?: null; balanceReply?: null; checksumQuery?: null; checksumReport?: null; distrust?: null; verifyRequest?: null; verifyReply?: null; spareRequest: dss.cluster.SpareRequest.$Shape; spareReply?: null; takeOver?: null; takeOverReply?: null; sessionHint?: null; sessionHintReply?: null }|{ body?: "spareReply"; forwardRequest?: null; forwardReply?: null; readRequest?: null; readReply?: null; watchOpen?: null; watchEvents?: null; watchCredit?: null; watchClose?: null; hello?: null; helloReply?: null; genesis?: null; genesisReply?: null; settingsRequest?: null; settingsReply?: null; joinRequest?: null; joinReply?: null; configurationRequest?: null; configurationReply?: null; snapshotBegin?: null; snapshotBlocks?: null; snapshotReply?: null; balanceRequest?: null; balanceReply?: null; checksumQuery?: null; checksumReport?: null; distrust?: null; verifyRequest?: null; verifyReply?: null; spareRequest?: null; spareReply: dss.cluster.SpareReply.$Shape; takeOver?: null; takeOverReply?: null; sessionHint?: null; sessionHintReply?: null }|{ body?: "takeOver"; forwardRequest?: null; forwardReply?: null; readRequest?: null; readReply?: null; watchOpen?: null; watchEvents?: null; watchCredit?: null; watchClose?: null; hello?: null; helloReply?: null; genesis?: null; genesisReply?: null; settingsRequest?: null; settingsReply?: null; joinRequest?: null; joinReply?: null; configurationRequest?: null; configurationReply?: null; snapshotBegin?: null; snapshotBlocks?: null; snapshotReply?: null; balanceRequest?: null; balanceReply?: null; checksumQuery?: null; checksumReport?: null; distrust?: null; verifyRequest?: null; verifyReply?: null; spareRequest?: null; spareReply?: null; takeOver: dss.cluster.TakeOver.$Shape; takeOverReply?: null; sessionHint?: null; sessionHintReply?: null }|{ body?: "takeOverReply"; forwardRequest?: null; forwardReply?: null; readRequest?: null; readReply?: null; watchOpen?: null; watchEvents?: null; watchCredit?: null; watchClose?: null; hello?: null; helloReply?: null; genesis?: null; genesisReply?: null; settingsRequest?: null; settingsReply?: null; joinRequest?: null; joinReply?: null; configurationRequest?: null; configurationReply?: null; snapshotBegin?: null; snapshotBlocks?: null; snapshotReply?: null; balanceRequest?: null; balanceReply?: null; checksumQuery?: null; checksumReport?: null; distrust?: null; verifyRequest?: null; verifyReply?: null; spareRequest?: null; spareReply?: null; takeOver?: null; takeOverReply: dss.cluster.TakeOverReply.$Shape; sessionHint?: null; sessionHintReply?: null }|{ body?: "sessionHint"; forwardRequest?: null; forwardReply?: null; readRequest?: null; readReply?: null; watchOpen?: null; watchEvents?: null; watchCredit?: null; watchClose?: null; hello?: null; helloReply?: null; genesis?: null; genesisReply?: null; settingsRequest?: null; settingsReply?: null; joinRequest?: null; joinReply?: null; configurationRequest?: null; configurationReply?: null; snapshotBegin?: null; snapshotBlocks?: null; snapshotReply?: null; balanceRequest?: null; balanceReply?: null; checksumQuery?: null; checksumReport?: null; distrust?: null; verifyRequest?: null; verifyReply?: null; spareRequest?: null; spareReply?: null; takeOver?: null; takeOverReply?: null; sessionHint: dss.cluster.SessionHint.$Shape; sessionHintReply?: null }|{ body?: "sessionHintReply"; forwardRequest?: null; forwardReply?: null; readRequest?: null; readReply?: null; watchOpen?: null; watchEvents?: null; watchCredit?: null; watchClose?: null; hello?: null; helloReply?: null; genesis?: null; genesisReply?: null; settingsRequest?: null; settingsReply?: null; joinRequest?: null; joinReply?: null; configurationRequest?: null; configurationReply?: null; snapshotBegin?: null; snapshotBlocks?: null; snapshotReply?: null; balanceRequest?: null; balanceReply?: null; checksumQuery?: null; checksumReport?: null; distrust?: null; verifyRequest?: null; verifyReply?: null; spareRequest?: null; spareReply?: null; takeOver?: null; takeOverReply?: null; sessionHint?: null; sessionHintReply: dss.cluster.SessionHintReply.$Shape })
            );
        }

        /**
         * Properties of a TakeOver.
         * @deprecated Use dss.cluster.TakeOver.$Properties instead.
         */
        interface ITakeOver extends dss.cluster.TakeOver.$Properties {
        }

        /** A client has connected to the asking node, and is to be nowhere else. */
        class TakeOver {

            /**
             * Constructs a new TakeOver.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.TakeOver.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** TakeOver clientId. */
            clientId: string;

            /** TakeOver user. */
            user: string;

            /** TakeOver connectedAtMs. */
            connectedAtMs: number;

            /** of the connection */
            address: string;

            /**
             * Creates a new TakeOver instance using the specified properties.
             * @param [properties] Properties to set
             * @returns TakeOver instance
             */
            static create(properties: dss.cluster.TakeOver.$Shape): dss.cluster.TakeOver & dss.cluster.TakeOver.$Shape;
            static create(properties?: dss.cluster.TakeOver.$Properties): dss.cluster.TakeOver;

            /**
             * Encodes the specified TakeOver message. Does not implicitly {@link dss.cluster.TakeOver.verify|verify} messages.
             * @param message TakeOver message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.TakeOver.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a TakeOver message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.TakeOver & dss.cluster.TakeOver.$Shape} TakeOver
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.TakeOver & dss.cluster.TakeOver.$Shape;
        }

        namespace TakeOver {

            /** Properties of a TakeOver. */
            interface $Properties {

                /** TakeOver clientId */
                clientId?: string;

                /** TakeOver user */
                user?: string;

                /** TakeOver connectedAtMs */
                connectedAtMs?: number;

                /** of the connection */
                address?: string;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a TakeOver. */
            type $Shape = dss.cluster.TakeOver.$Properties;
        }

        /**
         * Properties of a TakeOverReply.
         * @deprecated Use dss.cluster.TakeOverReply.$Properties instead.
         */
        interface ITakeOverReply extends dss.cluster.TakeOverReply.$Properties {
        }

        /** Represents a TakeOverReply. */
        class TakeOverReply {

            /**
             * Constructs a new TakeOverReply.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.TakeOverReply.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** of the connection that ended; empty: there was none */
            displacedAddress: string;

            /** the answering node has a later claim: it is the asking node that lets go */
            winner: dss.cluster.TakeOver;

            /** a client of another user is connected there under this id, and stays */
            isRefused: boolean;

            /**
             * Creates a new TakeOverReply instance using the specified properties.
             * @param [properties] Properties to set
             * @returns TakeOverReply instance
             */
            static create(properties: dss.cluster.TakeOverReply.$Shape): dss.cluster.TakeOverReply & dss.cluster.TakeOverReply.$Shape;
            static create(properties?: dss.cluster.TakeOverReply.$Properties): dss.cluster.TakeOverReply;

            /**
             * Encodes the specified TakeOverReply message. Does not implicitly {@link dss.cluster.TakeOverReply.verify|verify} messages.
             * @param message TakeOverReply message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.TakeOverReply.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a TakeOverReply message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.TakeOverReply & dss.cluster.TakeOverReply.$Shape} TakeOverReply
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.TakeOverReply & dss.cluster.TakeOverReply.$Shape;
        }

        namespace TakeOverReply {

            /** Properties of a TakeOverReply. */
            interface $Properties {

                /** of the connection that ended; empty: there was none */
                displacedAddress?: string;

                /** the answering node has a later claim: it is the asking node that lets go */
                winner?: dss.cluster.TakeOver.$Properties;

                /** a client of another user is connected there under this id, and stays */
                isRefused?: boolean;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a TakeOverReply. */
            type $Shape = dss.cluster.TakeOverReply.$Properties;
        }

        /**
         * Properties of a SessionHint.
         * @deprecated Use dss.cluster.SessionHint.$Properties instead.
         */
        interface ISessionHint extends dss.cluster.SessionHint.$Properties {
        }

        /** Something is in the queue of a session that its host may not know of. */
        class SessionHint {

            /**
             * Constructs a new SessionHint.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.SessionHint.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** SessionHint clientId. */
            clientId: string;

            /**
             * Creates a new SessionHint instance using the specified properties.
             * @param [properties] Properties to set
             * @returns SessionHint instance
             */
            static create(properties: dss.cluster.SessionHint.$Shape): dss.cluster.SessionHint & dss.cluster.SessionHint.$Shape;
            static create(properties?: dss.cluster.SessionHint.$Properties): dss.cluster.SessionHint;

            /**
             * Encodes the specified SessionHint message. Does not implicitly {@link dss.cluster.SessionHint.verify|verify} messages.
             * @param message SessionHint message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.SessionHint.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a SessionHint message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.SessionHint & dss.cluster.SessionHint.$Shape} SessionHint
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.SessionHint & dss.cluster.SessionHint.$Shape;
        }

        namespace SessionHint {

            /** Properties of a SessionHint. */
            interface $Properties {

                /** SessionHint clientId */
                clientId?: string;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a SessionHint. */
            type $Shape = dss.cluster.SessionHint.$Properties;
        }

        /**
         * Properties of a SessionHintReply.
         * @deprecated Use dss.cluster.SessionHintReply.$Properties instead.
         */
        interface ISessionHintReply extends dss.cluster.SessionHintReply.$Properties {
        }

        /** Represents a SessionHintReply. */
        class SessionHintReply {

            /**
             * Constructs a new SessionHintReply.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.SessionHintReply.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /**
             * Creates a new SessionHintReply instance using the specified properties.
             * @param [properties] Properties to set
             * @returns SessionHintReply instance
             */
            static create(properties: dss.cluster.SessionHintReply.$Shape): dss.cluster.SessionHintReply & dss.cluster.SessionHintReply.$Shape;
            static create(properties?: dss.cluster.SessionHintReply.$Properties): dss.cluster.SessionHintReply;

            /**
             * Encodes the specified SessionHintReply message. Does not implicitly {@link dss.cluster.SessionHintReply.verify|verify} messages.
             * @param message SessionHintReply message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.SessionHintReply.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a SessionHintReply message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.SessionHintReply & dss.cluster.SessionHintReply.$Shape} SessionHintReply
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.SessionHintReply & dss.cluster.SessionHintReply.$Shape;
        }

        namespace SessionHintReply {

            /** Properties of a SessionHintReply. */
            interface $Properties {

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a SessionHintReply. */
            type $Shape = dss.cluster.SessionHintReply.$Properties;
        }

        /**
         * Properties of a ConfigurationRequest.
         * @deprecated Use dss.cluster.ConfigurationRequest.$Properties instead.
         */
        interface IConfigurationRequest extends dss.cluster.ConfigurationRequest.$Properties {
        }

        /** One step of a change of who is in a group, asked of its leader; refused if the configuration is not that any more. */
        class ConfigurationRequest {

            /**
             * Constructs a new ConfigurationRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.ConfigurationRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ConfigurationRequest group. */
            group: number;

            /** as the asking node saw it */
            configurationIndex: number;

            /** nodes; none: the voters stay. Newcomers must be learners that have caught up */
            voters: string[];

            /** nodes */
            learners: string[];

            /** set: nothing changes but the leader */
            transferTo: string;

            /** `suspect` is a voter that its node cannot trust: it gets a new replica id */
            replaceSuspect: boolean;

            /** ConfigurationRequest suspect. */
            suspect: number;

            /**
             * Creates a new ConfigurationRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ConfigurationRequest instance
             */
            static create(properties: dss.cluster.ConfigurationRequest.$Shape): dss.cluster.ConfigurationRequest & dss.cluster.ConfigurationRequest.$Shape;
            static create(properties?: dss.cluster.ConfigurationRequest.$Properties): dss.cluster.ConfigurationRequest;

            /**
             * Encodes the specified ConfigurationRequest message. Does not implicitly {@link dss.cluster.ConfigurationRequest.verify|verify} messages.
             * @param message ConfigurationRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.ConfigurationRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ConfigurationRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.ConfigurationRequest & dss.cluster.ConfigurationRequest.$Shape} ConfigurationRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.ConfigurationRequest & dss.cluster.ConfigurationRequest.$Shape;
        }

        namespace ConfigurationRequest {

            /** Properties of a ConfigurationRequest. */
            interface $Properties {

                /** ConfigurationRequest group */
                group?: number;

                /** as the asking node saw it */
                configurationIndex?: number;

                /** nodes; none: the voters stay. Newcomers must be learners that have caught up */
                voters?: string[];

                /** nodes */
                learners?: string[];

                /** set: nothing changes but the leader */
                transferTo?: string;

                /** `suspect` is a voter that its node cannot trust: it gets a new replica id */
                replaceSuspect?: boolean;

                /** ConfigurationRequest suspect */
                suspect?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ConfigurationRequest. */
            type $Shape = dss.cluster.ConfigurationRequest.$Properties;
        }

        /** ConfigurationStatus enum. */
        enum ConfigurationStatus {

            /** CONFIGURATION_UNSPECIFIED value */
            CONFIGURATION_UNSPECIFIED = 0,

            /** CONFIGURATION_PROPOSED value */
            CONFIGURATION_PROPOSED = 1,

            /** CONFIGURATION_NOT_LEADER value */
            CONFIGURATION_NOT_LEADER = 2,

            /** it is another one now, or on the way to one */
            CONFIGURATION_CHANGED = 3,

            /** a newcomer has not caught up */
            CONFIGURATION_NOT_READY = 4
        }

        /**
         * Properties of a ConfigurationReply.
         * @deprecated Use dss.cluster.ConfigurationReply.$Properties instead.
         */
        interface IConfigurationReply extends dss.cluster.ConfigurationReply.$Properties {
        }

        /** Represents a ConfigurationReply. */
        class ConfigurationReply {

            /**
             * Constructs a new ConfigurationReply.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.ConfigurationReply.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ConfigurationReply status. */
            status: dss.cluster.ConfigurationStatus;

            /** ConfigurationReply leaderNode. */
            leaderNode: string;

            /** ConfigurationReply configurationIndex. */
            configurationIndex: number;

            /**
             * Creates a new ConfigurationReply instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ConfigurationReply instance
             */
            static create(properties: dss.cluster.ConfigurationReply.$Shape): dss.cluster.ConfigurationReply & dss.cluster.ConfigurationReply.$Shape;
            static create(properties?: dss.cluster.ConfigurationReply.$Properties): dss.cluster.ConfigurationReply;

            /**
             * Encodes the specified ConfigurationReply message. Does not implicitly {@link dss.cluster.ConfigurationReply.verify|verify} messages.
             * @param message ConfigurationReply message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.ConfigurationReply.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ConfigurationReply message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.ConfigurationReply & dss.cluster.ConfigurationReply.$Shape} ConfigurationReply
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.ConfigurationReply & dss.cluster.ConfigurationReply.$Shape;
        }

        namespace ConfigurationReply {

            /** Properties of a ConfigurationReply. */
            interface $Properties {

                /** ConfigurationReply status */
                status?: dss.cluster.ConfigurationStatus;

                /** ConfigurationReply leaderNode */
                leaderNode?: string;

                /** ConfigurationReply configurationIndex */
                configurationIndex?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ConfigurationReply. */
            type $Shape = dss.cluster.ConfigurationReply.$Properties;
        }

        /**
         * Properties of a BalanceRequest.
         * @deprecated Use dss.cluster.BalanceRequest.$Properties instead.
         */
        interface IBalanceRequest extends dss.cluster.BalanceRequest.$Properties {
        }

        /** Asks what the balancer of a node is doing and what it has done: nothing, unless it leads the meta group or did. */
        class BalanceRequest {

            /**
             * Constructs a new BalanceRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.BalanceRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /**
             * Creates a new BalanceRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns BalanceRequest instance
             */
            static create(properties: dss.cluster.BalanceRequest.$Shape): dss.cluster.BalanceRequest & dss.cluster.BalanceRequest.$Shape;
            static create(properties?: dss.cluster.BalanceRequest.$Properties): dss.cluster.BalanceRequest;

            /**
             * Encodes the specified BalanceRequest message. Does not implicitly {@link dss.cluster.BalanceRequest.verify|verify} messages.
             * @param message BalanceRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.BalanceRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a BalanceRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.BalanceRequest & dss.cluster.BalanceRequest.$Shape} BalanceRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.BalanceRequest & dss.cluster.BalanceRequest.$Shape;
        }

        namespace BalanceRequest {

            /** Properties of a BalanceRequest. */
            interface $Properties {

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a BalanceRequest. */
            type $Shape = dss.cluster.BalanceRequest.$Properties;
        }

        /**
         * Properties of a BalanceReply.
         * @deprecated Use dss.cluster.BalanceReply.$Properties instead.
         */
        interface IBalanceReply extends dss.cluster.BalanceReply.$Properties {
        }

        /** For people and their tools, as JSON (node/balance/report.ts). */
        class BalanceReply {

            /**
             * Constructs a new BalanceReply.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.BalanceReply.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** BalanceReply moves. */
            moves: string;

            /** BalanceReply events. */
            events: string;

            /**
             * Creates a new BalanceReply instance using the specified properties.
             * @param [properties] Properties to set
             * @returns BalanceReply instance
             */
            static create(properties: dss.cluster.BalanceReply.$Shape): dss.cluster.BalanceReply & dss.cluster.BalanceReply.$Shape;
            static create(properties?: dss.cluster.BalanceReply.$Properties): dss.cluster.BalanceReply;

            /**
             * Encodes the specified BalanceReply message. Does not implicitly {@link dss.cluster.BalanceReply.verify|verify} messages.
             * @param message BalanceReply message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.BalanceReply.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a BalanceReply message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.BalanceReply & dss.cluster.BalanceReply.$Shape} BalanceReply
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.BalanceReply & dss.cluster.BalanceReply.$Shape;
        }

        namespace BalanceReply {

            /** Properties of a BalanceReply. */
            interface $Properties {

                /** BalanceReply moves */
                moves?: string;

                /** BalanceReply events */
                events?: string;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a BalanceReply. */
            type $Shape = dss.cluster.BalanceReply.$Properties;
        }

        /**
         * Properties of a SnapshotBegin.
         * @deprecated Use dss.cluster.SnapshotBegin.$Properties instead.
         */
        interface ISnapshotBegin extends dss.cluster.SnapshotBegin.$Properties {
        }

        /** A snapshot is called out block by block, each call answered: `next_number` is what the receiver wants. */
        class SnapshotBegin {

            /**
             * Constructs a new SnapshotBegin.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.SnapshotBegin.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** SnapshotBegin group. */
            group: number;

            /** SnapshotBegin fromReplica. */
            fromReplica: number;

            /** SnapshotBegin toReplica. */
            toReplica: number;

            /** of the leader that sends it */
            term: number;

            /** the group's state machine at the snapshot */
            position: dss.kv.GroupPosition;

            /** above those that this replica has sent before */
            transfer: number;

            /**
             * Creates a new SnapshotBegin instance using the specified properties.
             * @param [properties] Properties to set
             * @returns SnapshotBegin instance
             */
            static create(properties: dss.cluster.SnapshotBegin.$Shape): dss.cluster.SnapshotBegin & dss.cluster.SnapshotBegin.$Shape;
            static create(properties?: dss.cluster.SnapshotBegin.$Properties): dss.cluster.SnapshotBegin;

            /**
             * Encodes the specified SnapshotBegin message. Does not implicitly {@link dss.cluster.SnapshotBegin.verify|verify} messages.
             * @param message SnapshotBegin message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.SnapshotBegin.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a SnapshotBegin message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.SnapshotBegin & dss.cluster.SnapshotBegin.$Shape} SnapshotBegin
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.SnapshotBegin & dss.cluster.SnapshotBegin.$Shape;
        }

        namespace SnapshotBegin {

            /** Properties of a SnapshotBegin. */
            interface $Properties {

                /** SnapshotBegin group */
                group?: number;

                /** SnapshotBegin fromReplica */
                fromReplica?: number;

                /** SnapshotBegin toReplica */
                toReplica?: number;

                /** of the leader that sends it */
                term?: number;

                /** the group's state machine at the snapshot */
                position?: dss.kv.GroupPosition.$Properties;

                /** above those that this replica has sent before */
                transfer?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a SnapshotBegin. */
            type $Shape = dss.cluster.SnapshotBegin.$Properties;
        }

        /**
         * Properties of a SnapshotBlocks.
         * @deprecated Use dss.cluster.SnapshotBlocks.$Properties instead.
         */
        interface ISnapshotBlocks extends dss.cluster.SnapshotBlocks.$Properties {
        }

        /** Represents a SnapshotBlocks. */
        class SnapshotBlocks {

            /**
             * Constructs a new SnapshotBlocks.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.SnapshotBlocks.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** SnapshotBlocks group. */
            group: number;

            /** SnapshotBlocks toReplica. */
            toReplica: number;

            /** as in SnapshotBegin */
            transfer: number;

            /** of the first of these blocks, from 0 */
            number: number;

            /** SnapshotBlocks blocks. */
            blocks: Uint8Array[];

            /** none follow: install it */
            last: boolean;

            /**
             * Creates a new SnapshotBlocks instance using the specified properties.
             * @param [properties] Properties to set
             * @returns SnapshotBlocks instance
             */
            static create(properties: dss.cluster.SnapshotBlocks.$Shape): dss.cluster.SnapshotBlocks & dss.cluster.SnapshotBlocks.$Shape;
            static create(properties?: dss.cluster.SnapshotBlocks.$Properties): dss.cluster.SnapshotBlocks;

            /**
             * Encodes the specified SnapshotBlocks message. Does not implicitly {@link dss.cluster.SnapshotBlocks.verify|verify} messages.
             * @param message SnapshotBlocks message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.SnapshotBlocks.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a SnapshotBlocks message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.SnapshotBlocks & dss.cluster.SnapshotBlocks.$Shape} SnapshotBlocks
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.SnapshotBlocks & dss.cluster.SnapshotBlocks.$Shape;
        }

        namespace SnapshotBlocks {

            /** Properties of a SnapshotBlocks. */
            interface $Properties {

                /** SnapshotBlocks group */
                group?: number;

                /** SnapshotBlocks toReplica */
                toReplica?: number;

                /** as in SnapshotBegin */
                transfer?: number;

                /** of the first of these blocks, from 0 */
                number?: number;

                /** SnapshotBlocks blocks */
                blocks?: Uint8Array[];

                /** none follow: install it */
                last?: boolean;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a SnapshotBlocks. */
            type $Shape = dss.cluster.SnapshotBlocks.$Properties;
        }

        /** SnapshotStatus enum. */
        enum SnapshotStatus {

            /** SNAPSHOT_UNSPECIFIED value */
            SNAPSHOT_UNSPECIFIED = 0,

            /** go on from `next_number` */
            SNAPSHOT_WANTED = 1,

            /** durable, or the replica has more than that already */
            SNAPSHOT_INSTALLED = 2,

            /** another one is being received: try later */
            SNAPSHOT_BUSY = 3,

            /** not of this leader, or it broke: begin again */
            SNAPSHOT_REFUSED = 4
        }

        /**
         * Properties of a SnapshotReply.
         * @deprecated Use dss.cluster.SnapshotReply.$Properties instead.
         */
        interface ISnapshotReply extends dss.cluster.SnapshotReply.$Properties {
        }

        /** Represents a SnapshotReply. */
        class SnapshotReply {

            /**
             * Constructs a new SnapshotReply.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.SnapshotReply.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** SnapshotReply status. */
            status: dss.cluster.SnapshotStatus;

            /** SnapshotReply nextNumber. */
            nextNumber: number;

            /**
             * Creates a new SnapshotReply instance using the specified properties.
             * @param [properties] Properties to set
             * @returns SnapshotReply instance
             */
            static create(properties: dss.cluster.SnapshotReply.$Shape): dss.cluster.SnapshotReply & dss.cluster.SnapshotReply.$Shape;
            static create(properties?: dss.cluster.SnapshotReply.$Properties): dss.cluster.SnapshotReply;

            /**
             * Encodes the specified SnapshotReply message. Does not implicitly {@link dss.cluster.SnapshotReply.verify|verify} messages.
             * @param message SnapshotReply message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.SnapshotReply.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a SnapshotReply message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.SnapshotReply & dss.cluster.SnapshotReply.$Shape} SnapshotReply
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.SnapshotReply & dss.cluster.SnapshotReply.$Shape;
        }

        namespace SnapshotReply {

            /** Properties of a SnapshotReply. */
            interface $Properties {

                /** SnapshotReply status */
                status?: dss.cluster.SnapshotStatus;

                /** SnapshotReply nextNumber */
                nextNumber?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a SnapshotReply. */
            type $Shape = dss.cluster.SnapshotReply.$Properties;
        }

        /**
         * Properties of a ChecksumQuery.
         * @deprecated Use dss.cluster.ChecksumQuery.$Properties instead.
         */
        interface IChecksumQuery extends dss.cluster.ChecksumQuery.$Properties {
        }

        /** What a replica has found at a checksum entry of its log. */
        class ChecksumQuery {

            /**
             * Constructs a new ChecksumQuery.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.ChecksumQuery.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ChecksumQuery group. */
            group: number;

            /** ChecksumQuery replicaId. */
            replicaId: number;

            /** of the entry */
            index: number;

            /**
             * Creates a new ChecksumQuery instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ChecksumQuery instance
             */
            static create(properties: dss.cluster.ChecksumQuery.$Shape): dss.cluster.ChecksumQuery & dss.cluster.ChecksumQuery.$Shape;
            static create(properties?: dss.cluster.ChecksumQuery.$Properties): dss.cluster.ChecksumQuery;

            /**
             * Encodes the specified ChecksumQuery message. Does not implicitly {@link dss.cluster.ChecksumQuery.verify|verify} messages.
             * @param message ChecksumQuery message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.ChecksumQuery.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ChecksumQuery message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.ChecksumQuery & dss.cluster.ChecksumQuery.$Shape} ChecksumQuery
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.ChecksumQuery & dss.cluster.ChecksumQuery.$Shape;
        }

        namespace ChecksumQuery {

            /** Properties of a ChecksumQuery. */
            interface $Properties {

                /** ChecksumQuery group */
                group?: number;

                /** ChecksumQuery replicaId */
                replicaId?: number;

                /** of the entry */
                index?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ChecksumQuery. */
            type $Shape = dss.cluster.ChecksumQuery.$Properties;
        }

        /** ChecksumStatus enum. */
        enum ChecksumStatus {

            /** CHECKSUM_UNSPECIFIED value */
            CHECKSUM_UNSPECIFIED = 0,

            /** CHECKSUM_DONE value */
            CHECKSUM_DONE = 1,

            /** not applied so far, or still reading: ask again */
            CHECKSUM_PENDING = 2,

            /** not here, passed over by a snapshot, forgotten in a restart, or unreadable */
            CHECKSUM_UNKNOWN = 3
        }

        /**
         * Properties of a ChecksumReport.
         * @deprecated Use dss.cluster.ChecksumReport.$Properties instead.
         */
        interface IChecksumReport extends dss.cluster.ChecksumReport.$Properties {
        }

        /** Represents a ChecksumReport. */
        class ChecksumReport {

            /**
             * Constructs a new ChecksumReport.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.ChecksumReport.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ChecksumReport status. */
            status: dss.cluster.ChecksumStatus;

            /** ChecksumReport parts. */
            parts: dss.cluster.ChecksumPart[];

            /**
             * Creates a new ChecksumReport instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ChecksumReport instance
             */
            static create(properties: dss.cluster.ChecksumReport.$Shape): dss.cluster.ChecksumReport & dss.cluster.ChecksumReport.$Shape;
            static create(properties?: dss.cluster.ChecksumReport.$Properties): dss.cluster.ChecksumReport;

            /**
             * Encodes the specified ChecksumReport message. Does not implicitly {@link dss.cluster.ChecksumReport.verify|verify} messages.
             * @param message ChecksumReport message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.ChecksumReport.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ChecksumReport message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.ChecksumReport & dss.cluster.ChecksumReport.$Shape} ChecksumReport
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.ChecksumReport & dss.cluster.ChecksumReport.$Shape;
        }

        namespace ChecksumReport {

            /** Properties of a ChecksumReport. */
            interface $Properties {

                /** ChecksumReport status */
                status?: dss.cluster.ChecksumStatus;

                /** ChecksumReport parts */
                parts?: dss.cluster.ChecksumPart.$Properties[];

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ChecksumReport. */
            type $Shape = dss.cluster.ChecksumReport.$Properties;
        }

        /**
         * Properties of a ChecksumPart.
         * @deprecated Use dss.cluster.ChecksumPart.$Properties instead.
         */
        interface IChecksumPart extends dss.cluster.ChecksumPart.$Properties {
        }

        /** Of what a reader could see. Equal content gives equal parts, however it is laid out. */
        class ChecksumPart {

            /**
             * Constructs a new ChecksumPart.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.ChecksumPart.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** 256: the state of the group beside its values */
            slot: number;

            /** ChecksumPart crc. */
            crc: number;

            /** ChecksumPart entries. */
            entries: number;

            /** ChecksumPart bytes. */
            bytes: number;

            /**
             * Creates a new ChecksumPart instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ChecksumPart instance
             */
            static create(properties: dss.cluster.ChecksumPart.$Shape): dss.cluster.ChecksumPart & dss.cluster.ChecksumPart.$Shape;
            static create(properties?: dss.cluster.ChecksumPart.$Properties): dss.cluster.ChecksumPart;

            /**
             * Encodes the specified ChecksumPart message. Does not implicitly {@link dss.cluster.ChecksumPart.verify|verify} messages.
             * @param message ChecksumPart message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.ChecksumPart.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ChecksumPart message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.ChecksumPart & dss.cluster.ChecksumPart.$Shape} ChecksumPart
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.ChecksumPart & dss.cluster.ChecksumPart.$Shape;
        }

        namespace ChecksumPart {

            /** Properties of a ChecksumPart. */
            interface $Properties {

                /** 256: the state of the group beside its values */
                slot?: number;

                /** ChecksumPart crc */
                crc?: number;

                /** ChecksumPart entries */
                entries?: number;

                /** ChecksumPart bytes */
                bytes?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ChecksumPart. */
            type $Shape = dss.cluster.ChecksumPart.$Properties;
        }

        /**
         * Properties of a Distrust.
         * @deprecated Use dss.cluster.Distrust.$Properties instead.
         */
        interface IDistrust extends dss.cluster.Distrust.$Properties {
        }

        /** From the leader of a group to the node of a replica that differs from most others. One way. */
        class Distrust {

            /**
             * Constructs a new Distrust.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.Distrust.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Distrust group. */
            group: number;

            /** Distrust replicaId. */
            replicaId: number;

            /** of the checksum entry */
            index: number;

            /** the parts that differ */
            slots: number[];

            /**
             * Creates a new Distrust instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Distrust instance
             */
            static create(properties: dss.cluster.Distrust.$Shape): dss.cluster.Distrust & dss.cluster.Distrust.$Shape;
            static create(properties?: dss.cluster.Distrust.$Properties): dss.cluster.Distrust;

            /**
             * Encodes the specified Distrust message. Does not implicitly {@link dss.cluster.Distrust.verify|verify} messages.
             * @param message Distrust message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.Distrust.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Distrust message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.Distrust & dss.cluster.Distrust.$Shape} Distrust
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.Distrust & dss.cluster.Distrust.$Shape;
        }

        namespace Distrust {

            /** Properties of a Distrust. */
            interface $Properties {

                /** Distrust group */
                group?: number;

                /** Distrust replicaId */
                replicaId?: number;

                /** of the checksum entry */
                index?: number;

                /** the parts that differ */
                slots?: number[];

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Distrust. */
            type $Shape = dss.cluster.Distrust.$Properties;
        }

        /**
         * Properties of a SpareRequest.
         * @deprecated Use dss.cluster.SpareRequest.$Properties instead.
         */
        interface ISpareRequest extends dss.cluster.SpareRequest.$Properties {
        }

        /** To the leader of a group: can it do without this replica, whose tables are damaged? */
        class SpareRequest {

            /**
             * Constructs a new SpareRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.SpareRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** SpareRequest group. */
            group: number;

            /** SpareRequest replicaId. */
            replicaId: number;

            /**
             * Creates a new SpareRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns SpareRequest instance
             */
            static create(properties: dss.cluster.SpareRequest.$Shape): dss.cluster.SpareRequest & dss.cluster.SpareRequest.$Shape;
            static create(properties?: dss.cluster.SpareRequest.$Properties): dss.cluster.SpareRequest;

            /**
             * Encodes the specified SpareRequest message. Does not implicitly {@link dss.cluster.SpareRequest.verify|verify} messages.
             * @param message SpareRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.SpareRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a SpareRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.SpareRequest & dss.cluster.SpareRequest.$Shape} SpareRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.SpareRequest & dss.cluster.SpareRequest.$Shape;
        }

        namespace SpareRequest {

            /** Properties of a SpareRequest. */
            interface $Properties {

                /** SpareRequest group */
                group?: number;

                /** SpareRequest replicaId */
                replicaId?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a SpareRequest. */
            type $Shape = dss.cluster.SpareRequest.$Properties;
        }

        /**
         * Properties of a SpareReply.
         * @deprecated Use dss.cluster.SpareReply.$Properties instead.
         */
        interface ISpareReply extends dss.cluster.SpareReply.$Properties {
        }

        /** Represents a SpareReply. */
        class SpareReply {

            /**
             * Constructs a new SpareReply.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.SpareReply.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** SpareReply granted. */
            granted: boolean;

            /** in which it leads; 0: it does not */
            term: number;

            /**
             * Creates a new SpareReply instance using the specified properties.
             * @param [properties] Properties to set
             * @returns SpareReply instance
             */
            static create(properties: dss.cluster.SpareReply.$Shape): dss.cluster.SpareReply & dss.cluster.SpareReply.$Shape;
            static create(properties?: dss.cluster.SpareReply.$Properties): dss.cluster.SpareReply;

            /**
             * Encodes the specified SpareReply message. Does not implicitly {@link dss.cluster.SpareReply.verify|verify} messages.
             * @param message SpareReply message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.SpareReply.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a SpareReply message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.SpareReply & dss.cluster.SpareReply.$Shape} SpareReply
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.SpareReply & dss.cluster.SpareReply.$Shape;
        }

        namespace SpareReply {

            /** Properties of a SpareReply. */
            interface $Properties {

                /** SpareReply granted */
                granted?: boolean;

                /** in which it leads; 0: it does not */
                term?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a SpareReply. */
            type $Shape = dss.cluster.SpareReply.$Properties;
        }

        /**
         * Properties of a VerifyRequest.
         * @deprecated Use dss.cluster.VerifyRequest.$Properties instead.
         */
        interface IVerifyRequest extends dss.cluster.VerifyRequest.$Properties {
        }

        /** To a leader: compare the replicas of groups, or say what came of it. */
        class VerifyRequest {

            /**
             * Constructs a new VerifyRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.VerifyRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** none: all that the node leads */
            groups: number[];

            /** VerifyRequest start. */
            start: boolean;

            /**
             * Creates a new VerifyRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns VerifyRequest instance
             */
            static create(properties: dss.cluster.VerifyRequest.$Shape): dss.cluster.VerifyRequest & dss.cluster.VerifyRequest.$Shape;
            static create(properties?: dss.cluster.VerifyRequest.$Properties): dss.cluster.VerifyRequest;

            /**
             * Encodes the specified VerifyRequest message. Does not implicitly {@link dss.cluster.VerifyRequest.verify|verify} messages.
             * @param message VerifyRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.VerifyRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a VerifyRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.VerifyRequest & dss.cluster.VerifyRequest.$Shape} VerifyRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.VerifyRequest & dss.cluster.VerifyRequest.$Shape;
        }

        namespace VerifyRequest {

            /** Properties of a VerifyRequest. */
            interface $Properties {

                /** none: all that the node leads */
                groups?: number[];

                /** VerifyRequest start */
                start?: boolean;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a VerifyRequest. */
            type $Shape = dss.cluster.VerifyRequest.$Properties;
        }

        /**
         * Properties of a VerifyReply.
         * @deprecated Use dss.cluster.VerifyReply.$Properties instead.
         */
        interface IVerifyReply extends dss.cluster.VerifyReply.$Properties {
        }

        /** Represents a VerifyReply. */
        class VerifyReply {

            /**
             * Constructs a new VerifyReply.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.VerifyReply.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** VerifyReply groups. */
            groups: dss.cluster.Verification[];

            /**
             * Creates a new VerifyReply instance using the specified properties.
             * @param [properties] Properties to set
             * @returns VerifyReply instance
             */
            static create(properties: dss.cluster.VerifyReply.$Shape): dss.cluster.VerifyReply & dss.cluster.VerifyReply.$Shape;
            static create(properties?: dss.cluster.VerifyReply.$Properties): dss.cluster.VerifyReply;

            /**
             * Encodes the specified VerifyReply message. Does not implicitly {@link dss.cluster.VerifyReply.verify|verify} messages.
             * @param message VerifyReply message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.VerifyReply.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a VerifyReply message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.VerifyReply & dss.cluster.VerifyReply.$Shape} VerifyReply
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.VerifyReply & dss.cluster.VerifyReply.$Shape;
        }

        namespace VerifyReply {

            /** Properties of a VerifyReply. */
            interface $Properties {

                /** VerifyReply groups */
                groups?: dss.cluster.Verification.$Properties[];

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a VerifyReply. */
            type $Shape = dss.cluster.VerifyReply.$Properties;
        }

        /** VerificationState enum. */
        enum VerificationState {

            /** VERIFICATION_UNSPECIFIED value */
            VERIFICATION_UNSPECIFIED = 0,

            /** VERIFICATION_WAITING value */
            VERIFICATION_WAITING = 1,

            /** VERIFICATION_RUNNING value */
            VERIFICATION_RUNNING = 2,

            /** VERIFICATION_EQUAL value */
            VERIFICATION_EQUAL = 3,

            /** VERIFICATION_DIFFERENT value */
            VERIFICATION_DIFFERENT = 4,

            /** another node leads now, or fewer than two replicas could be compared */
            VERIFICATION_CUT_OFF = 5
        }

        /**
         * Properties of a Verification.
         * @deprecated Use dss.cluster.Verification.$Properties instead.
         */
        interface IVerification extends dss.cluster.Verification.$Properties {
        }

        /** Represents a Verification. */
        class Verification {

            /**
             * Constructs a new Verification.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.Verification.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Verification group. */
            group: number;

            /** Verification state. */
            state: dss.cluster.VerificationState;

            /** of the checksum entry; 0: none so far */
            index: number;

            /** wall clock of the leader */
            startedAtMs: number;

            /** 0: not yet */
            endedAtMs: number;

            /** Verification replicas. */
            replicas: dss.cluster.VerifiedReplica[];

            /** at the leader */
            entries: number;

            /** Verification bytes. */
            bytes: number;

            /** the parts that differ */
            slots: number[];

            /**
             * Creates a new Verification instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Verification instance
             */
            static create(properties: dss.cluster.Verification.$Shape): dss.cluster.Verification & dss.cluster.Verification.$Shape;
            static create(properties?: dss.cluster.Verification.$Properties): dss.cluster.Verification;

            /**
             * Encodes the specified Verification message. Does not implicitly {@link dss.cluster.Verification.verify|verify} messages.
             * @param message Verification message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.Verification.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Verification message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.Verification & dss.cluster.Verification.$Shape} Verification
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.Verification & dss.cluster.Verification.$Shape;
        }

        namespace Verification {

            /** Properties of a Verification. */
            interface $Properties {

                /** Verification group */
                group?: number;

                /** Verification state */
                state?: dss.cluster.VerificationState;

                /** of the checksum entry; 0: none so far */
                index?: number;

                /** wall clock of the leader */
                startedAtMs?: number;

                /** 0: not yet */
                endedAtMs?: number;

                /** Verification replicas */
                replicas?: dss.cluster.VerifiedReplica.$Properties[];

                /** at the leader */
                entries?: number;

                /** Verification bytes */
                bytes?: number;

                /** the parts that differ */
                slots?: number[];

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Verification. */
            type $Shape = dss.cluster.Verification.$Properties;
        }

        /** ReplicaVerdict enum. */
        enum ReplicaVerdict {

            /** REPLICA_VERDICT_UNSPECIFIED value */
            REPLICA_VERDICT_UNSPECIFIED = 0,

            /** with most */
            REPLICA_AGREES = 1,

            /** REPLICA_DIFFERS value */
            REPLICA_DIFFERS = 2,

            /** it could not be compared */
            REPLICA_MISSING = 3
        }

        /**
         * Properties of a VerifiedReplica.
         * @deprecated Use dss.cluster.VerifiedReplica.$Properties instead.
         */
        interface IVerifiedReplica extends dss.cluster.VerifiedReplica.$Properties {
        }

        /** Represents a VerifiedReplica. */
        class VerifiedReplica {

            /**
             * Constructs a new VerifiedReplica.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.VerifiedReplica.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** VerifiedReplica replicaId. */
            replicaId: number;

            /** VerifiedReplica node. */
            node: string;

            /** VerifiedReplica verdict. */
            verdict: dss.cluster.ReplicaVerdict;

            /**
             * Creates a new VerifiedReplica instance using the specified properties.
             * @param [properties] Properties to set
             * @returns VerifiedReplica instance
             */
            static create(properties: dss.cluster.VerifiedReplica.$Shape): dss.cluster.VerifiedReplica & dss.cluster.VerifiedReplica.$Shape;
            static create(properties?: dss.cluster.VerifiedReplica.$Properties): dss.cluster.VerifiedReplica;

            /**
             * Encodes the specified VerifiedReplica message. Does not implicitly {@link dss.cluster.VerifiedReplica.verify|verify} messages.
             * @param message VerifiedReplica message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.VerifiedReplica.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a VerifiedReplica message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.VerifiedReplica & dss.cluster.VerifiedReplica.$Shape} VerifiedReplica
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.VerifiedReplica & dss.cluster.VerifiedReplica.$Shape;
        }

        namespace VerifiedReplica {

            /** Properties of a VerifiedReplica. */
            interface $Properties {

                /** VerifiedReplica replicaId */
                replicaId?: number;

                /** VerifiedReplica node */
                node?: string;

                /** VerifiedReplica verdict */
                verdict?: dss.cluster.ReplicaVerdict;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a VerifiedReplica. */
            type $Shape = dss.cluster.VerifiedReplica.$Properties;
        }

        /**
         * Properties of a JoinRequest.
         * @deprecated Use dss.cluster.JoinRequest.$Properties instead.
         */
        interface IJoinRequest extends dss.cluster.JoinRequest.$Properties {
        }

        /** From a node that wants to be in the cluster, to any member. */
        class JoinRequest {

            /**
             * Constructs a new JoinRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.JoinRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** JoinRequest row. */
            row: dss.kv.NodeRow;

            /** the name of a node whose place it takes; empty: none */
            replace: string;

            /** the id that it had itself, until its directory could not be trusted; empty: none */
            replaceNode: string;

            /**
             * Creates a new JoinRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns JoinRequest instance
             */
            static create(properties: dss.cluster.JoinRequest.$Shape): dss.cluster.JoinRequest & dss.cluster.JoinRequest.$Shape;
            static create(properties?: dss.cluster.JoinRequest.$Properties): dss.cluster.JoinRequest;

            /**
             * Encodes the specified JoinRequest message. Does not implicitly {@link dss.cluster.JoinRequest.verify|verify} messages.
             * @param message JoinRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.JoinRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a JoinRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.JoinRequest & dss.cluster.JoinRequest.$Shape} JoinRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.JoinRequest & dss.cluster.JoinRequest.$Shape;
        }

        namespace JoinRequest {

            /** Properties of a JoinRequest. */
            interface $Properties {

                /** JoinRequest row */
                row?: dss.kv.NodeRow.$Properties;

                /** the name of a node whose place it takes; empty: none */
                replace?: string;

                /** the id that it had itself, until its directory could not be trusted; empty: none */
                replaceNode?: string;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a JoinRequest. */
            type $Shape = dss.cluster.JoinRequest.$Properties;
        }

        /**
         * Properties of a JoinReply.
         * @deprecated Use dss.cluster.JoinReply.$Properties instead.
         */
        interface IJoinReply extends dss.cluster.JoinReply.$Properties {
        }

        /** Represents a JoinReply. */
        class JoinReply {

            /**
             * Constructs a new JoinReply.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.JoinReply.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** JoinReply accepted. */
            accepted: boolean;

            /** JoinReply genesis. */
            genesis: dss.cluster.Genesis;

            /** JoinReply settings. */
            settings: dss.kv.Settings;

            /** JoinReply refusalCode. */
            refusalCode: string;

            /** JoinReply refusal. */
            refusal: string;

            /**
             * Creates a new JoinReply instance using the specified properties.
             * @param [properties] Properties to set
             * @returns JoinReply instance
             */
            static create(properties: dss.cluster.JoinReply.$Shape): dss.cluster.JoinReply & dss.cluster.JoinReply.$Shape;
            static create(properties?: dss.cluster.JoinReply.$Properties): dss.cluster.JoinReply;

            /**
             * Encodes the specified JoinReply message. Does not implicitly {@link dss.cluster.JoinReply.verify|verify} messages.
             * @param message JoinReply message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.JoinReply.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a JoinReply message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.JoinReply & dss.cluster.JoinReply.$Shape} JoinReply
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.JoinReply & dss.cluster.JoinReply.$Shape;
        }

        namespace JoinReply {

            /** Properties of a JoinReply. */
            interface $Properties {

                /** JoinReply accepted */
                accepted?: boolean;

                /** JoinReply genesis */
                genesis?: dss.cluster.Genesis.$Properties;

                /** JoinReply settings */
                settings?: dss.kv.Settings.$Properties;

                /** JoinReply refusalCode */
                refusalCode?: string;

                /** JoinReply refusal */
                refusal?: string;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a JoinReply. */
            type $Shape = dss.cluster.JoinReply.$Properties;
        }

        /**
         * Properties of a ForwardRequest.
         * @deprecated Use dss.cluster.ForwardRequest.$Properties instead.
         */
        interface IForwardRequest extends dss.cluster.ForwardRequest.$Properties {
        }

        /** Batch `number` of the sender's stream to this group; its origin is (from_node, start_counter). */
        class ForwardRequest {

            /**
             * Constructs a new ForwardRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.ForwardRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ForwardRequest group. */
            group: number;

            /** ForwardRequest number. */
            number: number;

            /** ForwardRequest count. */
            count: number;

            /** ForwardRequest crc. */
            crc: number;

            /** ForwardRequest batch. */
            batch: Uint8Array;

            /**
             * Creates a new ForwardRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ForwardRequest instance
             */
            static create(properties: dss.cluster.ForwardRequest.$Shape): dss.cluster.ForwardRequest & dss.cluster.ForwardRequest.$Shape;
            static create(properties?: dss.cluster.ForwardRequest.$Properties): dss.cluster.ForwardRequest;

            /**
             * Encodes the specified ForwardRequest message. Does not implicitly {@link dss.cluster.ForwardRequest.verify|verify} messages.
             * @param message ForwardRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.ForwardRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ForwardRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.ForwardRequest & dss.cluster.ForwardRequest.$Shape} ForwardRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.ForwardRequest & dss.cluster.ForwardRequest.$Shape;
        }

        namespace ForwardRequest {

            /** Properties of a ForwardRequest. */
            interface $Properties {

                /** ForwardRequest group */
                group?: number;

                /** ForwardRequest number */
                number?: number;

                /** ForwardRequest count */
                count?: number;

                /** ForwardRequest crc */
                crc?: number;

                /** ForwardRequest batch */
                batch?: Uint8Array;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ForwardRequest. */
            type $Shape = dss.cluster.ForwardRequest.$Properties;
        }

        /** ForwardStatus enum. */
        enum ForwardStatus {

            /** FORWARD_UNSPECIFIED value */
            FORWARD_UNSPECIFIED = 0,

            /** this batch is applied at the leader */
            COMMITTED = 1,

            /** try `leader_node`, if named */
            NOT_LEADER = 2,

            /** send again from `expected_number` */
            OUT_OF_ORDER = 3,

            /** the group cannot take more now */
            BUSY = 4,

            /** the bytes do not match their CRC */
            BAD_BATCH = 5
        }

        /**
         * Properties of a ForwardReply.
         * @deprecated Use dss.cluster.ForwardReply.$Properties instead.
         */
        interface IForwardReply extends dss.cluster.ForwardReply.$Properties {
        }

        /** Represents a ForwardReply. */
        class ForwardReply {

            /**
             * Constructs a new ForwardReply.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.ForwardReply.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ForwardReply group. */
            group: number;

            /** ForwardReply number. */
            number: number;

            /** ForwardReply status. */
            status: dss.cluster.ForwardStatus;

            /** ForwardReply leaderNode. */
            leaderNode: string;

            /** ForwardReply expectedNumber. */
            expectedNumber: number;

            /** ForwardReply baseVersion. */
            baseVersion: number;

            /** of the conditional writes in the batch */
            results: dss.cluster.ConditionalResult[];

            /** unless it is committed */
            row: dss.cluster.MapRow;

            /**
             * Creates a new ForwardReply instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ForwardReply instance
             */
            static create(properties: dss.cluster.ForwardReply.$Shape): dss.cluster.ForwardReply & dss.cluster.ForwardReply.$Shape;
            static create(properties?: dss.cluster.ForwardReply.$Properties): dss.cluster.ForwardReply;

            /**
             * Encodes the specified ForwardReply message. Does not implicitly {@link dss.cluster.ForwardReply.verify|verify} messages.
             * @param message ForwardReply message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.ForwardReply.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ForwardReply message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.ForwardReply & dss.cluster.ForwardReply.$Shape} ForwardReply
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.ForwardReply & dss.cluster.ForwardReply.$Shape;
        }

        namespace ForwardReply {

            /** Properties of a ForwardReply. */
            interface $Properties {

                /** ForwardReply group */
                group?: number;

                /** ForwardReply number */
                number?: number;

                /** ForwardReply status */
                status?: dss.cluster.ForwardStatus;

                /** ForwardReply leaderNode */
                leaderNode?: string;

                /** ForwardReply expectedNumber */
                expectedNumber?: number;

                /** ForwardReply baseVersion */
                baseVersion?: number;

                /** of the conditional writes in the batch */
                results?: dss.cluster.ConditionalResult.$Properties[];

                /** unless it is committed */
                row?: dss.cluster.MapRow.$Properties;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ForwardReply. */
            type $Shape = dss.cluster.ForwardReply.$Properties;
        }

        /**
         * Properties of a ConditionalResult.
         * @deprecated Use dss.cluster.ConditionalResult.$Properties instead.
         */
        interface IConditionalResult extends dss.cluster.ConditionalResult.$Properties {
        }

        /** Represents a ConditionalResult. */
        class ConditionalResult {

            /**
             * Constructs a new ConditionalResult.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.ConditionalResult.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ConditionalResult ordinal. */
            ordinal: number;

            /** ConditionalResult won. */
            won: boolean;

            /** of the value that the key has now; 0: it has none */
            version: number;

            /** of the winner; 0: it does not expire */
            expiresAt: number;

            /**
             * Creates a new ConditionalResult instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ConditionalResult instance
             */
            static create(properties: dss.cluster.ConditionalResult.$Shape): dss.cluster.ConditionalResult & dss.cluster.ConditionalResult.$Shape;
            static create(properties?: dss.cluster.ConditionalResult.$Properties): dss.cluster.ConditionalResult;

            /**
             * Encodes the specified ConditionalResult message. Does not implicitly {@link dss.cluster.ConditionalResult.verify|verify} messages.
             * @param message ConditionalResult message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.ConditionalResult.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ConditionalResult message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.ConditionalResult & dss.cluster.ConditionalResult.$Shape} ConditionalResult
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.ConditionalResult & dss.cluster.ConditionalResult.$Shape;
        }

        namespace ConditionalResult {

            /** Properties of a ConditionalResult. */
            interface $Properties {

                /** ConditionalResult ordinal */
                ordinal?: number;

                /** ConditionalResult won */
                won?: boolean;

                /** of the value that the key has now; 0: it has none */
                version?: number;

                /** of the winner; 0: it does not expire */
                expiresAt?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ConditionalResult. */
            type $Shape = dss.cluster.ConditionalResult.$Properties;
        }

        /**
         * Properties of a SettingsRequest.
         * @deprecated Use dss.cluster.SettingsRequest.$Properties instead.
         */
        interface ISettingsRequest extends dss.cluster.SettingsRequest.$Properties {
        }

        /** Reads the settings, or changes them: that goes to the leader of the meta group. */
        class SettingsRequest {

            /**
             * Constructs a new SettingsRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.SettingsRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** SettingsRequest change. */
            change: dss.kv.SettingsRecord;

            /**
             * Creates a new SettingsRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns SettingsRequest instance
             */
            static create(properties: dss.cluster.SettingsRequest.$Shape): dss.cluster.SettingsRequest & dss.cluster.SettingsRequest.$Shape;
            static create(properties?: dss.cluster.SettingsRequest.$Properties): dss.cluster.SettingsRequest;

            /**
             * Encodes the specified SettingsRequest message. Does not implicitly {@link dss.cluster.SettingsRequest.verify|verify} messages.
             * @param message SettingsRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.SettingsRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a SettingsRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.SettingsRequest & dss.cluster.SettingsRequest.$Shape} SettingsRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.SettingsRequest & dss.cluster.SettingsRequest.$Shape;
        }

        namespace SettingsRequest {

            /** Properties of a SettingsRequest. */
            interface $Properties {

                /** SettingsRequest change */
                change?: dss.kv.SettingsRecord.$Properties;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a SettingsRequest. */
            type $Shape = dss.cluster.SettingsRequest.$Properties;
        }

        /** SettingsStatus enum. */
        enum SettingsStatus {

            /** SETTINGS_UNSPECIFIED value */
            SETTINGS_UNSPECIFIED = 0,

            /** here they are; a change has been applied */
            SETTINGS_OK = 1,

            /** they had another revision already */
            SETTINGS_CONFLICT = 2,

            /** SETTINGS_NOT_LEADER value */
            SETTINGS_NOT_LEADER = 3
        }

        /**
         * Properties of a SettingsReply.
         * @deprecated Use dss.cluster.SettingsReply.$Properties instead.
         */
        interface ISettingsReply extends dss.cluster.SettingsReply.$Properties {
        }

        /** Represents a SettingsReply. */
        class SettingsReply {

            /**
             * Constructs a new SettingsReply.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.SettingsReply.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** SettingsReply status. */
            status: dss.cluster.SettingsStatus;

            /** SettingsReply settings. */
            settings: dss.kv.Settings;

            /** SettingsReply leaderNode. */
            leaderNode: string;

            /**
             * Creates a new SettingsReply instance using the specified properties.
             * @param [properties] Properties to set
             * @returns SettingsReply instance
             */
            static create(properties: dss.cluster.SettingsReply.$Shape): dss.cluster.SettingsReply & dss.cluster.SettingsReply.$Shape;
            static create(properties?: dss.cluster.SettingsReply.$Properties): dss.cluster.SettingsReply;

            /**
             * Encodes the specified SettingsReply message. Does not implicitly {@link dss.cluster.SettingsReply.verify|verify} messages.
             * @param message SettingsReply message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.SettingsReply.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a SettingsReply message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.SettingsReply & dss.cluster.SettingsReply.$Shape} SettingsReply
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.SettingsReply & dss.cluster.SettingsReply.$Shape;
        }

        namespace SettingsReply {

            /** Properties of a SettingsReply. */
            interface $Properties {

                /** SettingsReply status */
                status?: dss.cluster.SettingsStatus;

                /** SettingsReply settings */
                settings?: dss.kv.Settings.$Properties;

                /** SettingsReply leaderNode */
                leaderNode?: string;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a SettingsReply. */
            type $Shape = dss.cluster.SettingsReply.$Properties;
        }

        /**
         * Properties of a ReadRequest.
         * @deprecated Use dss.cluster.ReadRequest.$Properties instead.
         */
        interface IReadRequest extends dss.cluster.ReadRequest.$Properties {
        }

        /** Represents a ReadRequest. */
        class ReadRequest {

            /**
             * Constructs a new ReadRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.ReadRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ReadRequest group. */
            group: number;

            /** ReadRequest get. */
            get: (dss.cluster.GetQuery|null);

            /** ReadRequest list. */
            list: (dss.cluster.ListQuery|null);

            /** ReadRequest history. */
            history: (dss.cluster.HistoryQuery|null);

            /** what this replica has applied will do */
            eventual: boolean;

            /** of a get: the newest entry as it is, deleted or expired */
            raw: boolean;

            /** not before this is applied; then no leader is asked. 0: as the leader says */
            appliedIndex: number;

            /** ReadRequest what. */
            what?: ("get"|"list"|"history");

            /**
             * Creates a new ReadRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ReadRequest instance
             */
            static create(properties: dss.cluster.ReadRequest.$Shape): dss.cluster.ReadRequest & dss.cluster.ReadRequest.$Shape;
            static create(properties?: dss.cluster.ReadRequest.$Properties): dss.cluster.ReadRequest;

            /**
             * Encodes the specified ReadRequest message. Does not implicitly {@link dss.cluster.ReadRequest.verify|verify} messages.
             * @param message ReadRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.ReadRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ReadRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.ReadRequest & dss.cluster.ReadRequest.$Shape} ReadRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.ReadRequest & dss.cluster.ReadRequest.$Shape;
        }

        namespace ReadRequest {

            /** Properties of a ReadRequest. */
            interface $Properties {

                /** ReadRequest group */
                group?: number;

                /** ReadRequest get */
                get?: (dss.cluster.GetQuery.$Properties|null);

                /** ReadRequest list */
                list?: (dss.cluster.ListQuery.$Properties|null);

                /** ReadRequest history */
                history?: (dss.cluster.HistoryQuery.$Properties|null);

                /** what this replica has applied will do */
                eventual?: boolean;

                /** of a get: the newest entry as it is, deleted or expired */
                raw?: boolean;

                /** not before this is applied; then no leader is asked. 0: as the leader says */
                appliedIndex?: number;

                /** ReadRequest what */
                what?: ("get"|"list"|"history");

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Narrowed shape of a ReadRequest. */
            type $Shape = {
              group?: number;
              get?: dss.cluster.GetQuery.$Shape|null;
              list?: dss.cluster.ListQuery.$Shape|null;
              history?: dss.cluster.HistoryQuery.$Shape|null;
              eventual?: boolean;
              raw?: boolean;
              appliedIndex?: number;
              $unknowns?: Uint8Array[];
            } & (
              ({ what?: undefined; get?: null; list?: null; history?: null }|{ what?: "get"; get: dss.cluster.GetQuery.$Shape; list?: null; history?: null }|{ what?: "list"; get?: null; list: dss.cluster.ListQuery.$Shape; history?: null }|{ what?: "history"; get?: null; list?: null; history: dss.cluster.HistoryQuery.$Shape })
            );
        }

        /**
         * Properties of a GetQuery.
         * @deprecated Use dss.cluster.GetQuery.$Properties instead.
         */
        interface IGetQuery extends dss.cluster.GetQuery.$Properties {
        }

        /** Represents a GetQuery. */
        class GetQuery {

            /**
             * Constructs a new GetQuery.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.GetQuery.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** GetQuery key. */
            key: Uint8Array;

            /**
             * Creates a new GetQuery instance using the specified properties.
             * @param [properties] Properties to set
             * @returns GetQuery instance
             */
            static create(properties: dss.cluster.GetQuery.$Shape): dss.cluster.GetQuery & dss.cluster.GetQuery.$Shape;
            static create(properties?: dss.cluster.GetQuery.$Properties): dss.cluster.GetQuery;

            /**
             * Encodes the specified GetQuery message. Does not implicitly {@link dss.cluster.GetQuery.verify|verify} messages.
             * @param message GetQuery message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.GetQuery.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a GetQuery message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.GetQuery & dss.cluster.GetQuery.$Shape} GetQuery
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.GetQuery & dss.cluster.GetQuery.$Shape;
        }

        namespace GetQuery {

            /** Properties of a GetQuery. */
            interface $Properties {

                /** GetQuery key */
                key?: Uint8Array;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a GetQuery. */
            type $Shape = dss.cluster.GetQuery.$Properties;
        }

        /**
         * Properties of a ListQuery.
         * @deprecated Use dss.cluster.ListQuery.$Properties instead.
         */
        interface IListQuery extends dss.cluster.ListQuery.$Properties {
        }

        /** Represents a ListQuery. */
        class ListQuery {

            /**
             * Constructs a new ListQuery.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.ListQuery.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** whole levels; empty: every key */
            prefix: Uint8Array;

            /** exclusive, in the direction asked for; empty: from the start */
            after: Uint8Array;

            /** ListQuery limit. */
            limit: number;

            /** ListQuery values. */
            values: boolean;

            /** inclusive; empty: from the start */
            from: Uint8Array;

            /** exclusive; empty: to the end */
            to: Uint8Array;

            /** ListQuery reverse. */
            reverse: boolean;

            /**
             * Creates a new ListQuery instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ListQuery instance
             */
            static create(properties: dss.cluster.ListQuery.$Shape): dss.cluster.ListQuery & dss.cluster.ListQuery.$Shape;
            static create(properties?: dss.cluster.ListQuery.$Properties): dss.cluster.ListQuery;

            /**
             * Encodes the specified ListQuery message. Does not implicitly {@link dss.cluster.ListQuery.verify|verify} messages.
             * @param message ListQuery message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.ListQuery.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ListQuery message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.ListQuery & dss.cluster.ListQuery.$Shape} ListQuery
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.ListQuery & dss.cluster.ListQuery.$Shape;
        }

        namespace ListQuery {

            /** Properties of a ListQuery. */
            interface $Properties {

                /** whole levels; empty: every key */
                prefix?: Uint8Array;

                /** exclusive, in the direction asked for; empty: from the start */
                after?: Uint8Array;

                /** ListQuery limit */
                limit?: number;

                /** ListQuery values */
                values?: boolean;

                /** inclusive; empty: from the start */
                from?: Uint8Array;

                /** exclusive; empty: to the end */
                to?: Uint8Array;

                /** ListQuery reverse */
                reverse?: boolean;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ListQuery. */
            type $Shape = dss.cluster.ListQuery.$Properties;
        }

        /**
         * Properties of a HistoryQuery.
         * @deprecated Use dss.cluster.HistoryQuery.$Properties instead.
         */
        interface IHistoryQuery extends dss.cluster.HistoryQuery.$Properties {
        }

        /** Values of one key by time, in version units. */
        class HistoryQuery {

            /**
             * Constructs a new HistoryQuery.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.HistoryQuery.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** HistoryQuery key. */
            key: Uint8Array;

            /** inclusive */
            from: number;

            /** exclusive */
            to: number;

            /** HistoryQuery limit. */
            limit: number;

            /** oldest first */
            ascending: boolean;

            /**
             * Creates a new HistoryQuery instance using the specified properties.
             * @param [properties] Properties to set
             * @returns HistoryQuery instance
             */
            static create(properties: dss.cluster.HistoryQuery.$Shape): dss.cluster.HistoryQuery & dss.cluster.HistoryQuery.$Shape;
            static create(properties?: dss.cluster.HistoryQuery.$Properties): dss.cluster.HistoryQuery;

            /**
             * Encodes the specified HistoryQuery message. Does not implicitly {@link dss.cluster.HistoryQuery.verify|verify} messages.
             * @param message HistoryQuery message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.HistoryQuery.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a HistoryQuery message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.HistoryQuery & dss.cluster.HistoryQuery.$Shape} HistoryQuery
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.HistoryQuery & dss.cluster.HistoryQuery.$Shape;
        }

        namespace HistoryQuery {

            /** Properties of a HistoryQuery. */
            interface $Properties {

                /** HistoryQuery key */
                key?: Uint8Array;

                /** inclusive */
                from?: number;

                /** exclusive */
                to?: number;

                /** HistoryQuery limit */
                limit?: number;

                /** oldest first */
                ascending?: boolean;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a HistoryQuery. */
            type $Shape = dss.cluster.HistoryQuery.$Properties;
        }

        /** ReadStatus enum. */
        enum ReadStatus {

            /** READ_UNSPECIFIED value */
            READ_UNSPECIFIED = 0,

            /** READ_OK value */
            READ_OK = 1,

            /** no trusted replica of the group on this node */
            READ_NOT_HERE = 2,

            /** no leader confirmed the read in time */
            READ_UNAVAILABLE = 3
        }

        /**
         * Properties of a ReadReply.
         * @deprecated Use dss.cluster.ReadReply.$Properties instead.
         */
        interface IReadReply extends dss.cluster.ReadReply.$Properties {
        }

        /** Represents a ReadReply. */
        class ReadReply {

            /**
             * Constructs a new ReadReply.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.ReadReply.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ReadReply status. */
            status: dss.cluster.ReadStatus;

            /** ReadReply items. */
            items: dss.cluster.Item[];

            /** ReadReply more. */
            more: boolean;

            /** unless it is answered */
            row: dss.cluster.MapRow;

            /** what the answer holds */
            appliedIndex: number;

            /** what expires up to here has expired */
            highestVersion: number;

            /**
             * Creates a new ReadReply instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ReadReply instance
             */
            static create(properties: dss.cluster.ReadReply.$Shape): dss.cluster.ReadReply & dss.cluster.ReadReply.$Shape;
            static create(properties?: dss.cluster.ReadReply.$Properties): dss.cluster.ReadReply;

            /**
             * Encodes the specified ReadReply message. Does not implicitly {@link dss.cluster.ReadReply.verify|verify} messages.
             * @param message ReadReply message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.ReadReply.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ReadReply message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.ReadReply & dss.cluster.ReadReply.$Shape} ReadReply
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.ReadReply & dss.cluster.ReadReply.$Shape;
        }

        namespace ReadReply {

            /** Properties of a ReadReply. */
            interface $Properties {

                /** ReadReply status */
                status?: dss.cluster.ReadStatus;

                /** ReadReply items */
                items?: dss.cluster.Item.$Properties[];

                /** ReadReply more */
                more?: boolean;

                /** unless it is answered */
                row?: dss.cluster.MapRow.$Properties;

                /** what the answer holds */
                appliedIndex?: number;

                /** what expires up to here has expired */
                highestVersion?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ReadReply. */
            type $Shape = dss.cluster.ReadReply.$Properties;
        }

        /**
         * Properties of an Item.
         * @deprecated Use dss.cluster.Item.$Properties instead.
         */
        interface IItem extends dss.cluster.Item.$Properties {
        }

        /** Represents an Item. */
        class Item {

            /**
             * Constructs a new Item.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.Item.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Item key. */
            key: Uint8Array;

            /** Item value. */
            value: Uint8Array;

            /** Item version. */
            version: number;

            /** Item time. */
            time: number;

            /** Item deleted. */
            deleted: boolean;

            /** in version units; 0: never */
            expiresAt: number;

            /**
             * Creates a new Item instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Item instance
             */
            static create(properties: dss.cluster.Item.$Shape): dss.cluster.Item & dss.cluster.Item.$Shape;
            static create(properties?: dss.cluster.Item.$Properties): dss.cluster.Item;

            /**
             * Encodes the specified Item message. Does not implicitly {@link dss.cluster.Item.verify|verify} messages.
             * @param message Item message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.Item.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an Item message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.Item & dss.cluster.Item.$Shape} Item
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.Item & dss.cluster.Item.$Shape;
        }

        namespace Item {

            /** Properties of an Item. */
            interface $Properties {

                /** Item key */
                key?: Uint8Array;

                /** Item value */
                value?: Uint8Array;

                /** Item version */
                version?: number;

                /** Item time */
                time?: number;

                /** Item deleted */
                deleted?: boolean;

                /** in version units; 0: never */
                expiresAt?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of an Item. */
            type $Shape = dss.cluster.Item.$Properties;
        }

        /**
         * Properties of a WatchOpen.
         * @deprecated Use dss.cluster.WatchOpen.$Properties instead.
         */
        interface IWatchOpen extends dss.cluster.WatchOpen.$Properties {
        }

        /** Represents a WatchOpen. */
        class WatchOpen {

            /**
             * Constructs a new WatchOpen.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.WatchOpen.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** WatchOpen group. */
            group: number;

            /** WatchOpen filters. */
            filters: string[];

            /** highest version already delivered of this group; 0: everything current */
            after: number;

            /** how much the watcher will take before it grants more */
            creditBytes: number;

            /**
             * Creates a new WatchOpen instance using the specified properties.
             * @param [properties] Properties to set
             * @returns WatchOpen instance
             */
            static create(properties: dss.cluster.WatchOpen.$Shape): dss.cluster.WatchOpen & dss.cluster.WatchOpen.$Shape;
            static create(properties?: dss.cluster.WatchOpen.$Properties): dss.cluster.WatchOpen;

            /**
             * Encodes the specified WatchOpen message. Does not implicitly {@link dss.cluster.WatchOpen.verify|verify} messages.
             * @param message WatchOpen message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.WatchOpen.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a WatchOpen message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.WatchOpen & dss.cluster.WatchOpen.$Shape} WatchOpen
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.WatchOpen & dss.cluster.WatchOpen.$Shape;
        }

        namespace WatchOpen {

            /** Properties of a WatchOpen. */
            interface $Properties {

                /** WatchOpen group */
                group?: number;

                /** WatchOpen filters */
                filters?: string[];

                /** highest version already delivered of this group; 0: everything current */
                after?: number;

                /** how much the watcher will take before it grants more */
                creditBytes?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a WatchOpen. */
            type $Shape = dss.cluster.WatchOpen.$Properties;
        }

        /**
         * Properties of a WatchEvents.
         * @deprecated Use dss.cluster.WatchEvents.$Properties instead.
         */
        interface IWatchEvents extends dss.cluster.WatchEvents.$Properties {
        }

        /**
         * Changes cover the log indexes (from_index, to_index] without a hole. A snapshot covers [0, to_index], and
         * its messages carry their ordinal as from_index, so that a lost one is noticed.
         */
        class WatchEvents {

            /**
             * Constructs a new WatchEvents.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.WatchEvents.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** WatchEvents fromIndex. */
            fromIndex: number;

            /** WatchEvents toIndex. */
            toIndex: number;

            /** WatchEvents snapshot. */
            snapshot: boolean;

            /** WatchEvents snapshotDone. */
            snapshotDone: boolean;

            /** WatchEvents items. */
            items: dss.cluster.Item[];

            /** of the shard as of to_index */
            highestVersion: number;

            /**
             * Creates a new WatchEvents instance using the specified properties.
             * @param [properties] Properties to set
             * @returns WatchEvents instance
             */
            static create(properties: dss.cluster.WatchEvents.$Shape): dss.cluster.WatchEvents & dss.cluster.WatchEvents.$Shape;
            static create(properties?: dss.cluster.WatchEvents.$Properties): dss.cluster.WatchEvents;

            /**
             * Encodes the specified WatchEvents message. Does not implicitly {@link dss.cluster.WatchEvents.verify|verify} messages.
             * @param message WatchEvents message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.WatchEvents.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a WatchEvents message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.WatchEvents & dss.cluster.WatchEvents.$Shape} WatchEvents
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.WatchEvents & dss.cluster.WatchEvents.$Shape;
        }

        namespace WatchEvents {

            /** Properties of a WatchEvents. */
            interface $Properties {

                /** WatchEvents fromIndex */
                fromIndex?: number;

                /** WatchEvents toIndex */
                toIndex?: number;

                /** WatchEvents snapshot */
                snapshot?: boolean;

                /** WatchEvents snapshotDone */
                snapshotDone?: boolean;

                /** WatchEvents items */
                items?: dss.cluster.Item.$Properties[];

                /** of the shard as of to_index */
                highestVersion?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a WatchEvents. */
            type $Shape = dss.cluster.WatchEvents.$Properties;
        }

        /**
         * Properties of a WatchCredit.
         * @deprecated Use dss.cluster.WatchCredit.$Properties instead.
         */
        interface IWatchCredit extends dss.cluster.WatchCredit.$Properties {
        }

        /** What the watcher has consumed since it opened the watch, modulo 2^32: a lost credit is made up by the next. */
        class WatchCredit {

            /**
             * Constructs a new WatchCredit.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.WatchCredit.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** WatchCredit bytes. */
            bytes: number;

            /**
             * Creates a new WatchCredit instance using the specified properties.
             * @param [properties] Properties to set
             * @returns WatchCredit instance
             */
            static create(properties: dss.cluster.WatchCredit.$Shape): dss.cluster.WatchCredit & dss.cluster.WatchCredit.$Shape;
            static create(properties?: dss.cluster.WatchCredit.$Properties): dss.cluster.WatchCredit;

            /**
             * Encodes the specified WatchCredit message. Does not implicitly {@link dss.cluster.WatchCredit.verify|verify} messages.
             * @param message WatchCredit message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.WatchCredit.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a WatchCredit message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.WatchCredit & dss.cluster.WatchCredit.$Shape} WatchCredit
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.WatchCredit & dss.cluster.WatchCredit.$Shape;
        }

        namespace WatchCredit {

            /** Properties of a WatchCredit. */
            interface $Properties {

                /** WatchCredit bytes */
                bytes?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a WatchCredit. */
            type $Shape = dss.cluster.WatchCredit.$Properties;
        }

        /**
         * Properties of a WatchClose.
         * @deprecated Use dss.cluster.WatchClose.$Properties instead.
         */
        interface IWatchClose extends dss.cluster.WatchClose.$Properties {
        }

        /** Represents a WatchClose. */
        class WatchClose {

            /**
             * Constructs a new WatchClose.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.WatchClose.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** WatchClose reason. */
            reason: string;

            /** of a server that cannot go on */
            row: dss.cluster.MapRow;

            /**
             * Creates a new WatchClose instance using the specified properties.
             * @param [properties] Properties to set
             * @returns WatchClose instance
             */
            static create(properties: dss.cluster.WatchClose.$Shape): dss.cluster.WatchClose & dss.cluster.WatchClose.$Shape;
            static create(properties?: dss.cluster.WatchClose.$Properties): dss.cluster.WatchClose;

            /**
             * Encodes the specified WatchClose message. Does not implicitly {@link dss.cluster.WatchClose.verify|verify} messages.
             * @param message WatchClose message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.WatchClose.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a WatchClose message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.WatchClose & dss.cluster.WatchClose.$Shape} WatchClose
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.WatchClose & dss.cluster.WatchClose.$Shape;
        }

        namespace WatchClose {

            /** Properties of a WatchClose. */
            interface $Properties {

                /** WatchClose reason */
                reason?: string;

                /** of a server that cannot go on */
                row?: dss.cluster.MapRow.$Properties;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a WatchClose. */
            type $Shape = dss.cluster.WatchClose.$Properties;
        }

        /**
         * Properties of a Hello.
         * @deprecated Use dss.cluster.Hello.$Properties instead.
         */
        interface IHello extends dss.cluster.Hello.$Properties {
        }

        /** Asked before a cluster exists, and by a node that looks for its peers. */
        class Hello {

            /**
             * Constructs a new Hello.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.Hello.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Hello node. */
            node: string;

            /** Hello name. */
            name: string;

            /** Hello mqttAddress. */
            mqttAddress: string;

            /** empty: this node belongs to none yet */
            clusterId: string;

            /** Hello startCounter. */
            startCounter: number;

            /** it was told to join a cluster that it is not named in */
            joining: boolean;

            /** of the settings from which it knows the node table; 0: it has the genesis at most */
            nodesRevision: number;

            /** for a node table that does not name it yet */
            weight: number;

            /** Hello zone. */
            zone: string;

            /**
             * Creates a new Hello instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Hello instance
             */
            static create(properties: dss.cluster.Hello.$Shape): dss.cluster.Hello & dss.cluster.Hello.$Shape;
            static create(properties?: dss.cluster.Hello.$Properties): dss.cluster.Hello;

            /**
             * Encodes the specified Hello message. Does not implicitly {@link dss.cluster.Hello.verify|verify} messages.
             * @param message Hello message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.Hello.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Hello message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.Hello & dss.cluster.Hello.$Shape} Hello
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.Hello & dss.cluster.Hello.$Shape;
        }

        namespace Hello {

            /** Properties of a Hello. */
            interface $Properties {

                /** Hello node */
                node?: string;

                /** Hello name */
                name?: string;

                /** Hello mqttAddress */
                mqttAddress?: string;

                /** empty: this node belongs to none yet */
                clusterId?: string;

                /** Hello startCounter */
                startCounter?: number;

                /** it was told to join a cluster that it is not named in */
                joining?: boolean;

                /** of the settings from which it knows the node table; 0: it has the genesis at most */
                nodesRevision?: number;

                /** for a node table that does not name it yet */
                weight?: number;

                /** Hello zone */
                zone?: string;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Hello. */
            type $Shape = dss.cluster.Hello.$Properties;
        }

        /**
         * Properties of a HelloReply.
         * @deprecated Use dss.cluster.HelloReply.$Properties instead.
         */
        interface IHelloReply extends dss.cluster.HelloReply.$Properties {
        }

        /** Represents a HelloReply. */
        class HelloReply {

            /**
             * Constructs a new HelloReply.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.HelloReply.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** HelloReply node. */
            node: string;

            /** HelloReply name. */
            name: string;

            /** HelloReply clusterId. */
            clusterId: string;

            /** HelloReply empty. */
            empty: boolean;

            /** the highest this node ever saw of the asking node */
            rememberedStartCounter: number;

            /** HelloReply rememberedSyncedRound. */
            rememberedSyncedRound: number;

            /** set: the asking node cannot be part of this cluster */
            refusalCode: string;

            /** the sentence for the person who started it */
            refusal: string;

            /** HelloReply nodesRevision. */
            nodesRevision: number;

            /** the node table, if it is newer than that of the asking node */
            nodes: dss.kv.NodeRow[];

            /** for a node table that does not name the answering node yet */
            weight: number;

            /** HelloReply zone. */
            zone: string;

            /**
             * Creates a new HelloReply instance using the specified properties.
             * @param [properties] Properties to set
             * @returns HelloReply instance
             */
            static create(properties: dss.cluster.HelloReply.$Shape): dss.cluster.HelloReply & dss.cluster.HelloReply.$Shape;
            static create(properties?: dss.cluster.HelloReply.$Properties): dss.cluster.HelloReply;

            /**
             * Encodes the specified HelloReply message. Does not implicitly {@link dss.cluster.HelloReply.verify|verify} messages.
             * @param message HelloReply message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.HelloReply.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a HelloReply message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.HelloReply & dss.cluster.HelloReply.$Shape} HelloReply
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.HelloReply & dss.cluster.HelloReply.$Shape;
        }

        namespace HelloReply {

            /** Properties of a HelloReply. */
            interface $Properties {

                /** HelloReply node */
                node?: string;

                /** HelloReply name */
                name?: string;

                /** HelloReply clusterId */
                clusterId?: string;

                /** HelloReply empty */
                empty?: boolean;

                /** the highest this node ever saw of the asking node */
                rememberedStartCounter?: number;

                /** HelloReply rememberedSyncedRound */
                rememberedSyncedRound?: number;

                /** set: the asking node cannot be part of this cluster */
                refusalCode?: string;

                /** the sentence for the person who started it */
                refusal?: string;

                /** HelloReply nodesRevision */
                nodesRevision?: number;

                /** the node table, if it is newer than that of the asking node */
                nodes?: dss.kv.NodeRow.$Properties[];

                /** for a node table that does not name the answering node yet */
                weight?: number;

                /** HelloReply zone */
                zone?: string;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a HelloReply. */
            type $Shape = dss.cluster.HelloReply.$Properties;
        }

        /**
         * Properties of a GenesisNode.
         * @deprecated Use dss.cluster.GenesisNode.$Properties instead.
         */
        interface IGenesisNode extends dss.cluster.GenesisNode.$Properties {
        }

        /** Represents a GenesisNode. */
        class GenesisNode {

            /**
             * Constructs a new GenesisNode.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.GenesisNode.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** GenesisNode node. */
            node: string;

            /** GenesisNode name. */
            name: string;

            /** GenesisNode mqttAddress. */
            mqttAddress: string;

            /** GenesisNode weight. */
            weight: number;

            /** GenesisNode zone. */
            zone: string;

            /**
             * Creates a new GenesisNode instance using the specified properties.
             * @param [properties] Properties to set
             * @returns GenesisNode instance
             */
            static create(properties: dss.cluster.GenesisNode.$Shape): dss.cluster.GenesisNode & dss.cluster.GenesisNode.$Shape;
            static create(properties?: dss.cluster.GenesisNode.$Properties): dss.cluster.GenesisNode;

            /**
             * Encodes the specified GenesisNode message. Does not implicitly {@link dss.cluster.GenesisNode.verify|verify} messages.
             * @param message GenesisNode message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.GenesisNode.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a GenesisNode message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.GenesisNode & dss.cluster.GenesisNode.$Shape} GenesisNode
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.GenesisNode & dss.cluster.GenesisNode.$Shape;
        }

        namespace GenesisNode {

            /** Properties of a GenesisNode. */
            interface $Properties {

                /** GenesisNode node */
                node?: string;

                /** GenesisNode name */
                name?: string;

                /** GenesisNode mqttAddress */
                mqttAddress?: string;

                /** GenesisNode weight */
                weight?: number;

                /** GenesisNode zone */
                zone?: string;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a GenesisNode. */
            type $Shape = dss.cluster.GenesisNode.$Properties;
        }

        /**
         * Properties of a GenesisReplica.
         * @deprecated Use dss.cluster.GenesisReplica.$Properties instead.
         */
        interface IGenesisReplica extends dss.cluster.GenesisReplica.$Properties {
        }

        /** Represents a GenesisReplica. */
        class GenesisReplica {

            /**
             * Constructs a new GenesisReplica.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.GenesisReplica.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** GenesisReplica replicaId. */
            replicaId: number;

            /** GenesisReplica node. */
            node: string;

            /**
             * Creates a new GenesisReplica instance using the specified properties.
             * @param [properties] Properties to set
             * @returns GenesisReplica instance
             */
            static create(properties: dss.cluster.GenesisReplica.$Shape): dss.cluster.GenesisReplica & dss.cluster.GenesisReplica.$Shape;
            static create(properties?: dss.cluster.GenesisReplica.$Properties): dss.cluster.GenesisReplica;

            /**
             * Encodes the specified GenesisReplica message. Does not implicitly {@link dss.cluster.GenesisReplica.verify|verify} messages.
             * @param message GenesisReplica message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.GenesisReplica.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a GenesisReplica message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.GenesisReplica & dss.cluster.GenesisReplica.$Shape} GenesisReplica
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.GenesisReplica & dss.cluster.GenesisReplica.$Shape;
        }

        namespace GenesisReplica {

            /** Properties of a GenesisReplica. */
            interface $Properties {

                /** GenesisReplica replicaId */
                replicaId?: number;

                /** GenesisReplica node */
                node?: string;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a GenesisReplica. */
            type $Shape = dss.cluster.GenesisReplica.$Properties;
        }

        /**
         * Properties of a GenesisGroup.
         * @deprecated Use dss.cluster.GenesisGroup.$Properties instead.
         */
        interface IGenesisGroup extends dss.cluster.GenesisGroup.$Properties {
        }

        /** Represents a GenesisGroup. */
        class GenesisGroup {

            /**
             * Constructs a new GenesisGroup.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.GenesisGroup.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** 0: meta */
            group: number;

            /** GenesisGroup firstSlot. */
            firstSlot: number;

            /** 0 for meta */
            slotCount: number;

            /** GenesisGroup voters. */
            voters: dss.cluster.GenesisReplica[];

            /** warm copies that count for nothing */
            learners: dss.cluster.GenesisReplica[];

            /**
             * Creates a new GenesisGroup instance using the specified properties.
             * @param [properties] Properties to set
             * @returns GenesisGroup instance
             */
            static create(properties: dss.cluster.GenesisGroup.$Shape): dss.cluster.GenesisGroup & dss.cluster.GenesisGroup.$Shape;
            static create(properties?: dss.cluster.GenesisGroup.$Properties): dss.cluster.GenesisGroup;

            /**
             * Encodes the specified GenesisGroup message. Does not implicitly {@link dss.cluster.GenesisGroup.verify|verify} messages.
             * @param message GenesisGroup message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.GenesisGroup.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a GenesisGroup message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.GenesisGroup & dss.cluster.GenesisGroup.$Shape} GenesisGroup
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.GenesisGroup & dss.cluster.GenesisGroup.$Shape;
        }

        namespace GenesisGroup {

            /** Properties of a GenesisGroup. */
            interface $Properties {

                /** 0: meta */
                group?: number;

                /** GenesisGroup firstSlot */
                firstSlot?: number;

                /** 0 for meta */
                slotCount?: number;

                /** GenesisGroup voters */
                voters?: dss.cluster.GenesisReplica.$Properties[];

                /** warm copies that count for nothing */
                learners?: dss.cluster.GenesisReplica.$Properties[];

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a GenesisGroup. */
            type $Shape = dss.cluster.GenesisGroup.$Properties;
        }

        /**
         * Properties of a Genesis.
         * @deprecated Use dss.cluster.Genesis.$Properties instead.
         */
        interface IGenesis extends dss.cluster.Genesis.$Properties {
        }

        /** The one record that creates a cluster. A node accepts exactly one (DESIGN §5, Identity). */
        class Genesis {

            /**
             * Constructs a new Genesis.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.Genesis.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Genesis format. */
            format: number;

            /** Genesis clusterId. */
            clusterId: string;

            /** Genesis createdAtMs. */
            createdAtMs: number;

            /** Genesis replicationFactor. */
            replicationFactor: number;

            /** Genesis nodes. */
            nodes: dss.cluster.GenesisNode[];

            /** Genesis groups. */
            groups: dss.cluster.GenesisGroup[];

            /**
             * Creates a new Genesis instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Genesis instance
             */
            static create(properties: dss.cluster.Genesis.$Shape): dss.cluster.Genesis & dss.cluster.Genesis.$Shape;
            static create(properties?: dss.cluster.Genesis.$Properties): dss.cluster.Genesis;

            /**
             * Encodes the specified Genesis message. Does not implicitly {@link dss.cluster.Genesis.verify|verify} messages.
             * @param message Genesis message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.Genesis.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Genesis message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.Genesis & dss.cluster.Genesis.$Shape} Genesis
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.Genesis & dss.cluster.Genesis.$Shape;
        }

        namespace Genesis {

            /** Properties of a Genesis. */
            interface $Properties {

                /** Genesis format */
                format?: number;

                /** Genesis clusterId */
                clusterId?: string;

                /** Genesis createdAtMs */
                createdAtMs?: number;

                /** Genesis replicationFactor */
                replicationFactor?: number;

                /** Genesis nodes */
                nodes?: dss.cluster.GenesisNode.$Properties[];

                /** Genesis groups */
                groups?: dss.cluster.GenesisGroup.$Properties[];

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Genesis. */
            type $Shape = dss.cluster.Genesis.$Properties;
        }

        /**
         * Properties of a GenesisReply.
         * @deprecated Use dss.cluster.GenesisReply.$Properties instead.
         */
        interface IGenesisReply extends dss.cluster.GenesisReply.$Properties {
        }

        /** Represents a GenesisReply. */
        class GenesisReply {

            /**
             * Constructs a new GenesisReply.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.cluster.GenesisReply.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** GenesisReply accepted. */
            accepted: boolean;

            /** GenesisReply reason. */
            reason: string;

            /**
             * Creates a new GenesisReply instance using the specified properties.
             * @param [properties] Properties to set
             * @returns GenesisReply instance
             */
            static create(properties: dss.cluster.GenesisReply.$Shape): dss.cluster.GenesisReply & dss.cluster.GenesisReply.$Shape;
            static create(properties?: dss.cluster.GenesisReply.$Properties): dss.cluster.GenesisReply;

            /**
             * Encodes the specified GenesisReply message. Does not implicitly {@link dss.cluster.GenesisReply.verify|verify} messages.
             * @param message GenesisReply message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.cluster.GenesisReply.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a GenesisReply message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.cluster.GenesisReply & dss.cluster.GenesisReply.$Shape} GenesisReply
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.cluster.GenesisReply & dss.cluster.GenesisReply.$Shape;
        }

        namespace GenesisReply {

            /** Properties of a GenesisReply. */
            interface $Properties {

                /** GenesisReply accepted */
                accepted?: boolean;

                /** GenesisReply reason */
                reason?: string;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a GenesisReply. */
            type $Shape = dss.cluster.GenesisReply.$Properties;
        }
    }

    /** Namespace peers. */
    namespace peers {

        /**
         * Properties of an Envelope.
         * @deprecated Use dss.peers.Envelope.$Properties instead.
         */
        interface IEnvelope extends dss.peers.Envelope.$Properties {
        }

        /** All that one node has to say to another in a turn, in parts of at most 1 MiB or one message. */
        class Envelope {

            /**
             * Constructs a new Envelope.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.peers.Envelope.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Envelope format. */
            format: number;

            /** Envelope fromNode. */
            fromNode: string;

            /** Envelope startCounter. */
            startCounter: number;

            /** counts those to this receiver in a run of the sender, from 1; what is not above the last is late */
            number: number;

            /** the run of the receiver that was heard; 0: none */
            heardStartCounter: number;

            /** the last that was taken of it */
            heardNumber: number;

            /** those with content that were taken and not reported so far: how far before heard_number */
            taken: number[];

            /** at once: the sender does not know whether it is heard */
            wantsAnswer: boolean;

            /** of the sender's last change of interest */
            interestNumber: number;

            /** of the receiver's last change of interest that the sender knows; 0: nothing */
            knownInterest: number;

            /** the whole set */
            wantsInterest: boolean;

            /** Envelope sets. */
            sets: dss.peers.InterestSet[];

            /** Envelope changes. */
            changes: dss.peers.InterestChanges[];

            /** Envelope deliveries. */
            deliveries: dss.peers.Delivery[];

            /**
             * Creates a new Envelope instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Envelope instance
             */
            static create(properties: dss.peers.Envelope.$Shape): dss.peers.Envelope & dss.peers.Envelope.$Shape;
            static create(properties?: dss.peers.Envelope.$Properties): dss.peers.Envelope;

            /**
             * Encodes the specified Envelope message. Does not implicitly {@link dss.peers.Envelope.verify|verify} messages.
             * @param message Envelope message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.peers.Envelope.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an Envelope message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.peers.Envelope & dss.peers.Envelope.$Shape} Envelope
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.peers.Envelope & dss.peers.Envelope.$Shape;
        }

        namespace Envelope {

            /** Properties of an Envelope. */
            interface $Properties {

                /** Envelope format */
                format?: number;

                /** Envelope fromNode */
                fromNode?: string;

                /** Envelope startCounter */
                startCounter?: number;

                /** counts those to this receiver in a run of the sender, from 1; what is not above the last is late */
                number?: number;

                /** the run of the receiver that was heard; 0: none */
                heardStartCounter?: number;

                /** the last that was taken of it */
                heardNumber?: number;

                /** those with content that were taken and not reported so far: how far before heard_number */
                taken?: number[];

                /** at once: the sender does not know whether it is heard */
                wantsAnswer?: boolean;

                /** of the sender's last change of interest */
                interestNumber?: number;

                /** of the receiver's last change of interest that the sender knows; 0: nothing */
                knownInterest?: number;

                /** the whole set */
                wantsInterest?: boolean;

                /** Envelope sets */
                sets?: dss.peers.InterestSet.$Properties[];

                /** Envelope changes */
                changes?: dss.peers.InterestChanges.$Properties[];

                /** Envelope deliveries */
                deliveries?: dss.peers.Delivery.$Properties[];

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of an Envelope. */
            type $Shape = dss.peers.Envelope.$Properties;
        }

        /**
         * Properties of an Interest.
         * @deprecated Use dss.peers.Interest.$Properties instead.
         */
        interface IInterest extends dss.peers.Interest.$Properties {
        }

        /** Represents an Interest. */
        class Interest {

            /**
             * Constructs a new Interest.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.peers.Interest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** empty: an ordinary subscription, of any number of clients */
            group: string;

            /** Interest filter. */
            filter: string;

            /** the member of a shared one */
            clientId: string;

            /** not any more */
            withdrawn: boolean;

            /**
             * Creates a new Interest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Interest instance
             */
            static create(properties: dss.peers.Interest.$Shape): dss.peers.Interest & dss.peers.Interest.$Shape;
            static create(properties?: dss.peers.Interest.$Properties): dss.peers.Interest;

            /**
             * Encodes the specified Interest message. Does not implicitly {@link dss.peers.Interest.verify|verify} messages.
             * @param message Interest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.peers.Interest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an Interest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.peers.Interest & dss.peers.Interest.$Shape} Interest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.peers.Interest & dss.peers.Interest.$Shape;
        }

        namespace Interest {

            /** Properties of an Interest. */
            interface $Properties {

                /** empty: an ordinary subscription, of any number of clients */
                group?: string;

                /** Interest filter */
                filter?: string;

                /** the member of a shared one */
                clientId?: string;

                /** not any more */
                withdrawn?: boolean;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of an Interest. */
            type $Shape = dss.peers.Interest.$Properties;
        }

        /**
         * Properties of an InterestSet.
         * @deprecated Use dss.peers.InterestSet.$Properties instead.
         */
        interface IInterestSet extends dss.peers.InterestSet.$Properties {
        }

        /** A part of all that a node wants. */
        class InterestSet {

            /**
             * Constructs a new InterestSet.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.peers.InterestSet.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** of the last change that is in it */
            number: number;

            /** from 0, one after the other */
            part: number;

            /** InterestSet last. */
            last: boolean;

            /** InterestSet interests. */
            interests: dss.peers.Interest[];

            /**
             * Creates a new InterestSet instance using the specified properties.
             * @param [properties] Properties to set
             * @returns InterestSet instance
             */
            static create(properties: dss.peers.InterestSet.$Shape): dss.peers.InterestSet & dss.peers.InterestSet.$Shape;
            static create(properties?: dss.peers.InterestSet.$Properties): dss.peers.InterestSet;

            /**
             * Encodes the specified InterestSet message. Does not implicitly {@link dss.peers.InterestSet.verify|verify} messages.
             * @param message InterestSet message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.peers.InterestSet.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an InterestSet message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.peers.InterestSet & dss.peers.InterestSet.$Shape} InterestSet
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.peers.InterestSet & dss.peers.InterestSet.$Shape;
        }

        namespace InterestSet {

            /** Properties of an InterestSet. */
            interface $Properties {

                /** of the last change that is in it */
                number?: number;

                /** from 0, one after the other */
                part?: number;

                /** InterestSet last */
                last?: boolean;

                /** InterestSet interests */
                interests?: dss.peers.Interest.$Properties[];

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of an InterestSet. */
            type $Shape = dss.peers.InterestSet.$Properties;
        }

        /**
         * Properties of an InterestChanges.
         * @deprecated Use dss.peers.InterestChanges.$Properties instead.
         */
        interface IInterestChanges extends dss.peers.InterestChanges.$Properties {
        }

        /** Represents an InterestChanges. */
        class InterestChanges {

            /**
             * Constructs a new InterestChanges.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.peers.InterestChanges.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** the number of the change before these */
            after: number;

            /** InterestChanges interests. */
            interests: dss.peers.Interest[];

            /**
             * Creates a new InterestChanges instance using the specified properties.
             * @param [properties] Properties to set
             * @returns InterestChanges instance
             */
            static create(properties: dss.peers.InterestChanges.$Shape): dss.peers.InterestChanges & dss.peers.InterestChanges.$Shape;
            static create(properties?: dss.peers.InterestChanges.$Properties): dss.peers.InterestChanges;

            /**
             * Encodes the specified InterestChanges message. Does not implicitly {@link dss.peers.InterestChanges.verify|verify} messages.
             * @param message InterestChanges message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.peers.InterestChanges.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an InterestChanges message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.peers.InterestChanges & dss.peers.InterestChanges.$Shape} InterestChanges
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.peers.InterestChanges & dss.peers.InterestChanges.$Shape;
        }

        namespace InterestChanges {

            /** Properties of an InterestChanges. */
            interface $Properties {

                /** the number of the change before these */
                after?: number;

                /** InterestChanges interests */
                interests?: dss.peers.Interest.$Properties[];

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of an InterestChanges. */
            type $Shape = dss.peers.InterestChanges.$Properties;
        }

        /**
         * Properties of a Delivery.
         * @deprecated Use dss.peers.Delivery.$Properties instead.
         */
        interface IDelivery extends dss.peers.Delivery.$Properties {
        }

        /** Represents a Delivery. */
        class Delivery {

            /**
             * Constructs a new Delivery.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.peers.Delivery.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** a Message, encoded once for all receivers */
            message: Uint8Array;

            /** of shared subscriptions, who alone get it; none: whoever wants it */
            members: dss.peers.Interest[];

            /** another member was to get it, and had gone */
            passedOn: boolean;

            /**
             * Creates a new Delivery instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Delivery instance
             */
            static create(properties: dss.peers.Delivery.$Shape): dss.peers.Delivery & dss.peers.Delivery.$Shape;
            static create(properties?: dss.peers.Delivery.$Properties): dss.peers.Delivery;

            /**
             * Encodes the specified Delivery message. Does not implicitly {@link dss.peers.Delivery.verify|verify} messages.
             * @param message Delivery message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.peers.Delivery.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Delivery message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.peers.Delivery & dss.peers.Delivery.$Shape} Delivery
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.peers.Delivery & dss.peers.Delivery.$Shape;
        }

        namespace Delivery {

            /** Properties of a Delivery. */
            interface $Properties {

                /** a Message, encoded once for all receivers */
                message?: Uint8Array;

                /** of shared subscriptions, who alone get it; none: whoever wants it */
                members?: dss.peers.Interest.$Properties[];

                /** another member was to get it, and had gone */
                passedOn?: boolean;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Delivery. */
            type $Shape = dss.peers.Delivery.$Properties;
        }

        /**
         * Properties of a Message.
         * @deprecated Use dss.peers.Message.$Properties instead.
         */
        interface IMessage extends dss.peers.Message.$Properties {
        }

        /** Represents a Message. */
        class Message {

            /**
             * Constructs a new Message.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.peers.Message.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Message id. */
            id: string;

            /** Message topic. */
            topic: string;

            /** Message payload. */
            payload: Uint8Array;

            /** Message qos. */
            qos: number;

            /** Message retain. */
            retain: boolean;

            /** Message properties. */
            properties: Uint8Array;

            /** 0: never */
            expiresAtMs: number;

            /** Message from. */
            from: string;

            /**
             * Creates a new Message instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Message instance
             */
            static create(properties: dss.peers.Message.$Shape): dss.peers.Message & dss.peers.Message.$Shape;
            static create(properties?: dss.peers.Message.$Properties): dss.peers.Message;

            /**
             * Encodes the specified Message message. Does not implicitly {@link dss.peers.Message.verify|verify} messages.
             * @param message Message message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.peers.Message.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Message message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.peers.Message & dss.peers.Message.$Shape} Message
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.peers.Message & dss.peers.Message.$Shape;
        }

        namespace Message {

            /** Properties of a Message. */
            interface $Properties {

                /** Message id */
                id?: string;

                /** Message topic */
                topic?: string;

                /** Message payload */
                payload?: Uint8Array;

                /** Message qos */
                qos?: number;

                /** Message retain */
                retain?: boolean;

                /** Message properties */
                properties?: Uint8Array;

                /** 0: never */
                expiresAtMs?: number;

                /** Message from */
                from?: string;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Message. */
            type $Shape = dss.peers.Message.$Properties;
        }
    }

    /** Namespace mqtt. */
    namespace mqtt {

        /**
         * Properties of a StoredMessage.
         * @deprecated Use dss.mqtt.StoredMessage.$Properties instead.
         */
        interface IStoredMessage extends dss.mqtt.StoredMessage.$Properties {
        }

        /** Represents a StoredMessage. */
        class StoredMessage {

            /**
             * Constructs a new StoredMessage.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.mqtt.StoredMessage.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** StoredMessage id. */
            id: string;

            /** StoredMessage topic. */
            topic: string;

            /** StoredMessage payload. */
            payload: Uint8Array;

            /** StoredMessage qos. */
            qos: number;

            /** StoredMessage retain. */
            retain: boolean;

            /** MQTT 5 properties, as they stood in the PUBLISH */
            properties: Uint8Array;

            /** wall clock; absent: never */
            expiresAtMs: (number|null);

            /** client id of its publisher */
            from: string;

            /**
             * Creates a new StoredMessage instance using the specified properties.
             * @param [properties] Properties to set
             * @returns StoredMessage instance
             */
            static create(properties: dss.mqtt.StoredMessage.$Shape): dss.mqtt.StoredMessage & dss.mqtt.StoredMessage.$Shape;
            static create(properties?: dss.mqtt.StoredMessage.$Properties): dss.mqtt.StoredMessage;

            /**
             * Encodes the specified StoredMessage message. Does not implicitly {@link dss.mqtt.StoredMessage.verify|verify} messages.
             * @param message StoredMessage message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.mqtt.StoredMessage.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a StoredMessage message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.mqtt.StoredMessage & dss.mqtt.StoredMessage.$Shape} StoredMessage
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.mqtt.StoredMessage & dss.mqtt.StoredMessage.$Shape;
        }

        namespace StoredMessage {

            /** Properties of a StoredMessage. */
            interface $Properties {

                /** StoredMessage id */
                id?: string;

                /** StoredMessage topic */
                topic?: string;

                /** StoredMessage payload */
                payload?: Uint8Array;

                /** StoredMessage qos */
                qos?: number;

                /** StoredMessage retain */
                retain?: boolean;

                /** MQTT 5 properties, as they stood in the PUBLISH */
                properties?: Uint8Array;

                /** wall clock; absent: never */
                expiresAtMs?: (number|null);

                /** client id of its publisher */
                from?: string;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a StoredMessage. */
            type $Shape = dss.mqtt.StoredMessage.$Properties;
        }

        /**
         * Properties of a RetainedMessage.
         * @deprecated Use dss.mqtt.RetainedMessage.$Properties instead.
         */
        interface IRetainedMessage extends dss.mqtt.RetainedMessage.$Properties {
        }

        /** Represents a RetainedMessage. */
        class RetainedMessage {

            /**
             * Constructs a new RetainedMessage.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.mqtt.RetainedMessage.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** RetainedMessage format. */
            format: number;

            /** RetainedMessage message. */
            message: dss.mqtt.StoredMessage;

            /**
             * Creates a new RetainedMessage instance using the specified properties.
             * @param [properties] Properties to set
             * @returns RetainedMessage instance
             */
            static create(properties: dss.mqtt.RetainedMessage.$Shape): dss.mqtt.RetainedMessage & dss.mqtt.RetainedMessage.$Shape;
            static create(properties?: dss.mqtt.RetainedMessage.$Properties): dss.mqtt.RetainedMessage;

            /**
             * Encodes the specified RetainedMessage message. Does not implicitly {@link dss.mqtt.RetainedMessage.verify|verify} messages.
             * @param message RetainedMessage message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.mqtt.RetainedMessage.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a RetainedMessage message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.mqtt.RetainedMessage & dss.mqtt.RetainedMessage.$Shape} RetainedMessage
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.mqtt.RetainedMessage & dss.mqtt.RetainedMessage.$Shape;
        }

        namespace RetainedMessage {

            /** Properties of a RetainedMessage. */
            interface $Properties {

                /** RetainedMessage format */
                format?: number;

                /** RetainedMessage message */
                message?: dss.mqtt.StoredMessage.$Properties;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a RetainedMessage. */
            type $Shape = dss.mqtt.RetainedMessage.$Properties;
        }

        /**
         * Properties of a QueueEntry.
         * @deprecated Use dss.mqtt.QueueEntry.$Properties instead.
         */
        interface IQueueEntry extends dss.mqtt.QueueEntry.$Properties {
        }

        /** A message that waits for a session. */
        class QueueEntry {

            /**
             * Constructs a new QueueEntry.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.mqtt.QueueEntry.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** QueueEntry format. */
            format: number;

            /** QueueEntry message. */
            message: dss.mqtt.StoredMessage;

            /** at which it is delivered */
            qos: number;

            /** QueueEntry retain. */
            retain: boolean;

            /** of the subscriptions that it matched */
            identifiers: number[];

            /** under which it was sent; 0: it was not yet */
            packetId: number;

            /** the client has it and waits for PUBREL */
            isReleased: boolean;

            /** its place in the queue, a version; 0: that of this value */
            order: number;

            /**
             * Creates a new QueueEntry instance using the specified properties.
             * @param [properties] Properties to set
             * @returns QueueEntry instance
             */
            static create(properties: dss.mqtt.QueueEntry.$Shape): dss.mqtt.QueueEntry & dss.mqtt.QueueEntry.$Shape;
            static create(properties?: dss.mqtt.QueueEntry.$Properties): dss.mqtt.QueueEntry;

            /**
             * Encodes the specified QueueEntry message. Does not implicitly {@link dss.mqtt.QueueEntry.verify|verify} messages.
             * @param message QueueEntry message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.mqtt.QueueEntry.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a QueueEntry message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.mqtt.QueueEntry & dss.mqtt.QueueEntry.$Shape} QueueEntry
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.mqtt.QueueEntry & dss.mqtt.QueueEntry.$Shape;
        }

        namespace QueueEntry {

            /** Properties of a QueueEntry. */
            interface $Properties {

                /** QueueEntry format */
                format?: number;

                /** QueueEntry message */
                message?: dss.mqtt.StoredMessage.$Properties;

                /** at which it is delivered */
                qos?: number;

                /** QueueEntry retain */
                retain?: boolean;

                /** of the subscriptions that it matched */
                identifiers?: number[];

                /** under which it was sent; 0: it was not yet */
                packetId?: number;

                /** the client has it and waits for PUBREL */
                isReleased?: boolean;

                /** its place in the queue, a version; 0: that of this value */
                order?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a QueueEntry. */
            type $Shape = dss.mqtt.QueueEntry.$Properties;
        }

        /**
         * Properties of a SessionRecord.
         * @deprecated Use dss.mqtt.SessionRecord.$Properties instead.
         */
        interface ISessionRecord extends dss.mqtt.SessionRecord.$Properties {
        }

        /** Represents a SessionRecord. */
        class SessionRecord {

            /**
             * Constructs a new SessionRecord.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.mqtt.SessionRecord.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** SessionRecord format. */
            format: number;

            /** SessionRecord clientId. */
            clientId: string;

            /** SessionRecord user. */
            user: string;

            /** absent: the client is away */
            host: dss.mqtt.SessionHost;

            /** absent: never */
            expirySeconds: (number|null);

            /** SessionRecord awaySinceMs. */
            awaySinceMs: number;

            /** SessionRecord subscriptions. */
            subscriptions: dss.mqtt.Subscription[];

            /** QoS 2 packet ids that were received and not released */
            receivedIds: number[];

            /** SessionRecord will. */
            will: dss.mqtt.Will;

            /**
             * Creates a new SessionRecord instance using the specified properties.
             * @param [properties] Properties to set
             * @returns SessionRecord instance
             */
            static create(properties: dss.mqtt.SessionRecord.$Shape): dss.mqtt.SessionRecord & dss.mqtt.SessionRecord.$Shape;
            static create(properties?: dss.mqtt.SessionRecord.$Properties): dss.mqtt.SessionRecord;

            /**
             * Encodes the specified SessionRecord message. Does not implicitly {@link dss.mqtt.SessionRecord.verify|verify} messages.
             * @param message SessionRecord message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.mqtt.SessionRecord.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a SessionRecord message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.mqtt.SessionRecord & dss.mqtt.SessionRecord.$Shape} SessionRecord
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.mqtt.SessionRecord & dss.mqtt.SessionRecord.$Shape;
        }

        namespace SessionRecord {

            /** Properties of a SessionRecord. */
            interface $Properties {

                /** SessionRecord format */
                format?: number;

                /** SessionRecord clientId */
                clientId?: string;

                /** SessionRecord user */
                user?: string;

                /** absent: the client is away */
                host?: dss.mqtt.SessionHost.$Properties;

                /** absent: never */
                expirySeconds?: (number|null);

                /** SessionRecord awaySinceMs */
                awaySinceMs?: number;

                /** SessionRecord subscriptions */
                subscriptions?: dss.mqtt.Subscription.$Properties[];

                /** QoS 2 packet ids that were received and not released */
                receivedIds?: number[];

                /** SessionRecord will */
                will?: dss.mqtt.Will.$Properties;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a SessionRecord. */
            type $Shape = dss.mqtt.SessionRecord.$Properties;
        }

        /**
         * Properties of a SessionHost.
         * @deprecated Use dss.mqtt.SessionHost.$Properties instead.
         */
        interface ISessionHost extends dss.mqtt.SessionHost.$Properties {
        }

        /** Represents a SessionHost. */
        class SessionHost {

            /**
             * Constructs a new SessionHost.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.mqtt.SessionHost.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** SessionHost node. */
            node: string;

            /** SessionHost startCounter. */
            startCounter: number;

            /**
             * Creates a new SessionHost instance using the specified properties.
             * @param [properties] Properties to set
             * @returns SessionHost instance
             */
            static create(properties: dss.mqtt.SessionHost.$Shape): dss.mqtt.SessionHost & dss.mqtt.SessionHost.$Shape;
            static create(properties?: dss.mqtt.SessionHost.$Properties): dss.mqtt.SessionHost;

            /**
             * Encodes the specified SessionHost message. Does not implicitly {@link dss.mqtt.SessionHost.verify|verify} messages.
             * @param message SessionHost message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.mqtt.SessionHost.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a SessionHost message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.mqtt.SessionHost & dss.mqtt.SessionHost.$Shape} SessionHost
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.mqtt.SessionHost & dss.mqtt.SessionHost.$Shape;
        }

        namespace SessionHost {

            /** Properties of a SessionHost. */
            interface $Properties {

                /** SessionHost node */
                node?: string;

                /** SessionHost startCounter */
                startCounter?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a SessionHost. */
            type $Shape = dss.mqtt.SessionHost.$Properties;
        }

        /**
         * Properties of a Subscription.
         * @deprecated Use dss.mqtt.Subscription.$Properties instead.
         */
        interface ISubscription extends dss.mqtt.Subscription.$Properties {
        }

        /** Represents a Subscription. */
        class Subscription {

            /**
             * Constructs a new Subscription.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.mqtt.Subscription.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Subscription filter. */
            filter: string;

            /** Subscription qos. */
            qos: number;

            /** Subscription noLocal. */
            noLocal: boolean;

            /** Subscription retainAsPublished. */
            retainAsPublished: boolean;

            /** Subscription retainHandling. */
            retainHandling: number;

            /** Subscription identifier. */
            identifier: number;

            /**
             * Creates a new Subscription instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Subscription instance
             */
            static create(properties: dss.mqtt.Subscription.$Shape): dss.mqtt.Subscription & dss.mqtt.Subscription.$Shape;
            static create(properties?: dss.mqtt.Subscription.$Properties): dss.mqtt.Subscription;

            /**
             * Encodes the specified Subscription message. Does not implicitly {@link dss.mqtt.Subscription.verify|verify} messages.
             * @param message Subscription message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.mqtt.Subscription.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Subscription message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.mqtt.Subscription & dss.mqtt.Subscription.$Shape} Subscription
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.mqtt.Subscription & dss.mqtt.Subscription.$Shape;
        }

        namespace Subscription {

            /** Properties of a Subscription. */
            interface $Properties {

                /** Subscription filter */
                filter?: string;

                /** Subscription qos */
                qos?: number;

                /** Subscription noLocal */
                noLocal?: boolean;

                /** Subscription retainAsPublished */
                retainAsPublished?: boolean;

                /** Subscription retainHandling */
                retainHandling?: number;

                /** Subscription identifier */
                identifier?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Subscription. */
            type $Shape = dss.mqtt.Subscription.$Properties;
        }

        /**
         * Properties of a Will.
         * @deprecated Use dss.mqtt.Will.$Properties instead.
         */
        interface IWill extends dss.mqtt.Will.$Properties {
        }

        /** Represents a Will. */
        class Will {

            /**
             * Constructs a new Will.
             * @param [properties] Properties to set
             */
            constructor(properties?: dss.mqtt.Will.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** without id and expiry */
            message: dss.mqtt.StoredMessage;

            /** absent: it does not expire */
            expirySeconds: (number|null);

            /** Will delaySeconds. */
            delaySeconds: number;

            /**
             * Creates a new Will instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Will instance
             */
            static create(properties: dss.mqtt.Will.$Shape): dss.mqtt.Will & dss.mqtt.Will.$Shape;
            static create(properties?: dss.mqtt.Will.$Properties): dss.mqtt.Will;

            /**
             * Encodes the specified Will message. Does not implicitly {@link dss.mqtt.Will.verify|verify} messages.
             * @param message Will message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: dss.mqtt.Will.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Will message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {dss.mqtt.Will & dss.mqtt.Will.$Shape} Will
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): dss.mqtt.Will & dss.mqtt.Will.$Shape;
        }

        namespace Will {

            /** Properties of a Will. */
            interface $Properties {

                /** without id and expiry */
                message?: dss.mqtt.StoredMessage.$Properties;

                /** absent: it does not expire */
                expirySeconds?: (number|null);

                /** Will delaySeconds */
                delaySeconds?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Will. */
            type $Shape = dss.mqtt.Will.$Properties;
        }
    }
}

export import raft = dss.raft;
export import kv = dss.kv;
export import cluster = dss.cluster;
export import peers = dss.peers;
export import mqtt = dss.mqtt;
