import assert from 'node:assert/strict';
import type { JsonObject } from '../json.ts';
import type { Member } from '../request-members.ts';
import { type IngestRule, parseIngestRule } from './rule.ts';
import { TimeZone } from './time-zone.ts';

/** Rules for what is found in many houses. Each is an ordinary rule: it can be changed once it is there. */
export const PRESETS = ['zigbee2mqtt', 'tasmota', 'shelly', 'homeassistant'] as const;

type Preset = (typeof PRESETS)[number];

/**
 * Reads `{preset, timeZone?}` from JSON or YAML: the rules of the preset, in the order in which they have to stand.
 * `timeZone` is the IANA name of the zone that the devices' clocks show; only Tasmota needs it.
 */
export function parsePreset(input: JsonObject): Member<readonly IngestRule[]> {
  const { preset, timeZone: given, ...rest } = input;
  const [stranger] = Object.keys(rest);
  if (stranger !== undefined) {
    return { wrong: `a preset has no "${stranger}", only a "timeZone"` };
  }
  const timeZone = given ?? '';
  if (typeof timeZone !== 'string') {
    return { wrong: `"timeZone" must be ${ZONE_EXAMPLE}` };
  }
  const known = PRESETS.find((name) => name === preset);
  if (known === undefined) return { wrong: `the preset must be one of ${PRESETS.join(', ')}` };
  if (timeZone !== '' && TimeZone.named(timeZone) === undefined) {
    return { wrong: `the time zone must be ${ZONE_EXAMPLE}` };
  }
  if (known === 'tasmota' && timeZone === '') {
    return {
      wrong: `Tasmota writes local times without a zone: give the time zone that is set on the devices, ${ZONE_EXAMPLE}`,
    };
  }
  return { value: RULES[known](timeZone).map(rule) };
}

const ZONE_EXAMPLE = 'a name of the time zone database such as "Europe/Berlin" or "UTC"';

interface RuleText {
  readonly name: string;
  readonly filter: string;
  readonly except?: readonly string[];
  readonly key?: string;
  readonly value?: string;
  readonly time?: { readonly path: string; readonly unit: string; readonly zone?: string };
}

/**
 * https://www.zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages.html. A friendly name may have one slash, as in
 * `kitchen/lamp`. `last_seen` is there if it is switched on, as text with a zone or in milliseconds.
 */
function zigbee2mqtt(zone: string): readonly RuleText[] {
  const time = { path: 'last_seen', unit: 'ms', zone };
  const bridge = 'zigbee2mqtt/bridge/#';
  const requests = ['zigbee2mqtt/+/set', 'zigbee2mqtt/+/get', 'zigbee2mqtt/+/action'];
  const availability = { value: 'state', except: [bridge] };
  return [
    {
      name: 'zigbee2mqtt-availability',
      filter: 'zigbee2mqtt/+/availability',
      ...availability,
    },
    { name: 'zigbee2mqtt-device', filter: 'zigbee2mqtt/+', value: 'each', time, except: [bridge] },
    {
      name: 'zigbee2mqtt-folder-availability',
      filter: 'zigbee2mqtt/+/+/availability',
      ...availability,
    },
    {
      name: 'zigbee2mqtt-folder-device',
      filter: 'zigbee2mqtt/+/+',
      value: 'each',
      time,
      except: [bridge, ...requests],
    },
  ];
}

const TASMOTA_RELAYS = ['', '1', '2', '3', '4', '5', '6', '7', '8'];

/** https://tasmota.github.io/docs/MQTT/, with the topics of a fresh device: `tele/<device>/…`, `stat/<device>/…`. */
function tasmota(zone: string): readonly RuleText[] {
  // `Time` is text; after the command `Time 3` it is seconds.
  const telemetry = {
    key: 'tasmota/$1/$field',
    value: 'each',
    time: { path: 'Time', unit: 's', zone },
  };
  return [
    { name: 'tasmota-sensor', filter: 'tele/+/SENSOR', ...telemetry },
    { name: 'tasmota-state', filter: 'tele/+/STATE', ...telemetry },
    { name: 'tasmota-lwt', filter: 'tele/+/LWT', key: 'tasmota/$1/LWT' },
    // The same keys as in STATE, which comes every five minutes; these come when something is switched.
    ...TASMOTA_RELAYS.map((relay) => ({
      name: `tasmota-power${relay}`,
      filter: `stat/+/POWER${relay}`,
      key: `tasmota/$1/POWER${relay}`,
    })),
  ];
}

/**
 * https://shelly-api-docs.shelly.cloud. Generation 2 and later publish below the device's id, or below a prefix
 * such as `shellies/<id>`; both of their messages give the same keys. Generation 1 has one topic per value.
 */
function shelly(): readonly RuleText[] {
  const notification = { value: 'each params', time: { path: 'params.ts', unit: 's' } };
  const commands = ['shellies/command', 'shellies/+/command', 'shellies/+/+/+/command/#'];
  const others = ['shellies/+/+/+/set', 'shellies/+/rpc/#', 'shellies/announce'];
  const about = ['shellies/+/announce', 'shellies/+/info', 'shellies/+/events/#'];
  return [
    {
      name: 'shelly-prefixed-events',
      filter: 'shellies/+/events/rpc',
      key: 'shellies/$1/$field',
      ...notification,
    },
    {
      name: 'shelly-prefixed-status',
      filter: 'shellies/+/status/+',
      key: 'shellies/$1/$2/$field',
      value: 'each',
    },
    { name: 'shelly-gen1', filter: 'shellies/#', except: [...commands, ...others, ...about] },
    { name: 'shelly-events', filter: '+/events/rpc', key: '$1/$field', ...notification },
    { name: 'shelly-status', filter: '+/status/+', key: '$1/$2/$field', value: 'each' },
  ];
}

/**
 * https://www.home-assistant.io/integrations/mqtt_statestream/ with `base_topic: homeassistant`: the state of every
 * entity. Discovery, which has the same first level, ends in `/config` and is not stored.
 */
function homeassistant(): readonly RuleText[] {
  return [
    {
      name: 'homeassistant-state',
      filter: 'homeassistant/+/+/state',
      key: 'homeassistant/$1/$2',
    },
  ];
}

const RULES: Record<Preset, (zone: string) => readonly RuleText[]> = {
  zigbee2mqtt,
  tasmota,
  shelly,
  homeassistant,
};

function rule(text: RuleText): IngestRule {
  const parsed = parseIngestRule(text);
  assert('value' in parsed, 'the rules of presets are right');
  return parsed.value;
}
